import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  goldenCases,
  goldenFile,
  alpineJudge,
  judge,
  judgeUnits,
  missingTools,
  rootWith,
  shellcheck,
  unitPrograms,
  type Verdict,
} from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { sharedDir } from '../../support/shared.ts'

// Everything the translators of Debian and Ubuntu emit goes through Debian's own tools; what goes in are the golden cases.

interface CloudConfig {
  write_files: { path: string; permissions: string; encoding?: string; content: string }[]
}

const ifquery = alpineJudge('ifquery')
const skip = requirePart(
  'VALIDATORS',
  missingTools(
    ['cloud-init', 'netplan', 'systemd-analyze', 'systemd-tmpfiles', 'shellcheck', 'debconf-set-selections'],
    'cloud-init netplan.io systemd shellcheck debconf',
  ) ?? (existsSync(ifquery) ? undefined : 'ifquery missing: lab/alpine-judges.sh'),
)
const targets = ['debian', 'ubuntu'] as const
const users = 'root:x:0:0::/root:/bin/bash\nrancher:x:1000:1000::/home/rancher:/bin/bash\n'

/** The files that cloud-init will have written. */
function filesOf(userData: string): Map<string, string | Buffer> {
  return new Map(
    (parse(userData) as CloudConfig).write_files.map(
      ({ path, encoding, content }) =>
        [path, encoding === 'b64' ? Buffer.from(content, 'base64') : content] as const,
    ),
  )
}

function cloudInit(userData: string): Verdict {
  const root = rootWith([['/user-data', userData]])
  return judge('cloud-init', ['schema', '-c', `${root}/user-data`])
}

function netplan(networkConfig: string): Verdict {
  const root = rootWith([
    ['/etc/netplan/50-cloud-init.yaml', stringify({ network: parse(networkConfig) as unknown })],
  ])
  return judge('netplan', ['generate', '--root-dir', root])
}

function scripts(files: ReadonlyMap<string, string | Buffer>): Verdict[] {
  return [...files]
    .filter(([path]) => /^\/etc\/k3os-migrate\/[^/]+\.sh$/.test(path))
    .map(([, script]) => shellcheck(script.toString(), 'sh'))
}

function tmpfiles(files: ReadonlyMap<string, string | Buffer>): { root: string } & Verdict {
  const root = rootWith([...unitPrograms, ['/etc/passwd', users], ['/etc/group', 'root:x:0:\n'], ...files])
  // With a root it takes names of fragments, not paths.
  const names = [...files.keys()]
    .filter((path) => path.startsWith('/etc/tmpfiles.d/'))
    .map((path) => basename(path))
  return { root, ...judge('systemd-tmpfiles', ['--create', `--root=${root}`, ...names]) }
}

/** The installer's own schema, which may not be shipped: it lies beside the project, or nowhere. */
const autoinstallSchema = sharedDir('schemas/subiquity-autoinstall')

function autoinstall(document: string): Verdict {
  const check = [
    'import json, sys, yaml, jsonschema',
    `schema = json.load(open("${autoinstallSchema}/autoinstall-schema.json"))`,
    'document = yaml.safe_load(sys.stdin)["autoinstall"]',
    'jsonschema.validate(document, schema)',
    // The schema takes any other key as well, and so does the installer.
    'unknown = set(document) - set(schema["properties"])',
    'sys.exit(f"unknown: {unknown}" if unknown else 0)',
  ].join('\n')
  // The Python of the system: cloud-init brings what is needed for it.
  return judge('/usr/bin/python3', ['-c', check], document)
}

describe.skipIf(skip).each(targets)('%s', (target) => {
  describe.each(goldenCases(target, 'user-data'))('%s', (name) => {
    const read = (file: string) => readFileSync(goldenFile(name, target, file), 'utf8')

    it('user-data', () => {
      expect(cloudInit(read('user-data'))).toMatchObject({ accepted: true })
    })

    it('network-config', () => {
      expect(netplan(read('network-config'))).toEqual({ accepted: true, said: '' })
    })

    it('units', () => {
      expect(judgeUnits(filesOf(read('user-data')))).toEqual({ accepted: true, said: '' })
    })

    it('scripts', () => {
      for (const verdict of scripts(filesOf(read('user-data'))))
        expect(verdict).toEqual({ accepted: true, said: '' })
    })

    it('tmpfiles', () => {
      const { root, ...verdict } = tmpfiles(filesOf(read('user-data')))
      expect(verdict).toEqual({ accepted: true, said: '' })
      expect(readlinkSync(`${root}/usr/local/bin/kubectl`)).toBe('k3s')
    })
  })
})

describe.skipIf(skip)('debian, for those who install it', () => {
  describe.each(goldenCases('debian', 'preseed.cfg'))('%s', (name) => {
    it('preseed.cfg', () => {
      const verdict = judge('debconf-set-selections', [
        '--checkonly',
        goldenFile(name, 'debian', 'preseed.cfg'),
      ])
      expect(verdict).toEqual({ accepted: true, said: '' })
      // debconf takes any word for a type.
      const lines = readFileSync(goldenFile(name, 'debian', 'preseed.cfg'), 'utf8')
        .trimEnd()
        .split('\n')
      const answer =
        /^(?:d-i|tasksel|popularity-contest) \S+\/\S+ (?:string|boolean|select|multiselect|note|password)(?: |$)/
      expect(lines.filter((line) => !line.startsWith('#') && !answer.test(line))).toEqual([])
    })

    it('commands in preseed.cfg', () => {
      const answers = readFileSync(goldenFile(name, 'debian', 'preseed.cfg'), 'utf8')
      for (const [, command = ''] of answers.matchAll(/^d-i \S+_command string (.*)$/gm))
        expect(judge('busybox', ['ash', '-n'], command)).toEqual({ accepted: true, said: '' })
    })

    it('interfaces', () => {
      const { accepted, said } = judge(ifquery, [
        '-i',
        goldenFile(name, 'debian', 'ifupdown/interfaces'),
        '--list',
      ])
      expect(accepted).toBe(true)
      expect(said.split('\n')).toContain('lo')
    })
  })

  it('files in memory: they are there with content, mode and owner', () => {
    const userData = readFileSync(goldenFile('commands-in-boot-order', 'debian', 'user-data'), 'utf8')
    const { root } = tmpfiles(filesOf(userData))
    const { mode, uid } = statSync(`${root}/run/app.conf`)
    expect(readFileSync(`${root}/run/app.conf`, 'utf8')).toBe('mode=edge\n')
    expect([(mode & 0o777).toString(8), uid]).toEqual(['640', 1000])
  })
})

describe.skipIf(skip || autoinstallSchema === undefined)('ubuntu, for those who install it', () => {
  it.each(goldenCases('ubuntu', 'autoinstall.yaml'))('%s', (name) => {
    const document = readFileSync(goldenFile(name, 'ubuntu', 'autoinstall.yaml'), 'utf8')
    expect(autoinstall(document)).toEqual({ accepted: true, said: '' })
    const { autoinstall: parts } = parse(document) as { autoinstall: { 'user-data': object } }
    expect(cloudInit(`#cloud-config\n${stringify(parts['user-data'])}`)).toMatchObject({ accepted: true })
  })

  it.each(['{version: 1, storagee: {}}', '{version: 1, updates: never}'])('fails on %s', (wrong) => {
    expect(autoinstall(`autoinstall: ${wrong}\n`).accepted).toBe(false)
  })
})

describe.skipIf(skip)('each check fails on a planted mistake', () => {
  const [name = ''] = goldenCases('debian', 'user-data')
  const userData = skip ? '' : readFileSync(goldenFile(name, 'debian', 'user-data'), 'utf8')

  it('cloud-init: a file without a path', () => {
    expect(cloudInit(userData.replace('- path: ', '- paht: '))).toMatchObject({ accepted: false })
  })

  it('netplan: an address without a length', () => {
    const wrong = 'version: 2\nethernets: {eth0: {addresses: [10.0.0.5]}}\n'
    expect(netplan(wrong)).toMatchObject({ accepted: false })
  })

  it('systemd-analyze: a key that does not exist', () => {
    expect(judgeUnits(filesOf(userData.replace('KillMode=', 'KilMode='))).accepted).toBe(false)
  })

  it('systemd-analyze: a program that does not exist', () => {
    const wrong = userData.replace('ExecStart=/usr/local/bin/k3s', 'ExecStart=/usr/bin/k3s')
    expect(judgeUnits(filesOf(wrong)).accepted).toBe(false)
  })

  it('shellcheck: a variable without quotes', () => {
    const verdicts = scripts(filesOf(userData.replace('set -eu', 'set -eu; rm $x')))
    expect(verdicts.some(({ accepted }) => !accepted)).toBe(true)
  })

  it('systemd-tmpfiles: a type that does not exist', () => {
    expect(
      tmpfiles(filesOf(userData.replace('L "/usr/local/bin/ctr"', '? "/usr/local/bin/ctr"'))).accepted,
    ).toBe(false)
  })

  it('debconf: an answer without a question', () => {
    const root = rootWith([['/preseed.cfg', 'd-i\n']])
    expect(judge('debconf-set-selections', ['--checkonly', `${root}/preseed.cfg`]).accepted).toBe(false)
  })
})

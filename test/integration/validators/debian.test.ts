import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { requirePart } from '../../support/require-part.ts'

// Everything the translator of Debian emits goes through Debian's own tools; what goes in are the golden cases.

interface CloudConfig {
  write_files: { path: string; permissions: string; encoding?: string; content: string }[]
}

interface Verdict {
  readonly accepted: boolean
  readonly said: string
}

const tools = ['cloud-init', 'netplan', 'systemd-analyze', 'systemd-tmpfiles', 'shellcheck']
const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
const missing =
  absent.length === 0
    ? undefined
    : `${absent.join(', ')} missing: apt-get install --no-install-recommends cloud-init netplan.io systemd shellcheck`
const skip = requirePart('VALIDATORS', missing)

const golden = fileURLToPath(new URL('../../golden/translate/', import.meta.url))
const cases = readdirSync(golden).filter((name) => existsSync(`${golden}${name}/expect/debian/user-data`))

const scratch = mkdtempSync(join(tmpdir(), 'k3os-migrate-validators-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})
let folders = 0

/** A new folder with these files (0600, as netplan wants them), and stand-ins for the programs units call. */
function rootWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  folders += 1
  const root = join(scratch, String(folders))
  const stubs = ['/usr/local/bin/k3s', '/bin/sh', '/sbin/modprobe'].map(
    (path) => [path, '#!/bin/sh\n'] as const,
  )
  for (const [path, content] of [...stubs, ...Object.entries(files)]) {
    mkdirSync(dirname(`${root}${path}`), { recursive: true })
    writeFileSync(`${root}${path}`, content, { mode: path.includes('bin/') ? 0o755 : 0o600 })
  }
  return root
}

function run(program: string, args: readonly string[]): Verdict {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return { accepted: status === 0, said: `${stdout}${stderr}` }
}

const read = (name: string, file: string) => readFileSync(`${golden}${name}/expect/debian/${file}`, 'utf8')

/** The files that cloud-init will have written. */
function rootOf(userData: string): { root: string; paths: string[] } {
  const files = (parse(userData) as CloudConfig).write_files.map(
    ({ path, encoding, content }) =>
      [path, encoding === 'b64' ? Buffer.from(content, 'base64') : content] as const,
  )
  const users = 'root:x:0:0::/root:/bin/bash\nrancher:x:1000:1000::/home/rancher:/bin/bash\n'
  const root = rootWith({ '/etc/passwd': users, '/etc/group': 'root:x:0:\n', ...Object.fromEntries(files) })
  return { root, paths: files.map(([path]) => path) }
}

function cloudInit(userData: string): Verdict {
  const root = rootWith({ '/user-data': userData })
  return run('cloud-init', ['schema', '-c', `${root}/user-data`])
}

function netplan(networkConfig: string): Verdict {
  const root = rootWith({
    '/etc/netplan/50-cloud-init.yaml': stringify({ network: parse(networkConfig) as unknown }),
  })
  return run('netplan', ['generate', '--root-dir', root])
}

/** Without `--recursive-errors` systemd-analyze ends with 0 even for keys it does not know. */
function systemdAnalyze(root: string, units: readonly string[]): Verdict {
  return run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', `--root=${root}`, ...units])
}

function shellcheck(root: string, scripts: readonly string[]): Verdict {
  return run('shellcheck', ['-s', 'sh', ...scripts.map((path) => `${root}${path}`)])
}

function tmpfiles(root: string, paths: readonly string[]): Verdict {
  // With a root it takes names of fragments, not paths.
  return run('systemd-tmpfiles', ['--create', `--root=${root}`, ...paths.map((path) => basename(path))])
}

const isUnit = (path: string) => /^\/etc\/systemd\/system\/[^/]+\.(?:service|path)$/.test(path)
const isOurScript = (path: string) => /^\/etc\/k3os-migrate\/[^/]+\.sh$/.test(path)
const isTmpfiles = (path: string) => path.startsWith('/etc/tmpfiles.d/')

describe.skipIf(skip)('what Debian says of', () => {
  describe.each(cases)('%s', (name) => {
    it('user-data', () => {
      expect(cloudInit(read(name, 'user-data'))).toMatchObject({ accepted: true })
    })

    it('network-config', () => {
      expect(netplan(read(name, 'network-config'))).toEqual({ accepted: true, said: '' })
    })

    it('units', () => {
      const { root, paths } = rootOf(read(name, 'user-data'))
      const units = paths.filter(isUnit)
      expect(units).not.toEqual([])
      expect(systemdAnalyze(root, units)).toEqual({ accepted: true, said: '' })
    })

    it('scripts', () => {
      const { root, paths } = rootOf(read(name, 'user-data'))
      expect(shellcheck(root, paths.filter(isOurScript))).toEqual({ accepted: true, said: '' })
    })

    it('tmpfiles', () => {
      const { root, paths } = rootOf(read(name, 'user-data'))
      expect(tmpfiles(root, paths.filter(isTmpfiles))).toEqual({ accepted: true, said: '' })
      expect(readlinkSync(`${root}/usr/local/bin/kubectl`)).toBe('k3s')
    })
  })

  it('files in memory: they are there with content, mode and owner', () => {
    const { root, paths } = rootOf(read('commands-in-boot-order', 'user-data'))
    tmpfiles(root, paths.filter(isTmpfiles))
    const { mode, uid } = statSync(`${root}/run/app.conf`)
    expect(readFileSync(`${root}/run/app.conf`, 'utf8')).toBe('mode=edge\n')
    expect([(mode & 0o777).toString(8), uid]).toEqual(['640', 1000])
  })
})

describe.skipIf(skip)('each check fails on a planted mistake', () => {
  const [name = ''] = cases
  const userData = skip ? '' : read(name, 'user-data')

  it('cloud-init: a file without a path', () => {
    expect(cloudInit(userData.replace('- path: ', '- paht: '))).toMatchObject({ accepted: false })
  })

  it('netplan: an address without a length', () => {
    const wrong = 'version: 2\nethernets: {eth0: {addresses: [10.0.0.5]}}\n'
    expect(netplan(wrong)).toMatchObject({ accepted: false })
  })

  it('systemd-analyze: a key that does not exist', () => {
    const { root, paths } = rootOf(userData.replace('KillMode=', 'KilMode='))
    expect(systemdAnalyze(root, paths.filter(isUnit)).accepted).toBe(false)
  })

  it('systemd-analyze: a program that does not exist', () => {
    const { root, paths } = rootOf(userData.replace('ExecStart=/usr/local/bin/k3s', 'ExecStart=/usr/bin/k3s'))
    expect(systemdAnalyze(root, paths.filter(isUnit)).accepted).toBe(false)
  })

  it('shellcheck: a variable without quotes', () => {
    const { root, paths } = rootOf(userData.replace('set -eu', 'set -eu; rm $x'))
    expect(shellcheck(root, paths.filter(isOurScript)).accepted).toBe(false)
  })

  it('systemd-tmpfiles: a type that does not exist', () => {
    const { root, paths } = rootOf(userData.replace('L "/usr/local/bin/ctr"', '? "/usr/local/bin/ctr"'))
    expect(tmpfiles(root, paths.filter(isTmpfiles)).accepted).toBe(false)
  })
})

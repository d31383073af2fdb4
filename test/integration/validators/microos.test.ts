import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translator } from '../../../translators/microos/index.ts'
import { keyfilesOfCombustion } from '../../support/emitted-files.ts'
import { goldenNode } from '../../support/golden-node.ts'
import {
  goldenCases,
  goldenFile,
  goldenFolder,
  judge,
  judgeUnits,
  keyfileAsRead,
  missingTools,
  rootWith,
  shellcheck,
} from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'

// The combustion script as it runs. What bash, shellcheck and NetworkManager say of every one: matrix.test.ts.

const skip = requirePart(
  'VALIDATORS',
  missingTools(['nmcli', 'systemd-analyze', 'shellcheck'], 'network-manager systemd shellcheck'),
)
const script = 'combustion/script'
const cases = goldenCases('microos', script)
const read = (name: string) => readFileSync(goldenFile(name, 'microos', script), 'utf8')

interface Ran {
  readonly root: string
  readonly accepted: boolean
  readonly said: string
  /** What was called of the system, one line each, without its path. */
  readonly calls: readonly string[]
}

/** Programs of the system that must not be called here; each writes down how it was called, and with what. */
const standIns = [
  'chown',
  'chpasswd',
  'findmnt',
  'id',
  'mount',
  'mountpoint',
  'systemctl',
  'udevadm',
  'useradd',
  'zypper',
]

/** Runs the script against a folder instead of `/`. */
function run(text: string, ...args: readonly string[]): Ran {
  const root = rootWith([
    ['/called', ''],
    ...standIns.map(
      (name) =>
        [
          `/bin/${name}`,
          `#!/bin/sh\necho "${name} $*" >>"$ROOT/called"\n[ ${name} != chpasswd ] || cat >>"$ROOT/called"\n[ ${name} != id ] && [ ${name} != findmnt ]\n`,
        ] as const,
    ),
  ])
  const inRoot = text
    .replace('local folder=${3%/*}', 'local folder=$ROOT${3%/*}')
    .replaceAll('"$3"', '"$ROOT$3"')
    .replace('install -d -m 0700 -o rancher -g rancher /home', 'install -d -m 0700 "$ROOT"/home')
    .replaceAll(/(?<= )\/(?:usr\/share\/selinux|var\/lib\/rpm-state)/g, '"$ROOT"$&')
  const verdict = judge(
    'env',
    ['-i', `ROOT=${root}`, `PATH=${root}/bin:/usr/bin:/bin`, 'bash', '-s', '--', ...args],
    inRoot,
  )
  const called = readFileSync(join(root, 'called'), 'utf8').split('\n').slice(0, -1)
  return { root, ...verdict, calls: called.map((line) => line.replace(root, '')) }
}

describe.skipIf(skip)('combustion script', () => {
  describe.each(cases)('%s', (name) => {
    const text = skip ? '' : read(name)

    it('writes every file of the node, byte for byte', () => {
      const { root, accepted, said } = run(text)
      expect({ accepted, said }).toEqual({ accepted: true, said: '' })
      const { trace } = translateNode(goldenNode(goldenFolder(name)), translator, templateTools())
      const paths = [...text.matchAll(/^\s*put (\d+) \S+ (\/\S+) /gm)].map(([, mode, path]) => ({
        mode,
        path,
      }))
      expect(paths.length).toBeGreaterThan(5)
      for (const { mode, path } of paths)
        expect(`${path} ${(statSync(`${root}${path}`).mode & 0o777).toString(8)}`).toBe(
          `${path} ${Number.parseInt(mode ?? '', 8).toString(8)}`,
        )
      const traced = trace.flatMap(({ to }) => (to.path?.startsWith('/') === true ? [to.path] : []))
      expect(traced.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
    })

    it('in the initrd only sets up the network', () => {
      const { root, accepted, calls } = run(text, '--prepare')
      expect(accepted).toBe(true)
      expect(calls.map((call) => call.split(' ', 2).join(' '))).toEqual([
        'udevadm control',
        'udevadm trigger',
        'udevadm settle',
      ])
      expect(existsSync(`${root}/etc/NetworkManager/system-connections`)).toBe(true)
      expect(existsSync(`${root}/etc/systemd/system`)).toBe(false)
    })

    it('has units that systemd takes', () => {
      const { root } = run(text)
      const paths = [...text.matchAll(/^put \d+ \S+ (\/etc\/systemd\/system\/\S+) /gm)].flatMap(
        ([, path]) => path ?? [],
      )
      const files = new Map(paths.map((path) => [path, readFileSync(`${root}${path}`)]))
      expect(judgeUnits(files)).toEqual({ accepted: true, said: '' })
    })
  })

  it('carries bytes that are no text', () => {
    const { root } = run(read('commands-in-boot-order'))
    expect([...readFileSync(`${root}/etc/app/raw.bin`)]).toEqual([0, 1, 2, 3, 4, 255])
  })

  it('sets a password in clear and a hashed one', () => {
    expect(run(read('wifi')).calls).toContain('rancher:clear text')
    expect(run(read('single-server-default')).calls).toContain('chpasswd -e')
  })

  it('goes on when k3s-selinux cannot be had', () => {
    const text = read('agent-with-token').replace('if ! zypper', 'zypper() { return 1; }\n  if ! zypper')
    const { accepted, said, calls } = run(text)
    expect(accepted).toBe(true)
    expect(said).toContain('transactional-update pkg install k3s-selinux')
    expect(calls.some((call) => call.startsWith('systemctl enable sshd.service'))).toBe(true)
  })
})

describe.skipIf(skip)('each check fails on a planted mistake', () => {
  const text = skip ? '' : read('static-two-ports')

  it('bash: a quote that is left open', () => {
    expect(judge('bash', ['-n'], text.replace('chmod "$1" "$3"', 'chmod "$1 "$3"')).accepted).toBe(false)
  })

  it('shellcheck: a variable without quotes', () => {
    expect(shellcheck(text.replace('cat >"$3"', 'cat >$3; rm $2'), 'bash').accepted).toBe(false)
  })

  it('nmcli: a key that does not exist, and an address that is none', () => {
    const [, keyfile = ''] = keyfilesOfCombustion(text)[0] ?? []
    expect(keyfileAsRead(keyfile.replace('dns-search', 'dns-serach'))).not.toContain('edge.example')
    expect(keyfileAsRead(keyfile.replace('192.168.1.10/24', '192.168.1.300/24'))).not.toContain(
      '192.168.1.300',
    )
  })
})

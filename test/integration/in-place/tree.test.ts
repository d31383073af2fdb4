import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode, type NodeToTranslate } from '../../../src/core/translate-node.ts'
import { besideTranslator } from '../../../translators/debian/beside.ts'
import { bundleOf, k3osNode } from '../../support/k3os-node.ts'
import { requirePart } from '../../support/require-part.ts'
import { everyKey, nodeFrom } from '../../support/translation.ts'

// The programs of a real root tree, in the tree, are asked what they make of a node's files. Only the kernel's part is left out.

const where = fileURLToPath(new URL('../../../lab/root-tree.sh', import.meta.url))
const tree = execFileSync(where, ['--where'], { encoding: 'utf8' }).trim()
const skip =
  requirePart(
    'ROOT_TREE',
    existsSync(tree) ? undefined : `there is no root tree (${tree}); run lab/root-tree.sh`,
  ) || requirePart('LOOP', process.getuid?.() === 0 ? undefined : 'a root tree can be unpacked by root only')

const nonce = '00112233445566778899aabbccddeeff'
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'k3os-tree-'))
  folders.push(folder)
  return folder
}

/** A root tree with the node's files over it, as `node.sh` puts it on a node. */
function rootOf(node: NodeToTranslate): string {
  const root = temporary()
  const [archive] = translateNode(node, besideTranslator, templateTools()).files
  if (archive === undefined) throw new Error('there is no archive')
  const kernel = ['./boot', './usr/lib/modules', './usr/lib/firmware'].map((path) => `--exclude=${path}`)
  execFileSync('tar', ['-xpf', tree, '-C', root, ...kernel])
  execFileSync('tar', ['-xpf', '-', '-C', root], { input: archive.content })
  // As long as k3OS runs, k3s comes from it.
  writeFileSync(join(root, 'usr/bin/k3s'), '#!/bin/sh\n', { mode: 0o755 })
  return root
}

interface Said {
  readonly status: number | null
  readonly text: string
}

/** A shell of the tree, with its host name, /proc, an empty /run and a network that has only itself. */
function inTree(root: string, command: string): Said {
  const mounts = [
    'hostname -F "$1/etc/hostname"',
    'mount -t proc proc "$1/proc"',
    'mount -t tmpfs tmpfs "$1/run"',
    'mkdir "$1/run/sshd" "$1/run/systemd"',
    'exec chroot "$1" bash -c "$2"',
  ].join(' && ')
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', '-n', '-p', '-u', '-f', 'sh', '-c', mounts, 'sh', root, command],
    { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' } },
  )
  return { status, text: `${stdout}${stderr}` }
}

interface KeyPair {
  readonly type: string
  readonly secret: string
  readonly open: string
}

function keyPair(type: string): KeyPair {
  const file = join(temporary(), 'key')
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'root@k3os', '-f', file])
  return { type, secret: readFileSync(file, 'utf8'), open: readFileSync(`${file}.pub`, 'utf8') }
}

describe.skipIf(skip)('a root tree with the files of a server', () => {
  let root: string
  let keys: readonly KeyPair[]
  let person: KeyPair
  const file = (path: string): string => readFileSync(join(root, path), 'utf8')
  beforeAll(() => {
    keys = ['ed25519', 'rsa', 'ecdsa'].map(keyPair)
    person = keyPair('ed25519')
    const files = Object.fromEntries(
      keys.flatMap(({ type, secret, open }) => [
        [`/var/lib/rancher/k3os/ssh/ssh_host_${type}_key`, secret],
        [`/var/lib/rancher/k3os/ssh/ssh_host_${type}_key.pub`, open],
      ]),
    )
    const config = { ...everyKey, sshAuthorizedKeys: [person.open.trim()] }
    root = rootOf(nodeFrom(config, { bundle: bundleOf(k3osNode({ files })), nonce }))
  })

  test('has the host keys of k3OS, byte by byte, and sshd takes them', () => {
    for (const { type, secret } of keys) {
      const path = `etc/ssh/ssh_host_${type}_key`
      expect(file(path)).toBe(secret)
      expect(lstatSync(join(root, path)).mode & 0o777).toBe(0o600)
    }
    expect(inTree(root, 'sshd -t')).toEqual({ status: 0, text: '' })
  })

  test('lets only keys in, those of the configuration and those in the home', () => {
    const { text } = inTree(root, 'sshd -T')
    expect(text).toContain('\npasswordauthentication no\n')
    expect(text).toContain('\npermitrootlogin no\n')
    expect(text).toContain('\nauthorizedkeysfile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n')
    expect(inTree(root, 'ssh-keygen -lf /etc/ssh/authorized_keys.d/rancher').status).toBe(0)
  })

  test('minds a configuration that sshd does not take', () => {
    writeFileSync(join(root, 'etc/ssh/sshd_config.d/99-wrong.conf'), 'Frobnicate yes\n')
    const { status, text } = inTree(root, 'sshd -t')
    rmSync(join(root, 'etc/ssh/sshd_config.d/99-wrong.conf'))
    expect(status).not.toBe(0)
    expect(text).toContain('Frobnicate')
  })

  test('hands the password to the service that makes the user', () => {
    const { text } = inTree(root, 'systemd-analyze cat-config systemd/system/systemd-sysusers.service')
    const credential = 'passwd.hashed-password.rancher'
    expect(text).toContain(`\nLoadCredential=${credential}:/etc/credstore/${credential}\n`)
    // The last assignment counts: no condition is left.
    expect(text.lastIndexOf('\nConditionNeedsUpdate=\n')).toBeGreaterThan(
      text.indexOf('ConditionNeedsUpdate=|/etc'),
    )
  })

  test('makes the user of k3OS with its number, its password and sudo without one', () => {
    const made = inTree(root, 'CREDENTIALS_DIRECTORY=/etc/credstore systemd-sysusers && systemd-sysusers')
    expect(made.status).toBe(0)
    expect(file('etc/passwd')).toContain('\nrancher:x:1000:1000:k3OS user:/home/rancher:/bin/bash\n')
    expect(file('etc/shadow')).toContain('\nrancher:$1$abcdefgh$w9mHfjQ1Sdw3aSPqZv1Xh/:')
    expect(inTree(root, 'visudo -c').status).toBe(0)
    expect(inTree(root, 'runuser -u rancher -- sudo -n id -u')).toEqual({ status: 0, text: '0\n' })
  })

  test('lets the person in who could log in to k3OS, under the key that is pinned', () => {
    expect(login(root, person, `127.0.0.1 ${keys[0]?.open ?? ''}`)).toEqual([0, 'rancher root'])
    expect(login(root, keyPair('ed25519'), `127.0.0.1 ${keys[0]?.open ?? ''}`)).toEqual([255, ''])
    expect(login(root, person, `127.0.0.1 ${person.open}`)).toEqual([255, ''])
  })

  test('makes folders, links and files of the memory as k3OS had them', () => {
    const tmpfiles =
      'systemd-tmpfiles --create --exclude-prefix=/dev >/dev/null 2>&1; stat -c "%a %U" /run/app/state'
    expect(inTree(root, tmpfiles)).toEqual({ status: 0, text: '644 root\n' })
    const home = lstatSync(join(root, 'home/rancher'))
    expect([home.uid, home.gid]).toEqual([1000, 1000])
    expect(readlinkSync(join(root, 'usr/bin/kubectl'))).toBe('k3s')
    expect(lstatSync(join(root, 'var/lib/rancher/k3os/node')).isDirectory()).toBe(true)
    expect(inTree(root, 'test -d /etc/rancher/node/ && test -d /usr/libexec/kubernetes/').status).toBe(0)
  })

  test.each([
    'k3s.service',
    'k3os-migrate-release.path',
    'k3os-boot-cmd.service',
    'k3os-run-cmd.service',
    'k3os-local-d.service',
    'systemd-sysusers.service',
    'ssh.service',
  ])('%s is one that systemd takes', (unit) => {
    const verify = `systemd-analyze verify --man=no --recursive-errors=no ${unit}`
    expect(inTree(root, verify)).toEqual({ status: 0, text: '' })
  })

  test('minds a unit that systemd does not take', () => {
    const unit = join(root, 'etc/systemd/system/wrong.service')
    writeFileSync(unit, `${file('etc/systemd/system/k3s.service')}Frobnicate=yes\n`)
    const { status } = inTree(root, 'systemd-analyze verify --man=no --recursive-errors=no wrong.service')
    rmSync(unit)
    expect(status).not.toBe(0)
  })

  test('starts all of it at boot', () => {
    const units = [
      'k3s.service',
      'k3os-migrate-release.path',
      'k3os-boot-cmd.service',
      'k3os-run-cmd.service',
      'k3os-local-d.service',
      'ssh.service',
      'systemd-networkd.service',
      'systemd-networkd.socket',
      'systemd-networkd-wait-online.service',
      'systemd-network-generator.service',
      'systemd-resolved.service',
      'systemd-timesyncd.service',
    ]
    const { text } = inTree(root, `systemctl is-enabled ${units.join(' ')}`)
    expect(text).toBe('enabled\n'.repeat(units.length))
  })

  test('has an address and a name server for pods that networkd and resolved take', () => {
    expect(complaints(root)).toBe('')
    expect(readlinkSync(join(root, 'etc/resolv.conf'))).toBe('../run/systemd/resolve/resolv.conf')
  })

  test('minds a network that networkd does not take', () => {
    const path = join(root, 'etc/systemd/network/99-wrong.network')
    writeFileSync(path, '[Match]\nName=x\n\n[Network]\nDHPC=yes\n')
    const said = complaints(root)
    rmSync(path)
    expect(said).toContain('DHPC')
  })

  test('has the kernel settings in a form that systemd reads', () => {
    const { status, text } = inTree(root, '/usr/lib/systemd/systemd-sysctl --cat-config')
    expect([status, text.includes('net.core.somaxconn = 2048')]).toEqual([0, true])
  })
})

describe.skipIf(skip)(
  'a root tree with the files of an agent without password, whose host keys nobody read',
  () => {
    let root: string
    let person: KeyPair
    beforeAll(() => {
      person = keyPair('ed25519')
      const k3os = { serverUrl: 'https://10.0.0.1:6443', token: 'secret' }
      root = rootOf(nodeFrom({ hostname: 'n2', sshAuthorizedKeys: [person.open.trim()], k3os }))
    })

    test('has the unit of an agent', () => {
      const verify = 'systemd-analyze verify --man=no --recursive-errors=no k3s-agent.service ssh.service'
      expect(inTree(root, verify)).toEqual({ status: 0, text: '' })
      expect(inTree(root, 'systemctl is-enabled k3s-agent.service').text).toBe('enabled\n')
    })

    test('can be reached all the same: sshd makes keys before it starts', () => {
      const { text } = inTree(root, 'systemd-analyze cat-config systemd/system/ssh.service')
      const commands = [...text.matchAll(/^ExecStartPre=(.*)$/gm)].map(([, command]) => command ?? '')
      const last = commands.slice(commands.lastIndexOf('') + 1)
      expect(inTree(root, last.join(' && ')).status).toBe(0)
      expect(inTree(root, 'systemd-sysusers').status).toBe(0)
      const made = readFileSync(join(root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')
      expect(login(root, person, `127.0.0.1 ${made}`)).toEqual([0, 'rancher root'])
    })
  },
)

test.skipIf(skip)('the kernel of Debian 13 has no memory for cgroup v1, as the translation says', () => {
  const config = execFileSync('tar', ['-xOf', tree, '--wildcards', './boot/config-*'], { encoding: 'utf8' })
  expect(config).toContain('\n# CONFIG_MEMCG_V1 is not set\n')
  expect(config).toContain('\n# CONFIG_CPUSETS_V1 is not set\n')
})

/** Status and names of the user and of the one that sudo makes of it, over SSH with a pinned host key. */
function login(root: string, { secret }: KeyPair, knownHosts: string): [number | null, string] {
  writeFileSync(join(root, 'tmp/person'), secret, { mode: 0o600 })
  writeFileSync(join(root, 'tmp/known_hosts'), knownHosts)
  const options = '-F none -i /tmp/person -o BatchMode=yes -o UserKnownHostsFile=/tmp/known_hosts'
  const ssh = `ssh ${options} rancher@127.0.0.1 'echo $(id -un; sudo -n id -un)' 2>/dev/null`
  const { status, text } = inTree(root, `ip link set lo up && /usr/sbin/sshd && ${ssh}`)
  return [status, text.trim()]
}

/** What systemd-networkd says about files of ours; it reads them all when it starts. */
function complaints(root: string): string {
  const daemon =
    'SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=warning timeout -k 1 2 /usr/lib/systemd/systemd-networkd'
  return inTree(root, `${daemon} 2>&1 | grep ^/etc/systemd/network`).text
}

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translator } from '../../../translators/alpine/index.ts'
import { goldenNode } from '../../support/golden-node.ts'
import {
  answers,
  archive,
  ash,
  depend,
  entriesOfOverlay,
  missingAlpineTools,
  openRcScripts,
  portFacts,
} from '../../support/alpine-judges.ts'
import { goldenFolder, judge, missingTools, rootWith, shellcheckAll } from '../../support/judges.ts'
import { ask, askAll } from '../../support/questions.ts'
import { requirePart } from '../../support/require-part.ts'
import type { TarEntry } from '../../support/tar-listing.ts'

// The overlay for Alpine's installer, and what its scripts do. That Alpine's tools take every overlay shows matrix.test.ts; here
// each of them minds a mistake.

const skip = requirePart('VALIDATORS', missingAlpineTools() ?? missingTools(['shellcheck'], 'shellcheck'))
const overlayFile = 'k3os.apkovl.tar.gz'
const tools = templateTools()

function overlay(name: string): Uint8Array {
  const { files } = translateNode(goldenNode(goldenFolder(name)), translator, tools)
  const content = files.find((file) => file.path === overlayFile)?.content
  if (!(content instanceof Uint8Array)) throw new TypeError('there is no overlay')
  return content
}

const entriesOf = (name: string) => entriesOfOverlay(overlay(name))

const text = (entries: readonly TarEntry[], path: string): string =>
  entries.find((entry) => entry.path === path)?.content.toString('utf8') ?? ''

describe.skipIf(skip)('ifupdown-ng reads', () => {
  it('addresses as they are meant', () => {
    const { medium } = entriesOf('static-two-ports')
    const facts = portFacts(text(medium, 'etc/network/interfaces'), 'eth0', 'eth1')
    expect(facts.filter((line) => /^(?:address|gateway)/.test(line))).toEqual([
      'address 192.168.1.10/24',
      'gateway 192.168.1.1',
      'address 10.9.0.10/24',
      'address 2001:db8:9::10/64',
      'gateway 2001:db8:9::1',
    ])
  })
})

describe.skipIf(skip)('ports get their names by MAC', () => {
  const script = skip ? '' : text(entriesOf('static-two-ports').medium, 'etc/k3os-migrate/net-names.sh')

  it('also when each has the name of another', () => {
    expect(
      renamed(script, { eth1: '52:54:00:aa:bb:01', eth0: '52:54:00:aa:bb:02', eth2: '52:54:00:aa:bb:03' }),
    ).toEqual({
      eth0: '52:54:00:aa:bb:01',
      eth1: '52:54:00:aa:bb:02',
      eth2: '52:54:00:aa:bb:03',
    })
  })

  it('takes a name from a port that nobody configured', () => {
    expect(renamed(script, { eth0: '02:00:00:00:00:99', eth1: '52:54:00:aa:bb:01' })).toEqual({
      other1: '02:00:00:00:00:99',
      eth0: '52:54:00:aa:bb:01',
    })
  })

  it('leaves names that are right', () => {
    expect(renamed(script, { eth0: '52:54:00:aa:bb:01' })).toEqual({ eth0: '52:54:00:aa:bb:01' })
  })
})

describe.skipIf(skip)('the disk', () => {
  const installer = (name: string) => text(entriesOf(name).medium, 'etc/local.d/k3os-migrate-install.start')

  it('is found by its serial number, whatever its name', () => {
    const disks = { nvme0n1: { serial: 'OTHER', size: 1 }, nvme1n1: { serial: 'PHKA0123450001  ', size: 1 } }
    expect(found(installer('etcd-server-2-of-3'), disks)).toBe('/dev/nvme1n1')
  })

  it('is found by name and size where it has no serial number', () => {
    expect(found(installer('own-cni'), { vda: { size: 81920 }, vdb: { size: 81920 } })).toBe('/dev/vda')
    expect(found(installer('own-cni'), { vda: { size: 81919 } })).toBe('')
  })

  it('is none when nothing is known', () => {
    expect(found(installer('wifi'), { sda: { serial: 'A', size: 100 } })).toBe('')
  })
})

describe.skipIf(skip)('installing', () => {
  it('erases the disk last, when everything is in place and no secret is left', () => {
    const { status, calls, left } = install('etcd-server-2-of-3')
    expect(status).toBe(0)
    expect(calls.map((call) => call.split(' ', 1)[0])).toEqual([
      'setup-alpine',
      'chpasswd',
      'chpasswd',
      'tar',
      ...calls.filter((call) => call.startsWith('rc-update')).map(() => 'rc-update'),
      'lbu',
      'setup-disk',
      'reboot',
    ])
    expect(calls).toContain('rc-update add k3s default')
    expect(calls.find((call) => call.startsWith('setup-disk'))).toBe(
      'setup-disk -m sys -s 0 /dev/nvme0n1 ERASE_DISKS=/dev/nvme0n1',
    )
    expect(left).toEqual([])
  })

  it.each(['setup-alpine', 'chpasswd', 'tar', 'rc-update', 'lbu'])(
    'erases nothing when %s fails',
    (broken) => {
      const { status, calls } = install('etcd-server-2-of-3', broken)
      expect(status).not.toBe(0)
      expect(calls.filter((call) => /^(?:setup-disk|reboot)/.test(call))).toEqual([])
    },
  )
})

describe.skipIf(skip)("k3s's command", () => {
  it('comes out of two evaluations as it is meant', () => {
    const service = text(entriesOf('old-k3s-1.18').disk, 'etc/init.d/k3s')
    const words = `${/^command_args=.*$/m.exec(service)?.[0] ?? ''}\neval "set -- $command_args"\nprintf '%s\\n' "$@"`
    expect(judge('busybox', ['ash', '-eu'], words).said.trimEnd().split('\n')).toEqual([
      'server',
      '--token-file=/etc/rancher/k3s/token',
      '--no-deploy=traefik',
      '--selinux=true',
      '--docker=true',
      '--kubelet-arg=eviction-hard=memory.available<5%,$x',
      '--node-label=100%=a b',
      '--node-taint=c=d:NoSchedule',
    ])
  })
})

describe.skipIf(skip)('sudo by doas', () => {
  it.each([
    [['-n', 'modprobe', 'iscsi_tcp'], '-n -u root env modprobe iscsi_tcp'],
    [['-u', 'rancher', 'A=b', 'id'], '-n -u rancher env A=b id'],
    [['-E', '--', 'ls', '-l'], '-n -u root env ls -l'],
  ])('%j', (args, expected) => {
    const sudo = text(entriesOf('longhorn-iscsi').disk, 'usr/local/bin/sudo')
    const root = rootWith([
      ['/bin/doas', '#!/bin/sh\necho "$*"\n'],
      ['/bin/sudo', sudo],
    ])
    expect(judge('env', [`PATH=${root}/bin:/usr/bin:/bin`, 'sudo', ...args])).toEqual({
      accepted: true,
      said: `${expected}\n`,
    })
  })
})

describe.skipIf(skip)('each check fails on a planted mistake', () => {
  const { medium, disk } = skip ? { medium: [], disk: [] } : entriesOf('static-two-ports')
  const service = text(disk, 'etc/init.d/k3s')

  it('busybox: a brace that is left open', () => {
    expect(ask(ash, service).accepted).toBe(true)
    expect(ask(ash, service.replace(/\}\s*$/, '')).accepted).toBe(false)
  })

  it('shellcheck: a variable without quotes', () => {
    const wrong = service.replace('return 1', 'rm $RC_SVCNAME')
    expect(shellcheckAll([service, wrong], 'sh', openRcScripts)).toMatchObject([
      { accepted: true },
      { accepted: false },
    ])
  })

  it('OpenRC: a word that it does not know', () => {
    expect(ask(depend, service).accepted).toBe(true)
    expect(ask(depend, service.replace('want cgroups', 'wants cgroups')).accepted).toBe(false)
  })

  it('a shell: answers with a quote left open', () => {
    const right = text(medium, 'etc/k3os-migrate/answers')
    expect(ask(answers, right).accepted).toBe(true)
    expect(ask(answers, `${right}X='`).accepted).toBe(false)
  })

  it('a shell: answers with a name that the installer does not take', () => {
    const right = text(medium, 'etc/k3os-migrate/answers')
    expect(ask(answers, right.replace(/^HOSTNAMEOPTS=.*$/m, "HOSTNAMEOPTS='größe'")).accepted).toBe(false)
  })

  it('ifquery: a line of another file, and an address that is none', () => {
    const right = text(medium, 'etc/network/interfaces')
    expect(portFacts(right, 'eth1')).toContain('address 10.9.0.10/24')
    const wrong = right.replace('address 10.9.0.10/24', 'adress 10.9.0.10/24')
    expect(portFacts(wrong, 'eth1')).not.toContain('address 10.9.0.10/24')
  })

  it('tar: a byte that is another', () => {
    const broken = Buffer.from(overlay('static-two-ports'))
    broken.writeUInt8(broken.readUInt8(200) ^ 0xff, 200)
    const [verdict] = askAll([{ judge: archive, subject: new Map([['/', broken]]) }])
    expect(verdict?.accepted).toBe(false)
  })
})

/** Runs the script on a made-up /sys/class/net; ports by name, with their MACs. */
function renamed(script: string, ports: Readonly<Record<string, string>>): Record<string, string> {
  const root = rootWith([
    [
      '/bin/ip',
      // ip link set PORT down | ip link set PORT name NAME
      '#!/bin/sh\nset -eu\n[ "$4" = name ] || exit 0\n[ ! -e "$NET/$5" ]\nmv "$NET/$3" "$NET/$5"\n',
    ],
    ...Object.entries(ports).flatMap(([name, mac]) => [
      [`/net/${name}/address`, `${mac}\n`] as const,
      [`/net/${name}/device`, ''] as const,
    ]),
    // The ends of pods' cables have no device.
    ['/net/veth0/address', '52:54:00:aa:bb:01\n'],
  ])
  // Not busybox: its shell would take its own `ip`, and this machine's ports.
  const { status, stderr } = spawnSync('sh', ['-s'], {
    input: script.replaceAll('/sys/class/net', '$NET'),
    env: { NET: join(root, 'net'), PATH: `${root}/bin:/usr/bin:/bin` },
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return Object.fromEntries(
    readdirSync(join(root, 'net'))
      .filter((name) => existsSync(join(root, 'net', name, 'device')))
      .map((name) => [name, readFileSync(join(root, 'net', name, 'address'), 'utf8').trim()]),
  )
}

/** The disk that the installation script chooses on a machine with these. Sizes in MiB. */
function found(
  script: string,
  disks: Readonly<Record<string, { readonly serial?: string; readonly size: number }>>,
): string {
  const root = rootWith([])
  for (const [name, { serial, size }] of Object.entries(disks)) {
    mkdirSync(join(root, 'block', name), { recursive: true })
    mkdirSync(join(root, 'devices', name), { recursive: true })
    symlinkSync(join(root, 'devices', name), join(root, 'block', name, 'device'))
    writeFileSync(join(root, 'block', name, 'size'), `${size * 2048}\n`)
    if (serial !== undefined) writeFileSync(join(root, 'devices', name, 'serial'), `${serial}\n`)
  }
  const only = script.replace(/^main "\$@"$/m, 'find_disk').replaceAll('/sys/block', '$BLOCK')
  const { stdout } = spawnSync('sh', ['-s'], {
    input: only,
    env: { BLOCK: join(root, 'block'), PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  })
  return stdout.trim()
}

/** Runs the installation script against a folder, with stand-ins that write down how they were called. */
function install(
  name: string,
  broken?: string,
): { status: number | null; calls: readonly string[]; left: readonly string[] } {
  const { medium } = entriesOf(name)
  const root = rootWith([
    ['/called', ''],
    ['/etc/rc.conf', ''],
    ['/dev/console', ''],
    ...medium
      .filter(({ kind }) => kind === 'file')
      .map(({ path, content }) => [`/${path}`, content] as const),
    ...['setup-alpine', 'setup-disk', 'chpasswd', 'tar', 'rc-update', 'lbu', 'reboot', 'chown'].map(
      (program) =>
        [
          `/bin/${program}`,
          `#!/bin/sh\n[ ${program} = chown ] || echo "${program} $*\${ERASE_DISKS:+ ERASE_DISKS=$ERASE_DISKS}" >>"$ROOT/called"\n[ ${program} != "${broken ?? ''}" ]\n`,
        ] as const,
    ),
  ])
  const script = text(medium, 'etc/local.d/k3os-migrate-install.start')
    .replaceAll(/(?<=[ <>=])\/(?=etc|home)/g, '$ROOT/')
    .replace('tee /dev/console', 'cat')
    .replace('[ -b "$disk" ]', '[ -n "$disk" ]')
  const { status } = spawnSync('sh', ['-s', '--', '/dev/nvme0n1'], {
    input: script,
    env: { ROOT: root, PATH: `${root}/bin:/usr/bin:/bin` },
    encoding: 'utf8',
  })
  const secrets = ['answers', 'password', 'root.tar'].map((file) => `${root}/etc/k3os-migrate/${file}`)
  return {
    status,
    calls: readFileSync(join(root, 'called'), 'utf8').trimEnd().split('\n'),
    left: [...secrets, `${root}/etc/local.d/k3os-migrate-install.start`].filter((file) => existsSync(file)),
  }
}

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Bundle, formatBundle, parseBundle } from '../../../src/core/bundle.ts'
import { probes, usagePaths, usageProbe } from '../../../src/core/facts/probes.ts'
import { nodeFacts } from '../../../src/core/facts.ts'
import { type NodeFacts, nodeFactsSchema } from '../../../src/core/inventory.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'

const collectedAt = { epochSeconds: 1_700_000_000 }
type Changes = Parameters<typeof k3osNode>[0]

function factsOf(changes?: Changes): NodeFacts {
  return nodeFacts(bundleOf(k3osNode(changes)), collectedAt)
}

const empty: Bundle = {
  files: new Map(),
  links: new Map(),
  dirs: new Map(),
  seen: new Map(),
  commands: new Map(),
  absent: new Set(),
  errors: new Map(),
}

test('a small server is read completely', () => {
  const { cpu, sshHostKeys, ...facts } = factsOf()
  expect(facts).toEqual({
    hostname: 'n1',
    os: { id: 'k3os', version: 'v0.21.5-k3s2r1', prettyName: 'k3OS v0.21.5-k3s2r1' },
    kernel: '5.4.0-88-generic',
    machine: 'x86_64',
    mode: 'local',
    install: 'disk',
    firmware: 'bios',
    components: {
      k3os: { current: 'v0.21.5-k3s2r1', previous: 'v0.20.7-k3s1r0' },
      k3s: { current: 'v1.21.5+k3s2', previous: null },
      kernel: { current: '5.4.0-88-generic', previous: null },
    },
    installed: { k3os: ['v0.21.5-k3s2r1'], k3s: ['v1.21.5+k3s2'], kernel: ['5.4.0-88-generic'] },
    markers: [],
    ownConfiguration: 'merged',
    boot: {
      menu: {
        defaultEntry: '0',
        timeoutSeconds: 10,
        readsEnvironment: false,
        entries: [
          {
            title: 'k3OS Current',
            loads: 'current',
            kernel: '(loop0)/vmlinuz',
            image: '/k3os/system/kernel/current/kernel.squashfs',
            initrd: '/k3os/system/kernel/current/initrd',
            consoles: ['tty1'],
          },
          {
            title: 'k3OS Previous',
            loads: 'previous',
            kernel: '(loop0)/vmlinuz',
            image: '/k3os/system/kernel/previous/kernel.squashfs',
            initrd: '/k3os/system/kernel/previous/initrd',
            consoles: ['tty1'],
          },
        ],
      },
      previous: 'nothing',
      canKexec: true,
    },
    memoryMib: 2000,
    boardModel: 'Small Machines Box 1',
    systemUuid: '4c4c4544-0000-1111-2222-333333333333',
    bootId: '11111111-aaaa-bbbb-cccc-222222222222',
    machineId: 'd41d8cd98f00b204e9800998ecf8427e',
    cgroup: 'v1',
    disks: [
      {
        name: 'sda',
        sizeMib: 61_057,
        model: 'SSD 64G',
        serial: 'S123',
        transport: 'sata',
        partitions: [
          {
            name: 'sda1',
            sizeMib: 61_056,
            fsType: 'ext4',
            label: 'K3OS_STATE',
            uuid: 'aaaa-bbbb',
            mountpoint: '/boot',
          },
        ],
      },
    ],
    storage: {
      state: { device: '/dev/sda1', kind: 'partition' },
      raids: [],
      volumeGroups: [],
      logicalVolumes: [],
      extraMounts: [],
    },
    state: { totalMib: 59_570, freeMib: 40_000 },
    interfaces: [
      {
        name: 'eth0',
        mac: '52:54:00:00:00:01',
        state: 'UP',
        addresses: ['192.168.1.10/24'],
        driver: 'e1000e',
        wireless: false,
      },
    ],
    defaultGateways: [{ via: '192.168.1.1', device: 'eth0' }],
    nameservers: ['192.168.1.1', '9.9.9.9'],
    k3s: { version: 'v1.21.5+k3s2', role: 'server', datastore: 'sqlite', hasNodePassword: true },
    service: {
      arguments: ['server', '--node-label', 'k3os.io/mode=local'],
      environment: [
        { file: '/etc/environment', name: 'K3S_KUBECONFIG_MODE', value: '0644' },
        { file: '/etc/environment', name: 'HTTP_PROXY', value: 'http://********@proxy:3128' },
        { file: '/etc/rancher/k3s/k3s-service.env', name: 'K3S_TOKEN', value: '********' },
      ],
      token: 'short',
      manifests: ['system-upgrade-plans/k3os-latest.yaml', 'traefik.yaml'],
      manifestObjects: [],
      charts: ['traefik-1.81.0.tgz'],
      images: [],
      logBytes: 8,
    },
    certificates: [
      {
        path: '/var/lib/rancher/k3s/server/tls/server-ca.crt',
        subject: 'k3s-server-ca@1600000000',
        issuer: 'k3s-server-ca@1600000000',
        // As `openssl x509 -noout -dates` prints them.
        notBefore: '2026-11-24T07:29:08Z',
        notAfter: '2036-11-21T07:29:08Z',
      },
    ],
    devices: {
      pci: [{ slot: '0000:00:1f.6', id: '8086:15b8', class: '020000', driver: 'e1000e' }],
      usb: [{ port: '1-1', id: '046d:c52b' }],
    },
    modules: ['br_netfilter', 'overlay'],
    usage: {
      '/var/lib/rancher/k3s/server/db': 4096,
      '/var/lib/rancher/k3s/storage': 1_048_576,
      '/var/log': 8192,
      '/home': 8192,
    },
    localVolumes: [
      {
        path: '/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data',
        bytes: 1_044_480,
      },
    ],
    clockOffsetSeconds: 10,
    failures: [],
  })
  expect(cpu).toMatchObject({ model: 'Intel(R) Atom(TM) CPU', cores: 2, x86Level: 2 })
  expect(sshHostKeys).toEqual([
    {
      type: 'ssh-ed25519',
      // As `ssh-keygen -lf` prints it for this key.
      sha256: 'SHA256:qZMRpPJPH822LM6KZZ58r/F/flVHzibKndRoQ/D28+M',
      publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICq/HIzukGEITFC7XU4TPNwp0n+wx/QrgVPGsRUxNccE',
    },
  ])
})

test('facts fit the published schema and hold no secret', () => {
  const facts = factsOf()
  expect(nodeFactsSchema.parse(facts)).toEqual(facts)
  for (const canary of Object.values(canaries)) expect(JSON.stringify(facts)).not.toContain(canary)
})

test('facts survive the archive', () => {
  const bundle = bundleOf(k3osNode())
  const archived = parseBundle(new TextEncoder().encode(formatBundle(bundle)), 'n1.bundle')
  expect(nodeFacts(archived, collectedAt)).toEqual(nodeFacts(bundle, collectedAt))
})

describe('no evidence is never "none"', () => {
  test('of a bundle that says nothing, everything is unknown and in the failures', () => {
    const facts = nodeFacts(empty)
    expect(facts).toMatchObject({
      hostname: null,
      kernel: null,
      mode: null,
      install: 'unknown',
      firmware: 'unknown',
      cgroup: 'unknown',
      memoryMib: null,
      clockOffsetSeconds: null,
      state: { totalMib: null, freeMib: null },
      k3s: { version: null, role: 'unknown', datastore: 'unknown', hasNodePassword: null },
    })
    const what = facts.failures.map((failure) => failure.what)
    for (const path of [
      '/etc/os-release',
      '/run/k3os/mode',
      '/k3os/system/ephemeral',
      '/var/lib/rancher/k3s/storage',
      '/proc/mounts',
      '/etc/resolv.conf',
      probes.disks,
      probes.addressesText,
      'SSH host keys',
    ])
      expect(what).toContain(path)
  })

  test('a refused directory makes what lies below it unknown', () => {
    const bundle = bundleOf(k3osNode({ files: { '/var/lib/rancher/k3s/server/db/state.db': undefined } }))
    const refused = new Map([['/var/lib/rancher/k3s/server', 'permission denied']])
    const facts = nodeFacts({ ...bundle, errors: refused }, collectedAt)
    expect(facts.k3s.datastore).toBe('unknown')
    expect(facts.failures).toContainEqual({
      what: '/var/lib/rancher/k3s/server/db/etcd/member/wal',
      reason: 'permission denied',
    })
  })

  test('a command that did not end in time is a failure', () => {
    const bundle = bundleOf(k3osNode())
    const commands = new Map([...bundle.commands, [probes.disks, { exit: 143, text: '' }]])
    const facts = nodeFacts({ ...bundle, commands }, collectedAt)
    expect(facts.disks).toEqual([])
    expect(facts.install).toBe('unknown')
    expect(facts.failures).toEqual([{ what: probes.disks, reason: 'it did not end within its time' }])
  })

  test('an answer of an unknown form is a failure', () => {
    const facts = factsOf({ commands: { [probes.disks]: '{"blockdevices": [{"name": 1}]}' } })
    expect(facts.failures).toEqual([{ what: probes.disks, reason: 'the answer has an unknown form' }])
  })

  test('a volume whose size is not known is still listed', () => {
    const volume = '/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data'
    const facts = factsOf({ commands: { [usageProbe(volume)]: undefined } })
    expect(facts.localVolumes).toEqual([{ path: volume, bytes: null }])
    expect(facts.failures).toEqual([{ what: usageProbe(volume), reason: 'it was not run' }])
  })
})

describe('emptyDir volumes', () => {
  const below = '/var/lib/kubelet/pods/0a1b/volumes/kubernetes.io~empty-dir'
  const bundle = bundleOf(k3osNode())
  const owner = { mode: 0o777, owner: '0:0' }
  const dirs = new Map([...bundle.dirs, [`${below}/uploads`, owner], [`${below}/cache`, owner]])
  const commands = new Map([
    ...bundle.commands,
    [usageProbe('/var/lib/kubelet'), { exit: 0, text: '204900\t/var/lib/kubelet\n' }],
    [usageProbe(`${below}/uploads`), { exit: 0, text: `204800\t${below}/uploads\n` }],
  ])

  test('are measured one by one', () => {
    expect(nodeFacts({ ...bundle, dirs, commands }, collectedAt).usage).toMatchObject({
      [`${below}/uploads`]: 209_715_200,
    })
  })

  test('that were not measured are one failure, and no number', () => {
    const facts = nodeFacts({ ...bundle, dirs, commands }, collectedAt)
    expect(facts.failures).toEqual([{ what: 'du of emptyDir volumes', reason: '1 of 2 were not measured' }])
    expect(facts.usage).not.toHaveProperty([`${below}/cache`])
  })
})

describe('manifests of a server', () => {
  const at = (file: string) => `/var/lib/rancher/k3s/server/manifests/${file}`
  const budget = 'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n'

  test('tell which versions they name; skipped ones are not applied', () => {
    const files = {
      [at('web.yaml')]: budget,
      [at('old.yaml')]: budget,
      [at('old.yaml.skip')]: '',
      [at('notes.txt')]: budget,
    }
    expect(factsOf({ files }).service.manifestObjects).toEqual([
      {
        file: 'web.yaml',
        apiVersion: 'policy/v1beta1',
        kind: 'PodDisruptionBudget',
        namespace: null,
        name: 'web',
      },
    ])
  })

  test('that are no YAML are a failure', () => {
    const facts = factsOf({ files: { [at('web.yaml')]: 'a: [b' } })
    expect(facts.failures).toEqual([{ what: at('web.yaml'), reason: 'it is not YAML that can be read' }])
  })
})

describe('role and datastore', () => {
  const service = (words: string): string => `command="/sbin/k3s"\ncommand_args="${words} \\\n"\n`
  test.each<[string, Changes, string, string]>([
    ['agent', { files: { '/etc/init.d/k3s-service': service('agent') } }, 'agent', 'none'],
    ['no service', { files: { '/etc/init.d/k3s-service': undefined } }, 'none', 'none'],
    [
      'quoted word',
      { files: { '/etc/init.d/k3s-service': 'command_args="\\\n    \'server\' \\\n"\n' } },
      'server',
      'sqlite',
    ],
    [
      'etcd, although the old sqlite file is still there',
      { files: { '/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal': 'x' } },
      'server',
      'etcd',
    ],
    [
      'endpoint as argument',
      {
        files: {
          '/etc/init.d/k3s-service': service(
            `server \\\n '--datastore-endpoint=mysql://u:${canaries.endpoint}@db/k3s'`,
          ),
        },
      },
      'server',
      'external',
    ],
    [
      'endpoint in the environment',
      { files: { '/etc/rancher/k3s/k3s-service.env': `K3S_DATASTORE_ENDPOINT='postgres://x'\n` } },
      'server',
      'external',
    ],
    [
      'endpoint in the file of k3s',
      { files: { '/etc/rancher/k3s/config.yaml': 'datastore-endpoint: "mysql://x"\n' } },
      'server',
      'external',
    ],
    [
      'an empty endpoint is none',
      { files: { '/etc/environment': 'K3S_DATASTORE_ENDPOINT=""\n' } },
      'server',
      'sqlite',
    ],
    ['dqlite', { files: { '/var/lib/rancher/k3s/server/db/state.dqlite/x': 'x' } }, 'server', 'dqlite'],
    [
      'a server without any sign',
      { files: { '/var/lib/rancher/k3s/server/db/state.db': undefined } },
      'server',
      'unknown',
    ],
  ])('%s', (_name, changes, role, datastore) => {
    expect(factsOf(changes).k3s).toMatchObject({ role, datastore })
  })
})

describe('install and firmware', () => {
  const noLabel = JSON.stringify({
    blockdevices: [
      {
        name: 'mmcblk0',
        type: 'disk',
        size: '31914983424',
        children: [{ name: 'mmcblk0p2', type: 'part', size: '31000000000', fstype: 'ext4', label: 'rootfs' }],
      },
    ],
  })

  test('a board with a vendor system below is an overlay install and has no BIOS', () => {
    const facts = factsOf({
      files: {
        '/k3os/system/kernel/5.4.0-88-generic/kernel.squashfs': undefined,
        '/k3os/system/kernel/5.4.0-88-generic/initrd': undefined,
        '/sys/class/dmi/id/product_name': undefined,
        '/sys/firmware/devicetree/base/model': 'Raspberry Pi 4 Model B\0',
      },
      commands: { [probes.disks]: noLabel, [probes.machine]: 'aarch64\n' },
    })
    expect(facts).toMatchObject({
      install: 'overlay',
      firmware: 'unknown',
      boardModel: 'Raspberry Pi 4 Model B',
    })
    expect(facts.disks[0]).toMatchObject({ name: 'mmcblk0', sizeMib: 30_436, transport: 'mmc' })
  })

  test('the label of a partition is taken from blkid when lsblk does not know it', () => {
    const facts = factsOf({
      commands: {
        [probes.disks]: noLabel.replace('"rootfs"', 'null'),
        [probes.blockIds]: '/dev/mmcblk0p2: LABEL="K3OS_STATE" UUID="1-2" TYPE="ext4"\n',
      },
    })
    expect(facts.disks[0]?.partitions[0]).toMatchObject({ label: 'K3OS_STATE', uuid: '1-2', fsType: 'ext4' })
    expect(facts.install).toBe('disk')
  })

  test('a system in RAM is live, whatever disks it has', () => {
    expect(factsOf({ files: { '/run/k3os/mode': 'live\n' } }).install).toBe('live')
  })

  test('EFI variables tell UEFI', () => {
    expect(factsOf({ files: { '/sys/firmware/efi/fw_platform_size': '64\n' } }).firmware).toBe('uefi')
  })

  test('marker files that destroy data are named', () => {
    const files = { '/k3os/system/ephemeral': '', '/k3os/system/takeover': '' }
    expect(factsOf({ files }).markers).toEqual(['takeover', 'ephemeral'])
  })
})

describe('a network without JSON', () => {
  const commands = {
    [probes.addresses]: undefined,
    [probes.routes]: undefined,
    [probes.routes6]: undefined,
    [probes.addressesText]: [
      '1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue state UNKNOWN',
      '    inet 127.0.0.1/8 scope host lo',
      '2: eth0: <BROADCAST,UP> mtu 1500 qdisc fq state UP qlen 1000',
      '    link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff',
      '    inet 192.168.1.10/24 brd 192.168.1.255 scope global eth0',
      '    inet6 fe80::1/64 scope link',
      '3: eth0.7@eth0: <BROADCAST,UP> mtu 1500 qdisc fq state UP qlen 1000',
      '    link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff',
      '    inet6 fd00::5/64 scope global dynamic',
      '',
    ].join('\n'),
  }
  const files = {
    '/proc/net/route': [
      'Iface\tDestination\tGateway\tFlags',
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      '',
    ].join('\n'),
    '/proc/net/ipv6_route': [
      `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 1 0 3 eth0`,
      `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 1 0 200200 lo`,
      '',
    ].join('\n'),
  }

  test('is read from the text of ip and the tables of the kernel', () => {
    const facts = factsOf({ commands, files })
    expect(facts.interfaces).toMatchObject([
      {
        name: 'eth0',
        mac: '52:54:00:00:00:01',
        state: 'UP',
        addresses: ['192.168.1.10/24'],
        driver: 'e1000e',
      },
      { name: 'eth0.7', state: 'UP', addresses: ['fd00::5/64'], driver: null },
    ])
    expect(facts.defaultGateways).toEqual([
      { via: '192.168.1.1', device: 'eth0' },
      { via: 'fe80::1', device: 'eth0' },
    ])
    expect(facts.failures).toEqual([])
  })

  test.each([
    ['fe800000000000000000000000000001', 'fe80::1'],
    ['fd000000000000000000000000000001', 'fd00::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
    ['fd000001000000000000000000000000', 'fd00:1::'],
  ])('%s is written %s', (hex, text) => {
    const table = `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${hex} 00000400 1 0 3 eth0\n`
    const facts = factsOf({ commands, files: { ...files, '/proc/net/ipv6_route': table } })
    expect(facts.defaultGateways[1]?.via).toBe(text)
  })
})

describe('x86-64 level', () => {
  const v2 = 'fpu cx8 cmov mmx fxsr sse sse2 syscall lm pni cx16 ssse3 sse4_1 sse4_2 popcnt lahf_lm'
  const v3 = `${v2} avx avx2 bmi1 bmi2 f16c fma abm movbe`
  test.each([
    [v2.replace(' ssse3', ''), 1],
    [v2, 2],
    [v3, 3],
    [v3.replace(' movbe', ''), 2],
    [`${v3} avx512f avx512bw avx512cd avx512dq avx512vl`, 4],
  ])('%s is %i', (flags, level) => {
    expect(factsOf({ files: { '/proc/cpuinfo': `processor : 0\nflags : ${flags}\n` } }).cpu.x86Level).toBe(
      level,
    )
  })

  test('is not asked of other architectures', () => {
    expect(factsOf({ commands: { [probes.machine]: 'aarch64\n' } }).cpu.x86Level).toBeNull()
  })
})

test('the collector runs every command that facts are read from', () => {
  const script = readFileSync(new URL('../../../templates/collector/collect.sh', import.meta.url), 'utf8')
  const lines = script.split('\n').map((line) => line.replace(/\s+/g, ' '))
  const asked = lines.map((line) => line.replace(/^or /, 'run '))
  for (const probe of Object.values(probes)) expect(asked).toContain(`run ${probe}`)
  for (const path of usagePaths) expect(lines).toContain(`used ${path}`)
})

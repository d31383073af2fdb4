import { describe, expect, test } from 'vitest'
import type { Bundle } from '../../../src/core/bundle.ts'
import { probes } from '../../../src/core/facts/probes.ts'
import { nodeFacts } from '../../../src/core/facts.ts'
import type { NodeFacts } from '../../../src/core/inventory.ts'
import { readCertificates } from '../../../src/core/x509.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'

type Changes = Parameters<typeof k3osNode>[0]

function factsOf(changes: Changes, more: Partial<Bundle> = {}): NodeFacts {
  return nodeFacts({ ...bundleOf(k3osNode(changes)), ...more }, { epochSeconds: 1_700_000_000 })
}

describe('the entry Previous', () => {
  const kernels = '/k3os/system/kernel'
  const installed = {
    links: { [`${kernels}/previous`]: '5.4.0-81-generic' },
    files: {
      [`${kernels}/5.4.0-81-generic/kernel.squashfs`]: 'squashfs',
      [`${kernels}/5.4.0-81-generic/initrd`]: 'cpio',
    },
  }
  const old = `set default=0
set timeout=10
menuentry "k3OS Previous" {
  search.fs_label K3OS_STATE root
  linux /k3os/system/kernel/previous/vmlinuz printk.devkmsg=on console=ttyS0 console=tty1
  initrd /k3os/system/kernel/previous/initrd
}
`
  const menu = (text: string | undefined) => ({ '/boot/grub/grub.cfg': text })
  test.each<[string, Changes, NodeFacts['boot']['previous']]>([
    ['boots the kernel before the last upgrade', installed, 'boots'],
    ['has nothing to boot before the first upgrade', {}, 'nothing'],
    [
      'of an old installer names a kernel that is never there',
      { ...installed, files: { ...installed.files, ...menu(old) } },
      'broken',
    ],
    [
      'whose image is gone',
      { ...installed, files: { [`${kernels}/5.4.0-81-generic/initrd`]: 'cpio' } },
      'broken',
    ],
    [
      'is not in a menu of another system',
      { files: menu('menuentry Other {\n linux /vmlinuz\n}\n') },
      'none',
    ],
    ['is not there without a menu (overlay install)', { files: menu(undefined) }, 'none'],
  ])('%s', (_what, changes, previous) => {
    expect(factsOf(changes).boot.previous).toBe(previous)
  })

  test('is unknown when the menu cannot be read', () => {
    const errors = new Map([['/boot/grub/grub.cfg', 'permission denied']])
    const facts = factsOf({ files: menu(undefined) }, { errors })
    expect(facts.boot).toMatchObject({ menu: null, previous: 'unknown' })
    expect(facts.failures).toEqual([{ what: '/boot/grub/grub.cfg', reason: 'permission denied' }])
  })

  test('secrets on the kernel command line stay in the bundle', () => {
    const facts = factsOf({
      files: menu(old.replace('console=tty1', `console=tty1 k3os.token=${canaries.token}`)),
    })
    expect(facts.boot.menu?.entries[0]?.consoles).toEqual(['ttyS0', 'tty1'])
    expect(JSON.stringify(facts)).not.toContain(canaries.token)
  })
})

test.each([
  ['0\n', true],
  ['1\n', false],
  [undefined, null],
])('kexec with kexec_load_disabled %j is %j', (disabled, can) => {
  const files = { '/proc/sys/kernel/kexec_load_disabled': disabled }
  expect(factsOf({ files }).boot.canKexec).toBe(can)
})

test('a kernel without kexec says so', () => {
  expect(factsOf({ files: { '/sys/kernel/kexec_loaded': undefined } }).boot.canKexec).toBe(false)
})

describe("k3OS's own word on the configuration", () => {
  const before08 = (text: string) => ({
    commands: { [probes.ownConfiguration]: undefined, 'ccapply --dump-json': text },
  })
  test.each<[string, Changes, NodeFacts['ownConfiguration']]>([
    ['a merged configuration', {}, 'merged'],
    [
      'nothing, with exit status 0, is a rejection',
      { commands: { [probes.ownConfiguration]: '' } },
      'rejected',
    ],
    ['ccapply before v0.8.0', before08('{"hostname":"n1"}'), 'merged'],
    ['ccapply that rejects', before08('\n'), 'rejected'],
  ])('%s', (_what, changes, expected) => {
    expect(factsOf(changes).ownConfiguration).toBe(expected)
  })

  test('is not believed when it was asked without root', () => {
    expect(factsOf({ commands: { [probes.userId]: '1000\n' } }).ownConfiguration).toBe('unknown')
  })

  test('nobody answering is a failure on k3OS and none elsewhere', () => {
    const silent = { [probes.ownConfiguration]: undefined }
    expect(factsOf({ commands: silent }).failures.map(({ what }) => what)).toEqual([probes.ownConfiguration])
    const debian = { '/etc/os-release': 'ID=debian\n' }
    expect(factsOf({ commands: silent, files: debian }).failures).toEqual([])
  })
})

describe('storage', () => {
  const mounts = (...lines: readonly string[]) => ({ '/proc/mounts': `${lines.join('\n')}\n` })
  const tree = (...blockdevices: readonly object[]) => JSON.stringify({ blockdevices })
  const lvm = tree({
    name: 'sda',
    type: 'disk',
    size: 1e11,
    children: [
      {
        name: 'sda2',
        type: 'part',
        size: 1e11,
        fstype: 'LVM2_member',
        children: [{ name: 'vg-state', type: 'lvm', size: 5e10, fstype: 'ext4', label: 'K3OS_STATE' }],
      },
    ],
  })

  test('STATE on a logical volume is a disk install, with its group', () => {
    const facts = factsOf({
      files: mounts('/dev/mapper/vg-state / ext4 rw 0 0'),
      commands: {
        [probes.disks]: lvm,
        [probes.volumeGroups]: '  vg|107374182400|53687091200\n',
        [probes.logicalVolumes]: '  vg|state|53687091200\n',
      },
    })
    expect(facts.install).toBe('disk')
    expect(facts.storage).toMatchObject({
      state: { device: '/dev/mapper/vg-state', kind: 'lvm' },
      volumeGroups: [{ name: 'vg', sizeMib: 102_400, freeMib: 51_200 }],
      logicalVolumes: [{ group: 'vg', name: 'state', sizeMib: 51_200 }],
    })
  })

  test('volumes without the tools that know about them are a failure', () => {
    const facts = factsOf({ commands: { [probes.disks]: lvm } })
    expect(facts.failures.map(({ what }) => what)).toEqual([probes.volumeGroups, probes.logicalVolumes])
  })

  test('no_format may take a whole disk', () => {
    const whole = tree({ name: 'sdb', type: 'disk', size: 1e10, fstype: 'ext4', label: 'K3OS_STATE' })
    const facts = factsOf({
      files: mounts('/dev/sdb / ext4 rw 0 0'),
      commands: { [probes.disks]: whole },
    })
    expect(facts).toMatchObject({ install: 'disk', storage: { state: { device: '/dev/sdb', kind: 'disk' } } })
  })

  test('a live system keeps its state in RAM', () => {
    const files = { ...mounts('rootfs / rootfs rw 0 0', 'tmpfs / tmpfs rw 0 0'), '/run/k3os/mode': 'live\n' }
    expect(factsOf({ files })).toMatchObject({ install: 'live', storage: { state: { kind: 'other' } } })
  })

  test('an array that lacks a member is degraded', () => {
    const files = {
      '/proc/mdstat': [
        'Personalities : [raid1]',
        'md0 : active raid1 sdb1[1] sda1[0]',
        '      1000 blocks super 1.2 [2/2] [UU]',
        '',
        'md1 : active raid1 sda2[0] sdb2[1](F)',
        '      1000 blocks super 1.2 [2/1] [U_]',
        '',
        'md2 : inactive sdc1[0](S)',
        '      1000 blocks super 1.2',
        '',
        'unused devices: <none>',
        '',
      ].join('\n'),
    }
    expect(factsOf({ files }).storage.raids).toEqual([
      { name: 'md0', level: 'raid1', members: ['sdb1', 'sda1'], degraded: false },
      { name: 'md1', level: 'raid1', members: ['sda2', 'sdb2'], degraded: true },
      { name: 'md2', level: null, members: ['sdc1'], degraded: true },
    ])
  })

  test('mounts of other disks and of the network, and none of those that pods brought', () => {
    const files = mounts(
      '/dev/sda1 / ext4 rw 0 0',
      '/dev/sda1 /boot ext4 rw 0 0',
      '/dev/loop0 /usr squashfs ro 0 0',
      '/dev/sdb1 /mnt/big\\040disk xfs ro,noatime 0 0',
      'nas:/export /data nfs4 rw,hard 0 0',
      '//u:CANARY@nas/share /share cifs rw 0 0',
      '/dev/sdc /var/lib/kubelet/pods/1/volumes/kubernetes.io~csi/pvc-1/mount ext4 rw 0 0',
      'overlay /run/k3s/containerd/x/rootfs overlay rw 0 0',
    )
    expect(factsOf({ files }).storage.extraMounts).toEqual([
      { device: '/dev/sdb1', path: '/mnt/big disk', fsType: 'xfs', readOnly: true, network: false },
      { device: 'nas:/export', path: '/data', fsType: 'nfs4', readOnly: false, network: true },
      { device: '//…@nas/share', path: '/share', fsType: 'cifs', readOnly: false, network: true },
    ])
  })
})

describe('how k3s is started', () => {
  const service = (text: string) => ({ '/etc/init.d/k3s-service': text })

  test('words are read as the shell of the service reads them, secrets masked', () => {
    const facts = factsOf({
      files: service(
        [
          'command_args="server \\',
          `\t'--token' \\\n\t'${canaries.token}' \\`,
          `\t'--datastore-endpoint=mysql://u:${canaries.endpoint}@db/k3s' \\`,
          `\t'--tls-san' \\\n\t'it'\\''s' \\`,
          '\t\'--kube-apiserver-arg=a=\\"b c\\"\' \\',
          '    >>/var/log/k3s-service.log 2>&1"',
          '',
        ].join('\n'),
      ),
    })
    expect(facts.service.arguments).toEqual([
      'server',
      '--token',
      '********',
      '--datastore-endpoint=********',
      '--tls-san',
      "it's",
      '--kube-apiserver-arg=a="b c"',
    ])
  })

  const secure = `K10${'a'.repeat(64)}::server:x`
  test.each<[string, Changes, NodeFacts['service']['token']]>([
    [
      'a flag before all',
      { files: service(`command_args="server \\\n '--token=${secure}' \\\n"`) },
      'secure',
    ],
    ['the file of k3s', { files: { '/etc/rancher/k3s/config.yaml': `token: ${secure}\n` } }, 'short'],
    [
      'the server’s own',
      {
        files: {
          '/etc/rancher/k3s/k3s-service.env': undefined,
          '/var/lib/rancher/k3s/server/token': `${secure}\n`,
        },
      },
      'secure',
    ],
    [
      'a bootstrap token',
      { files: { '/etc/rancher/k3s/k3s-service.env': "K3S_TOKEN='abcdef.0123456789abcdef'\n" } },
      'bootstrap',
    ],
    [
      'an agent that does not say',
      { files: { ...service('command_args="agent \\\n"'), '/etc/rancher/k3s/k3s-service.env': undefined } },
      'unknown',
    ],
    ['a machine without k3s', { files: { '/etc/init.d/k3s-service': undefined } }, 'none'],
  ])('the kind of its token: %s', (_what, changes, kind) => {
    expect(factsOf(changes).service.token).toBe(kind)
  })

  test('a service of another form is a failure', () => {
    const facts = factsOf({ files: service('command_args=$ARGS\n') })
    expect(facts.service.arguments).toBeNull()
    expect(facts.failures.map(({ what }) => what)).toContain('/etc/init.d/k3s-service: command_args')
  })
})

describe('certificates', () => {
  test('one that cannot be read is a failure', () => {
    const path = '/var/lib/rancher/k3s/server/tls/client-kubelet.crt'
    const facts = factsOf({
      files: { [path]: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    })
    expect(facts.certificates.map((certificate) => certificate.path)).not.toContain(path)
    expect(facts.failures).toEqual([{ what: path, reason: 'it is not a certificate that can be read' }])
  })

  test.each([
    ['no PEM', 'certificate'],
    ['an empty one', '-----BEGIN CERTIFICATE----------END CERTIFICATE-----'],
    ['a length beyond its end', '-----BEGIN CERTIFICATE-----\nMIT/////AA==\n-----END CERTIFICATE-----'],
  ])('%s is none', (_what, text) => {
    expect(readCertificates(text)).toBeUndefined()
  })
})

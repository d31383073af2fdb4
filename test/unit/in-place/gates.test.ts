import { describe, expect, test } from 'vitest'
import { treeLacks, inPlaceGates } from '../../../src/core/in-place/gates.ts'
import { readLook } from '../../../src/core/in-place/look.ts'

const answer = `mode=local
device=/dev/sda1
uuid=0b1e6c9e-7a11-4f0b-8f5e-2f7c5b0a9d10
features=has_journal ext_attr
fsState=clean
fsErrors=
stateLabels=1
kilobytes=6291456 5242880
inodes=400000 390000
memoryKilobytes=1008640
epoch=1700000000
platform=i386-pc
grubenv=1024 8
etcd=
cgroupV1=yes
debugfs=yes
network=eth0 192.0.2.15/24
network=default via 192.0.2.1
directory=/home
directory=/var/lib/rancher
`
const menu = `set default=0
set timeout=10
menuentry "k3OS Current" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/current/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz console=tty1
  initrd /k3os/system/kernel/current/initrd
}
`
const around = {
  node: 'n1',
  menu,
  tree: { mib: 600, files: 20_000, cgroupV1: false },
  k3sVersion: 'v1.21.5+k3s2',
  now: 1_700_000_030,
}
const rulesOf = (text: string, changes: Partial<typeof around> = {}): string[] =>
  inPlaceGates(readLook(text, 'n1'), { ...around, ...changes }).map(({ rule }) => rule)

describe('gates of a move in place', () => {
  test('let a node through that is as k3OS left it', () => {
    expect(rulesOf(answer)).toEqual([])
  })

  test('PRE-INPLACE-MENU stops it when somebody has changed the boot menu', () => {
    const changed = menu.replace('menuentry', 'set superusers=root\nmenuentry')
    expect(rulesOf(answer, { menu: changed })).toEqual(['PRE-INPLACE-MENU'])
  })

  test.each([
    ['v1.20.4+k3s1', false, []],
    ['v1.20.2+k3s1', false, ['PRE-INPLACE-CGROUP']],
    ['v1.20.2+k3s1', true, []],
    ['not known', false, ['PRE-INPLACE-CGROUP']],
  ])('with k3s %s on a kernel with cgroup v1 %s: %j', (k3sVersion, cgroupV1, rules) => {
    expect(rulesOf(answer, { k3sVersion, tree: { mib: 600, files: 20_000, cgroupV1 } })).toEqual(rules)
  })

  test.each([
    ['PRE-INPLACE-INSTALL', 'mode=local', 'mode=live'],
    ['PRE-INPLACE-INSTALL', 'device=/dev/sda1', 'device='],
    ['PRE-INPLACE-MODULES', 'platform=i386-pc', 'platform=i386-pc\nmissingModule=loadenv'],
    ['PRE-INPLACE-LABEL', 'stateLabels=1', 'stateLabels=2'],
    ['PRE-INPLACE-SPACE', '6291456 5242880', '6291456 1048576'],
    ['PRE-INPLACE-SPACE', '400000 390000', '400000 70000'],
    ['PRE-INPLACE-ERRORS', 'fsState=clean', 'fsState=clean with errors'],
    ['PRE-INPLACE-ERRORS', 'fsErrors=', 'fsErrors=2'],
    ['PRE-INPLACE-MEMORY', '=1008640', '=250000'],
    ['PRE-INPLACE-MARKER', 'etcd=', 'marker=takeover\netcd='],
    ['PRE-INPLACE-ETCD', 'etcd=', 'etcd=yes'],
    ['PRE-INPLACE-DISKS', 'etcd=', 'assembled=/dev/mapper/vg-data\netcd='],
    ['PRE-INPLACE-NETWORK', 'network=default via 192.0.2.1\n', ''],
    ['PRE-INPLACE-CLOCK', 'epoch=1700000000', 'epoch=1699990000'],
  ])('%s stops it when "%s" is "%s"', (rule, was, is) => {
    expect(answer).toContain(was)
    expect(rulesOf(answer.replace(was, is))).toEqual([rule])
  })

  test('name the foreign lines of a menu', () => {
    const [found] = inPlaceGates(readLook(answer, 'n1'), { ...around, menu: `${menu}set default=2\n` })
    expect(found?.diagnosis).toBe('line 11: "set default=2": stands behind the entries')
  })

  test('take disks that a command mounted by their UUID, and want one', () => {
    const [disk] = readLook(`${answer}disk=0b1e-7a11 ext4 rw /mnt/big disk\n`, 'n1').disks
    expect(disk).toEqual({ uuid: '0b1e-7a11', fsType: 'ext4', readOnly: false, path: '/mnt/big disk' })
    expect(() => readLook(`${answer}disk= ext4 rw /mnt\n`, 'n1')).toThrow('UUID of the disk at /mnt')
  })

  test.each(['uuid', 'fsState', 'kilobytes', 'stateLabels', 'etcd', 'grubenv'])(
    'ask again when %s was not said',
    (name) => {
      const silent = answer.replace(new RegExp(`^${name}=.*\n`, 'm'), '')
      expect(() => readLook(silent, 'n1')).toThrow(`did not say its ${name}`)
    },
  )
})

describe('what the root tree lacks for a machine', () => {
  test('is nothing when the node names nothing', () => {
    expect(treeLacks('', 'n1')).toEqual({ drivers: [], firmware: [] })
  })

  test('stops the move when it is a driver; PRE-INPLACE-FIRMWARE names files, once for each driver', () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => `firmware bnx2 bnx2/${name}.fw`)
    const { drivers, firmware } = treeLacks(
      ['the driver r8168', ...files, 'firmware tg3 tigon/tg3.bin', ''].join('\n'),
      'n1',
    )
    expect(drivers).toEqual(['the driver r8168'])
    expect(firmware.map(({ rule, severity, summary }) => [rule, severity, summary.split(',')[0]])).toEqual([
      ['PRE-INPLACE-FIRMWARE', 'medium', 'n1: its driver bnx2 may ask for bnx2/a.fw'],
      ['PRE-INPLACE-FIRMWARE', 'medium', 'n1: its driver tg3 may ask for tigon/tg3.bin'],
    ])
    expect(firmware[0]?.summary).toContain('bnx2/c.fw and 1 more')
  })
})

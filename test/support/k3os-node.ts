import type { Bundle } from '../../src/core/bundle.ts'
import { probes, usageProbe } from '../../src/core/facts/probes.ts'

/** A k3OS node as data: what is in its tree and what its programs print. Fills a bundle or a root for a real sshd. */
export interface NodeTree {
  readonly files: Readonly<Record<string, string | { readonly content: string; readonly mode: number }>>
  readonly links: Readonly<Record<string, string>>
  /** Output by command line; everything else is not installed. */
  readonly commands: Readonly<Record<string, string>>
}

/** Secrets of the example: none of them may be printed or stand in an inventory. */
export const canaries = {
  token: 'CANARY-token-4711',
  passphrase: 'CANARY-wifi-4711',
  registry: 'CANARY-registry-4711',
  nodePassword: 'CANARY-node-password-4711',
  hostKey: 'CANARY-host-key-4711',
  endpoint: 'CANARY-endpoint-4711',
  password: 'CANARY-password-4711',
  environment: 'CANARY-environment-4711',
  commandLine: 'CANARY-cmdline-4711',
} as const

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICq/HIzukGEITFC7XU4TPNwp0n+wx/QrgVPGsRUxNccE'

/** One server with sqlite on a small PC; `changes` replace entries, an `undefined` removes one. */
export function k3osNode(
  changes: {
    readonly files?: Readonly<Record<string, NodeTree['files'][string] | undefined>>
    readonly links?: Readonly<Record<string, string | undefined>>
    readonly commands?: Readonly<Record<string, string | undefined>>
  } = {},
): NodeTree {
  return {
    files: merged(serverFiles, changes.files),
    links: merged(serverLinks, changes.links),
    commands: merged(serverCommands, changes.commands),
  }
}

/** The bundle the collector would make of that node: whatever the tree does not hold does not exist. */
export function bundleOf(tree: NodeTree): Bundle {
  const files = Object.entries(tree.files).map(([path, file]) => {
    const { content, mode } = typeof file === 'string' ? { content: file, mode: 0o644 } : file
    return [path, { mode, owner: '0:0', bytes: new TextEncoder().encode(content) }] as const
  })
  return {
    files: new Map(files),
    links: new Map(Object.entries(tree.links)),
    dirs: new Map(),
    seen: new Map(),
    commands: new Map(Object.entries(tree.commands).map(([line, text]) => [line, { exit: 0, text }])),
    absent: new Set(['/']),
    errors: new Map(),
  }
}

function merged<T>(base: Readonly<Record<string, T>>, changes: Readonly<Record<string, T | undefined>> = {}) {
  const entries = Object.entries({ ...base, ...changes })
  return Object.fromEntries(entries.filter((entry): entry is [string, T] => entry[1] !== undefined))
}

/** Made for this test; its key is nowhere. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUUFIKRxfoXGTVKHJmKGBcGOeTs+owCgYIKoZIzj0EAwIw
IzEhMB8GA1UEAwwYazNzLXNlcnZlci1jYUAxNjAwMDAwMDAwMB4XDTI2MTEyNDA3
MjkwOFoXDTM2MTEyMTA3MjkwOFowIzEhMB8GA1UEAwwYazNzLXNlcnZlci1jYUAx
NjAwMDAwMDAwMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWixrZUtAYJd4ee3G
BtttAoXWOJqPJKv10O/6m8QXuZ/Y+H7v2baEtGvXC+Yt/sVY9CRf75TvEGaSy+lY
goE1g6NTMFEwHQYDVR0OBBYEFP829K1zQgWeSo/Bes/ZoHtsENmbMB8GA1UdIwQY
MBaAFP829K1zQgWeSo/Bes/ZoHtsENmbMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDRwAwRAIgaj4Wfq651Bsg7YDwf5yWo2ni8GiBWCy2in++3ulaSn0CIC23
TEwPywS+TPXlSJZ1jPj7+yjcEImOlz9pVNbEwfgj
-----END CERTIFICATE-----
`

/** Two of the four entries that installers since v0.11.0 write. */
const menu = `set default=0
set timeout=10

menuentry "k3OS Current" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/current/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz printk.devkmsg=on console=tty1
  initrd /k3os/system/kernel/current/initrd
}

menuentry "k3OS Previous" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/previous/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz printk.devkmsg=on console=tty1
  initrd /k3os/system/kernel/previous/initrd
}
`

const secret = (content: string) => ({ content, mode: 0o600 })

const serverFiles: NodeTree['files'] = {
  '/k3os/system/config.yaml': secret(
    `hostname: n1\nk3os:\n  token: ${canaries.token}\n  password: ${canaries.password}\n`,
  ),
  '/k3os/system/k3os/v0.21.5-k3s2r1/k3os': 'binary',
  '/k3os/system/k3s/v1.21.5+k3s2/k3s': 'binary',
  '/k3os/system/kernel/5.4.0-88-generic/kernel.squashfs': 'squashfs',
  '/k3os/system/kernel/5.4.0-88-generic/initrd': 'cpio',
  '/var/lib/rancher/k3os/config.d/10 wifi.yaml': secret(
    `k3os:\n  wifi:\n  - name: home\n    passphrase: ${canaries.passphrase}\n`,
  ),
  '/var/lib/rancher/k3os/config.d/.hidden': 'run_cmd: [echo hidden]\n',
  '/var/lib/rancher/k3os/hostname': 'k3os-1234\n',
  '/var/lib/rancher/k3os/node/password': secret(`${canaries.nodePassword}\n`),
  '/var/lib/rancher/k3os/ssh/ssh_host_ed25519_key': secret(
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${canaries.hostKey}\n-----END OPENSSH PRIVATE KEY-----\n`,
  ),
  '/var/lib/rancher/k3os/ssh/ssh_host_ed25519_key.pub': `${hostKey} root@n1\n`,
  '/run/k3os/mode': 'local\n',
  '/etc/os-release': 'NAME="k3OS"\nID=k3os\nVERSION_ID=v0.21.5-k3s2r1\nPRETTY_NAME="k3OS v0.21.5-k3s2r1"\n',
  '/etc/hostname': 'n1\n',
  '/etc/machine-id': 'd41d8cd98f00b204e9800998ecf8427e\n',
  '/etc/resolv.conf': '# by connman\nnameserver 192.168.1.1\nnameserver 9.9.9.9\n',
  '/etc/environment': `K3S_KUBECONFIG_MODE="0644"\nHTTP_PROXY="http://u:${canaries.environment}@proxy:3128"\n`,
  '/etc/init.d/k3s-service': [
    '#!/sbin/openrc-run',
    'command="/sbin/k3s"',
    'command_args="server \\',
    "        '--node-label' \\",
    "        'k3os.io/mode=local' \\",
    '        >>/var/log/k3s-service.log 2>&1"',
    '',
  ].join('\n'),
  '/etc/rancher/k3s/k3s-service.env': secret(`K3S_TOKEN='${canaries.token}'\n`),
  '/etc/rancher/k3s/registries.yaml': secret(
    `configs:\n  r.example:\n    auth: {password: ${canaries.registry}}\n`,
  ),
  '/var/lib/rancher/k3s/server/token': secret(`K10abc::server:${canaries.token}\n`),
  '/var/lib/rancher/k3s/server/tls/server-ca.crt': certificate,
  '/var/lib/rancher/k3s/server/manifests/traefik.yaml': 'kind: HelmChart\n',
  '/var/lib/rancher/k3s/server/manifests/system-upgrade-plans/k3os-latest.yaml': 'kind: Plan\n',
  '/var/lib/rancher/k3s/server/static/charts/traefik-1.81.0.tgz': 'chart',
  '/var/log/k3s-service.log': 'started\n',
  '/boot/grub/grub.cfg': menu,
  '/sys/kernel/kexec_loaded': '0\n',
  '/proc/sys/kernel/kexec_load_disabled': '0\n',
  '/proc/modules': 'overlay 118784 1 - Live 0x0\nbr_netfilter 28672 0 - Live 0x0\n',
  '/sys/bus/pci/devices/0000:00:1f.6/uevent':
    'DRIVER=e1000e\nPCI_CLASS=20000\nPCI_ID=8086:15B8\nPCI_SLOT_NAME=0000:00:1f.6\n',
  '/sys/bus/usb/devices/1-1/uevent': 'DEVTYPE=usb_device\nDRIVER=usb\nPRODUCT=46d/c52b/1201\n',
  '/sys/bus/usb/devices/1-1:1.0/uevent': 'DEVTYPE=usb_interface\nPRODUCT=46d/c52b/1201\n',
  '/var/lib/rancher/k3s/server/db/state.db': secret('sqlite'),
  '/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data/f': 'data',
  '/home/rancher/.ssh/authorized_keys': secret('ssh-ed25519 AAAA me@laptop\n'),
  '/proc/cmdline': `printk.devkmsg=on console=tty1 unrelated.key=${canaries.commandLine}\n`,
  '/proc/cpuinfo': [
    'processor\t: 0',
    'model name\t: Intel(R) Atom(TM) CPU',
    'flags\t\t: fpu cx8 cmov mmx fxsr sse sse2 syscall lm pni cx16 ssse3 sse4_1 sse4_2 popcnt lahf_lm',
    '',
    'processor\t: 1',
    'model name\t: Intel(R) Atom(TM) CPU',
    '',
  ].join('\n'),
  '/proc/meminfo': 'MemTotal:        2048000 kB\nMemFree:          100000 kB\n',
  '/proc/mounts': [
    'rootfs / rootfs rw 0 0',
    '/dev/sda1 / ext4 rw,relatime 0 0',
    '/dev/loop1 /usr squashfs ro 0 0',
    '/dev/sda1 /boot ext4 rw,relatime 0 0',
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
    'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0',
    '',
  ].join('\n'),
  '/proc/sys/kernel/hostname': 'n1\n',
  '/proc/sys/kernel/random/boot_id': '11111111-aaaa-bbbb-cccc-222222222222\n',
  '/sys/class/dmi/id/sys_vendor': 'Small Machines\n',
  '/sys/class/dmi/id/product_name': 'Box 1\n',
  '/sys/class/dmi/id/product_uuid': '4c4c4544-0000-1111-2222-333333333333\n',
  '/sys/class/net/eth0/address': '52:54:00:00:00:01\n',
  '/sys/class/net/eth0/operstate': 'up\n',
}

const serverLinks: NodeTree['links'] = {
  '/k3os/system/k3os/current': 'v0.21.5-k3s2r1',
  '/k3os/system/k3os/previous': 'v0.20.7-k3s1r0',
  '/k3os/system/k3s/current': 'v1.21.5+k3s2',
  '/k3os/system/kernel/current': '5.4.0-88-generic',
  '/etc/ssh': '/var/lib/rancher/k3os/ssh',
  '/etc/rancher/node': '/var/lib/rancher/k3os/node',
  '/sys/class/net/eth0/device/driver': '../../../bus/pci/drivers/e1000e',
}

const disks = {
  blockdevices: [
    { name: 'loop0', type: 'loop', size: 400_000_000, model: null, serial: null, tran: null },
    {
      name: 'sda',
      type: 'disk',
      size: 64_023_257_088,
      ro: false,
      model: 'SSD 64G        ',
      serial: 'S123',
      wwn: '0x5000',
      tran: 'sata',
      fstype: null,
      label: null,
      uuid: null,
      mountpoint: null,
      children: [
        {
          name: 'sda1',
          type: 'part',
          size: 64_022_000_000,
          model: null,
          serial: null,
          tran: null,
          fstype: 'ext4',
          label: 'K3OS_STATE',
          uuid: 'aaaa-bbbb',
          mountpoint: '/boot',
        },
      ],
    },
  ],
}

const serverCommands: NodeTree['commands'] = {
  [probes.kernel]: '5.4.0-88-generic\n',
  [probes.machine]: 'x86_64\n',
  [probes.epochSeconds]: '1700000010\n',
  [probes.ownConfiguration]: `{"hostname":"n1","k3os":{"token":"${canaries.token}"}}\n`,
  [probes.k3sVersion]: 'k3s version v1.21.5+k3s2 (724ef700)\ngo version go1.16.8\n',
  [probes.disks]: JSON.stringify(disks),
  [probes.stateSpace]:
    'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 61000000 20000000 40960000 33% /\n',
  // The file system of the machine that runs the tests changes all the time.
  'df -P -k': 'Filesystem 1024-blocks Used Available Capacity Mounted on\n',
  [probes.addresses]: JSON.stringify([
    { ifname: 'lo', address: '00:00:00:00:00:00', operstate: 'UNKNOWN', addr_info: [] },
    {
      ifname: 'eth0',
      address: '52:54:00:00:00:01',
      operstate: 'UP',
      addr_info: [
        { family: 'inet', local: '192.168.1.10', prefixlen: 24, scope: 'global' },
        { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
      ],
    },
    { ifname: 'veth12345678', address: '52:54:00:00:00:02', operstate: 'UP', addr_info: [] },
  ]),
  [probes.routes]: JSON.stringify([
    { dst: 'default', gateway: '192.168.1.1', dev: 'eth0', flags: [] },
    { dst: '192.168.1.0/24', dev: 'eth0', flags: [] },
  ]),
  [probes.routes6]: '',
  [usageProbe('/var/lib/rancher/k3s/server/db')]: '4\t/var/lib/rancher/k3s/server/db\n',
  [usageProbe('/var/lib/rancher/k3s/storage')]: '1024\t/var/lib/rancher/k3s/storage\n',
  [usageProbe('/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data')]:
    '1020\t/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data\n',
  [usageProbe('/var/log')]: '8\t/var/log\n',
  [usageProbe('/home')]: '8\t/home\n',
}

import { toBase64 } from '../core/base64.ts'
import { formatBundle, type Bundle, type BundleFile } from '../core/bundle.ts'
import { readConfig } from '../core/k3os/read.ts'
import { localPathDirectory, probes, usageProbe } from '../core/facts/probes.ts'
import { localVolumePath, type Scenario, type ScenarioNode } from './scenario.ts'

const datastoreBytes = 48_000_000
/** Mostly the images of containerd. */
const agentBytes = 2_400_000_000

/**
 * A machine of a scenario as k3OS leaves it: its files, links and what its commands answer. The simulation makes bundles
 * of it without a collector; the lab lays the same root behind a real sshd, where the real collector reads it.
 * Layout: rancher/k3os install.sh, overlay/libexec/k3os/boot.
 */
export function k3osRoot(
  scenario: Scenario,
  node: ScenarioNode,
  bootId: string,
  epochSeconds: number,
): Bundle {
  const { machine } = node
  const volumes = scenario.localVolumes.filter((volume) => volume.node === node.name)
  const texts: Record<string, string> = {
    '/etc/os-release': `ID=k3os\nNAME=k3OS\nVERSION_ID=${node.k3os}\nPRETTY_NAME="k3OS ${node.k3os}"\n`,
    '/etc/hostname': `${node.name}\n`,
    '/proc/sys/kernel/hostname': `${node.name}\n`,
    '/proc/sys/kernel/random/boot_id': `${bootId}\n`,
    '/proc/uptime': '9876543.21 19753086.42\n',
    '/proc/modules': `${machine.driver} 266240 0 - Live 0x0000000000000000\noverlay 118784 9 - Live 0x0000000000000000\n`,
    '/sys/kernel/kexec_loaded': '0\n',
    '/proc/sys/kernel/kexec_load_disabled': '0\n',
    '/var/log/k3s-service.log': '',
    '/proc/mounts':
      '/dev/sda1 / ext4 rw,relatime 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n',
    '/proc/cpuinfo': Array.from(
      { length: machine.cores },
      (_, core) => `processor\t: ${core}\nmodel name\t: ${machine.cpu}\nflags\t\t: ${machine.flags}\n`,
    ).join('\n'),
    '/proc/meminfo': `MemTotal:       ${machine.memoryMib * 1024} kB\n`,
    '/etc/machine-id': `${bootId.replaceAll('-', '')}\n`,
    '/etc/resolv.conf': `nameserver ${node.gateway}\n`,
    '/run/k3os/mode': 'local\n',
    '/sys/class/dmi/id/product_name': `${machine.board}\n`,
    '/sys/class/dmi/id/product_uuid': `${machine.uuid}\n`,
    '/sys/class/net/eth0/address': `${machine.mac}\n`,
    '/sys/class/net/eth0/operstate': 'up\n',
    '/etc/init.d/k3s-service': serviceScript(node),
    '/etc/environment': 'K3S_KUBECONFIG_MODE="0644"\n',
    '/var/lib/rancher/k3os/ssh/ssh_host_ed25519_key': hostKey(node).privateKey,
    '/var/lib/rancher/k3os/ssh/ssh_host_ed25519_key.pub': `${hostKey(node).publicKey}\n`,
    '/var/lib/rancher/k3os/node/password': `${node.nodePassword}\n`,
    '/boot/grub/grub.cfg': installerMenu,
    '/var/lib/rancher/k3s/agent/client-kubelet.crt': kubeletCertificate,
    ...(node.role === 'server'
      ? { '/var/lib/rancher/k3s/server/token': `K10${'0'.repeat(64)}::server:${scenario.cluster.token}\n` }
      : {}),
    ...node.files,
  }
  const secret = /\/(password|token|ssh_host_\w+_key|config\.yaml)$/
  const files = new Map<string, BundleFile>()
  for (const [path, text] of Object.entries(texts)) {
    files.set(path, {
      mode: secret.test(path) ? 0o600 : 0o644,
      owner: '0:0',
      bytes: new TextEncoder().encode(text),
    })
  }
  const kib = (bytes: number) => Math.ceil(bytes / 1024)
  const used: [path: string, kib: number][] = [
    ['/var/log', 4],
    ['/var/lib/rancher/k3s/agent', kib(agentBytes)],
    ...volumes.map((volume): [string, number] => [localVolumePath(volume), kib(volume.bytes)]),
  ]
  if (volumes.length > 0) {
    used.push([localPathDirectory, kib(volumes.reduce((sum, { bytes }) => sum + bytes, 0))])
  }
  if (node.role === 'server') used.push(['/var/lib/rancher/k3s/server/db', kib(datastoreBytes)])
  const usage = Object.fromEntries(used.map(([path, size]) => [usageProbe(path), `${size}\t${path}\n`]))
  const directory = { mode: 0o755, owner: '0:0' }
  const server = '/var/lib/rancher/k3s/server'
  return {
    files,
    links: new Map([
      ['/etc/rancher/node', '/var/lib/rancher/k3os/node'],
      ['/etc/ssh', '/var/lib/rancher/k3os/ssh'],
      ['/k3os/system/k3os/current', node.k3os],
      ['/k3os/system/k3s/current', node.k3s],
      ['/k3os/system/kernel/current', node.kernel],
      ['/sys/class/net/eth0/device/driver', `../../../../bus/pci/drivers/${machine.driver}`],
    ]),
    dirs: new Map([
      [`/k3os/system/kernel/${node.kernel}`, directory],
      ...(machine.firmware === 'uefi' ? [['/sys/firmware/efi', directory] as const] : []),
      ...(node.role === 'server' ? [[`${server}/tls`, directory] as const] : []),
      ...volumes.map((volume) => [localVolumePath(volume), { mode: 0o777, owner: '0:0' }] as const),
    ]),
    seen: new Map(
      node.role === 'server'
        ? [[`${server}/db/state.db`, { mode: 0o644, owner: '0:0', sizeBytes: datastoreBytes }]]
        : [],
    ),
    commands: new Map(
      Object.entries({
        [probes.kernel]: `${node.kernel}\n`,
        [probes.machine]: 'x86_64\n',
        [probes.epochSeconds]: `${epochSeconds}\n`,
        [probes.ownConfiguration]: configuration(node),
        [probes.k3sVersion]: `k3s version ${node.k3s} (3e250fdb)\n`,
        [probes.disks]: JSON.stringify({ blockdevices: [disk(node)] }),
        [probes.blockIds]: '',
        [probes.mounts]: JSON.stringify({ filesystems: [] }),
        [probes.stateSpace]: stateSpace(node),
        [probes.addresses]: JSON.stringify([
          {
            ifname: 'eth0',
            operstate: 'UP',
            address: machine.mac,
            link_type: 'ether',
            addr_info: [address(node)],
          },
        ]),
        [probes.routes]: JSON.stringify([{ dst: 'default', gateway: node.gateway, dev: 'eth0' }]),
        [probes.routes6]: '[]',
        ...usage,
      }).map(([name, text]) => [name, { exit: 0, text }]),
    ),
    // Whatever is not listed does not exist on this machine.
    absent: new Set(['/']),
    errors: new Map(),
  }
}

/** What k3OS itself makes of the configuration; nothing when it rejects it. */
function configuration(node: ScenarioNode): string {
  const file = '/k3os/system/config.yaml'
  const text = node.files[file]
  const system = text === undefined ? {} : { system: { file, bytes: new TextEncoder().encode(text) } }
  const reading = readConfig({ ...system, configD: [] })
  return reading.status === 'merged' ? `${JSON.stringify(reading.config)}\n` : ''
}

/** The archive the collector would send from this machine. */
export function scenarioBundle(
  scenario: Scenario,
  node: ScenarioNode,
  bootId: string,
  now: Date,
): Uint8Array {
  const root = k3osRoot(scenario, node, bootId, Math.floor(now.getTime() / 1000))
  return new TextEncoder().encode(formatBundle(root))
}

function disk({ machine }: ScenarioNode) {
  const part = (
    number: number,
    sizeMib: number,
    fstype: string,
    label: string,
    mountpoint: string | null,
  ) => ({
    name: `sda${number}`,
    type: 'part',
    size: sizeMib * 2 ** 20,
    ro: false,
    model: null,
    serial: null,
    wwn: null,
    tran: null,
    fstype,
    label,
    uuid: `${machine.uuid.slice(0, 8)}-000${number}`,
    mountpoint,
  })
  const state = (number: number) => part(number, machine.diskMib - 50, 'ext4', 'K3OS_STATE', '/')
  return {
    name: 'sda',
    type: 'disk',
    size: machine.diskMib * 2 ** 20,
    ro: false,
    model: 'SATA SSD',
    serial: `S${machine.uuid.slice(0, 8)}`,
    wwn: null,
    tran: 'sata',
    fstype: null,
    label: null,
    uuid: null,
    mountpoint: null,
    children: machine.firmware === 'uefi' ? [part(1, 50, 'vfat', 'K3OS_GRUB', null), state(2)] : [state(1)],
  }
}

function stateSpace({ machine }: ScenarioNode): string {
  const total = machine.diskMib * 1024
  const free = machine.freeMib * 1024
  return `Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 ${total} ${total - free} ${free} 50% /\n`
}

function address(node: ScenarioNode) {
  return { family: 'inet', local: node.address, prefixlen: 24, scope: 'global' }
}

/** What the k3s installer wrote on k3OS, as far as it is read. */
function serviceScript(node: ScenarioNode): string {
  const labels = ['k3os.io/mode=local', `k3os.io/version=${node.k3os}`].map(
    (label) => `--node-label ${label}`,
  )
  return `#!/sbin/openrc-run\ncommand="/sbin/k3s"\ncommand_args="${node.role} ${labels.join(' ')} >>/var/log/k3s-service.log 2>&1"\n`
}

/** Of no cluster; valid until 2046, for k3s renews its own before they run out. */
const kubeletCertificate = `-----BEGIN CERTIFICATE-----
MIIBUzCB+wIUIZGTyFN8k0ZrYLr9s0+Lqk673xMwCgYIKoZIzj0EAwIwIzEhMB8G
A1UEAwwYazNzLWNsaWVudC1jYUAxNjIxMDAwMDAwMB4XDTI2MTEyNDEwNDQwM1oX
DTQ2MTExOTEwNDQwM1owNzEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMR4wHAYDVQQD
DBVzeXN0ZW06bm9kZTpzaW11bGF0ZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASXjcpGptUELeQQ2Q3fiClhO9OLDd207+C0DGEuVplh/TksvhBB5HsP0nTseuHb
ZykXV5mAo3r2COUFPIKH4F+lMAoGCCqGSM49BAMCA0cAMEQCIHnnLCSBiiwZy0Ve
iXzqYyZaYr57Da4pYuFoyNd+vYdJAiAoeUCqBfBx4VDZ+PurzUB17o3XUuR4jnns
inYsVSNb1g==
-----END CERTIFICATE-----
`

/** As k3OS's installer leaves it (rancher/k3os install.sh), with one of its entries. */
export const installerMenu = `set default=0
set timeout=10
menuentry "k3OS Current" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/current/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz printk.devkmsg=on console=tty1
  initrd /k3os/system/kernel/current/initrd
}
`

/** A key pair in the right form and of no use: the simulation has no SSH. */
function hostKey({ name, machine }: ScenarioNode): {
  readonly privateKey: string
  readonly publicKey: string
} {
  const bytes = new TextEncoder().encode(machine.uuid.replaceAll('-', '')).slice(0, 32)
  const field = (value: Uint8Array) => [0, 0, 0, value.length, ...value]
  const wire = Uint8Array.from([...field(new TextEncoder().encode('ssh-ed25519')), ...field(bytes)])
  const body = `simulated key of ${name} `.repeat(4)
  return {
    publicKey: `ssh-ed25519 ${toBase64(wire)} root@${name}`,
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${toBase64(new TextEncoder().encode(body))}\n-----END OPENSSH PRIVATE KEY-----\n`,
  }
}

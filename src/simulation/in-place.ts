import { exitCode, MigrateError } from '../core/errors.ts'
import { readGrubEnvironment, writeGrubEnvironment } from '../core/in-place/grubenv.ts'
import { noncePath, releasePath } from '../core/node-paths.ts'
import { hex, sha256 } from '../core/sha256.ts'
import type { HostControl, RootTrees } from '../migrate/ports.ts'
import { k3osJoins, startK3s } from './joining.ts'
import { filesOfSeed } from './seed-files.ts'
import type { SimNode, World } from './world.ts'

/** What a move in place has put on a machine's disk; it stays there whatever runs. */
export interface SimDisk {
  /** Files of the system beside k3OS; null without one. */
  tree: ReadonlyMap<string, string> | null
  /** GRUB's menu of ours; null: as k3OS's installer wrote it. */
  menu: string | null
  block: Uint8Array
  /** What k3OS's own system takes; null when it was removed. */
  k3osMib: number | null
}

export function emptyDisk(): SimDisk {
  return { tree: null, menu: null, block: writeGrubEnvironment(new Map()), k3osMib: 300 }
}

const confirmedPath = '/etc/k3os-migrate/confirmed'

/** Any archive will do: what a simulated node makes of it is nothing but a folder. */
export const simulatedTrees = (digest: string): RootTrees => ({
  digests: async () => ({ sha256: digest, lines: '' }),
  async *open() {
    yield* []
  },
})

type InPlace = Pick<HostControl, 'askInPlace' | 'actInPlace'>

/** `templates/in-place/node.sh` as a machine of the simulation answers to it. */
export function simulatedInPlace(world: World, reach: (name: string) => SimNode): InPlace {
  return {
    async askInPlace({ name }, [command]) {
      const node = reach(name)
      if (command === 'environment') return new TextDecoder().decode(node.disk.block)
      if (command === 'look') return look(world)
      return command === 'state' ? state(node) : ''
    },
    async actInPlace({ name }, [command = ''], input) {
      const node = reach(name)
      const { disk } = node
      const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
      // Read to its end, as a machine does.
      if (!(bytes instanceof Uint8Array)) for await (const _ of bytes);
      else if (command === 'arm') disk.block = bytes
      else if (command === 'menu') disk.menu = new TextDecoder().decode(bytes)
      else if (command === 'seed') disk.tree = new Map([...(disk.tree ?? []), ...filesOfSeed([bytes])])
      else if (command === 'remove') Object.assign(disk, { tree: null, menu: null })
      else if (command === 'stop') node.k3sStopped = true
      else if (command === 'start') node.k3sStopped = false
      else if (command === 'confirm') writeOn(node, confirmedPath, '')
      else if (command === 'finalize')
        Object.assign(disk, { menu: new TextDecoder().decode(bytes), k3osMib: null })
      else if (command === 'restart') reboot(world, node)
      if (command === 'unpack') disk.tree = new Map()
      return ''
    },
  }
}

/** What the new system beside k3OS is given stays on the disk; a rebuilt machine is only simulated for one boot. */
export function writeOn(node: SimNode, path: string, content: string): void {
  node.files = new Map(node.files).set(path, content)
  if (node.system === 'new' && node.disk.tree !== null)
    node.disk.tree = new Map(node.disk.tree).set(path, content)
}

function look({ clock }: World): string {
  const epoch = Math.floor(clock.now().getTime() / 1000)
  return `mode=local
device=/dev/sda1
uuid=0b1e6c9e-7a11-4f0b-8f5e-2f7c5b0a9d10
features=has_journal ext_attr filetype extent
fsState=clean
fsErrors=
stateLabels=1
kilobytes=33554432 16777216
inodes=2097152 1900000
memoryKilobytes=4194304
epoch=${epoch}
platform=x86_64-efi
grubenv=1024 8
etcd=
cgroupV1=yes
debugfs=yes
network=eth0 192.0.2.10/24
network=default via 192.0.2.1
directory=/home
directory=/opt
`
}

function state(node: SimNode): string {
  const { disk, files, system, bootId, probe, k3sStopped } = node
  const variables = readGrubEnvironment(disk.block)
  const nonce = (from: ReadonlyMap<string, string> | null) => from?.get(noncePath)?.trim() ?? ''
  return `system=${system === 'new' ? 'new' : 'k3os'}
boot=${bootId}
nonce=${system === 'new' ? nonce(files) : ''}
probe=${system === 'k3os' ? (probe ?? '') : ''}
placed=${nonce(disk.tree)}
traces=${disk.tree !== null || disk.menu !== null ? 'yes' : ''}
menu=${disk.menu === null ? 'of the installer' : hex(sha256(new TextEncoder().encode(disk.menu)))}
armed=${variables.get('next_entry') ?? ''}
settled=${variables.get('saved_entry') ?? ''}
confirmed=${system === 'new' && files.has(confirmedPath) ? 'yes' : ''}
k3sStopped=${system === 'k3os' && k3sStopped ? 'yes' : ''}
k3osMib=${disk.k3osMib ?? ''}
features=has_journal ext_attr filetype extent
`
}

/** What the boot loader and the machine do: the one-shot first, then what is settled, then k3OS. */
function reboot(world: World, node: SimNode): void {
  const { clock, pace, trouble } = world
  const { disk, spec } = node
  node.system = 'rebooting'
  node.silentSinceMs = clock.monotonicMs()
  const variables = new Map(readGrubEnvironment(disk.block))
  const once = variables.get('next_entry') ?? ''
  variables.set('next_entry', '')
  disk.block = writeGrubEnvironment(variables)
  const entry = once === '' ? (variables.get('saved_entry') ?? '') : once
  const isNew = disk.tree !== null && entry !== '' && !entry.endsWith('-probe')
  const [, seconds = '900'] = /k3os-migrate\.deadline=(\d+)/.exec(disk.menu ?? '') ?? []
  const bootId = world.id()
  const isOnTrial = entry.endsWith('-trial')
  clock.at(clock.monotonicMs() + pace.restart * 1000, () => {
    if (isNew && trouble.neverReturns.has(spec.name)) return
    node.bootId = bootId
    node.k3sStopped = false
    node.system = isNew ? 'new' : 'k3os'
    node.files = isNew ? withData(node) : new Map()
    const [, nonce] = /k3os-migrate\.probe=(\w+)/.exec(disk.menu ?? '') ?? []
    node.probe = entry.endsWith('-probe') ? (nonce ?? null) : null
    if (!isNew) k3osJoins(world, node)
    else if (node.files.has(releasePath)) startK3s(world, node)
  })
  if (!isNew || !isOnTrial) return
  clock.at(clock.monotonicMs() + Number(seconds) * 1000, () => {
    const isIt = node.bootId === bootId || node.system === 'rebooting'
    if (isIt && !node.files.has(confirmedPath)) reboot(world, node)
  })
}

/** k3OS's folders are bound into the new system, the node password among them. */
function withData({ disk, spec }: SimNode): Map<string, string> {
  const files = new Map(disk.tree ?? []).set('kept-data', '')
  if (spec.nodePassword !== null) files.set('/etc/rancher/node/password', spec.nodePassword)
  return files
}

export function unreachable(name: string, host: string): MigrateError {
  return new MigrateError(`${name} (${host}) does not answer over SSH`, {
    exitCode: exitCode.io,
    hint: 'wait until the machine is up',
  })
}

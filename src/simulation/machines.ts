import { releasePath } from '../core/node-paths.ts'
import type { Hook, Host, HostAddress, HostControl } from '../migrate/ports.ts'
import { simulatedInPlace, unreachable, writeOn } from './in-place.ts'
import { startK3s } from './joining.ts'
import { installerMenu } from './k3os-root.ts'
import { filesOfSeed, type SeedFile } from './seed-files.ts'
import type { SimNode, World } from './world.ts'

/** SSH to the simulated machines. */
export function simulatedHost(world: World): Host & HostControl {
  const reach = (address: HostAddress): SimNode => {
    const node = world.node(address.name)
    if (node !== undefined && node.system !== 'rebooting') return node
    throw unreachable(address.name, address.host)
  }
  return {
    ...simulatedInPlace(world, (name) => reach({ name, host: name, port: 22, user: '' })),
    async collect(address) {
      const node = reach(address)
      return node.spec.archive(node.bootId, world.clock.now())
    },
    async readFile(address, path) {
      const node = reach(address)
      if (path === '/proc/sys/kernel/random/boot_id') return `${node.bootId}\n`
      if (path === '/sys/class/dmi/id/product_uuid') return node.spec.file(path)
      if (path === '/state/boot/grub/grub.cfg') return node.disk.menu ?? undefined
      if (node.system === 'new') return node.files.get(path)
      return node.spec.file(path) ?? (path === '/boot/grub/grub.cfg' ? installerMenu : undefined)
    },
    async writeFile(address, path, content) {
      const node = reach(address)
      writeOn(node, path, content)
      if (path === releasePath) startK3s(world, node)
    },
    async fingerprint(address, directories) {
      const node = reach(address)
      const digests = directories.map((path) => [path, dataDigest(world, node, path)])
      return Object.fromEntries(digests)
    },
  }
}

/** Whose content it is decides the digest: data that stays has the same one on the new system. */
function dataDigest(world: World, node: SimNode, path: string): string {
  const volume = world.source.persistentVolumes.find(
    (one) => one.path === path && one.nodes.includes(node.spec.name),
  )
  const serverData = node.spec.role === 'server' && path.startsWith('/var/lib/rancher/k3s/server')
  if (node.system === 'new' && world.trouble.losesData.has(node.spec.name)) return 'absent'
  const kept = node.system === 'k3os' || node.files.has('kept-data')
  return kept && (volume !== undefined || serverData) ? `sha256:data of ${node.spec.name}${path}` : 'absent'
}

/**
 * The simulated reimage hook: the machine goes down, and comes up from the seed that was rendered for it. It reads the
 * seed as a real machine would, so a seed without nonce or token is a node that never returns.
 */
export function simulatedHook(world: World, read: (path: string) => Promise<SeedFile>): Hook {
  return {
    async run(_argv, { environment, onLine }) {
      const node = world.node(environment['K3OS_MIGRATE_NODE'] ?? '')
      if (node === undefined) return { exitCode: 75, tail: 'the simulation has no such machine' }
      const input = environment['K3OS_MIGRATE_INPUT']
      // Without it, as when nobody but a person was asked, cloud-init's file is what a machine starts from.
      const names = input === undefined ? ['user-data'] : deliveredFiles(await read(input))
      const seed = await Promise.all(
        names.map(async (name) => read(`${environment['K3OS_MIGRATE_SEED']}/${name}`)),
      )
      const files = filesOfSeed(seed)
      if (environment['K3OS_MIGRATE_KEEP_DATA'] === '1') files.set('kept-data', '')
      onLine(`${node.spec.name}: writing the image, ${files.size} files in the seed`)
      node.system = 'rebooting'
      node.silentSinceMs = world.clock.monotonicMs()
      world.clock.at(world.clock.monotonicMs() + world.pace.reimage * 1000, () => {
        if (world.trouble.neverReturns.has(node.spec.name)) return
        node.system = 'new'
        node.bootId = world.id()
        node.files = files
      })
      return { exitCode: 0, tail: '' }
    },
  }
}

/** Names of the files that belong to the machine, from the hook's input. */
function deliveredFiles(input: SeedFile): readonly string[] {
  const { delivery, seedFiles } = JSON.parse(String(input)) as {
    readonly delivery: { readonly files?: readonly string[] }
    readonly seedFiles: readonly string[]
  }
  return delivery.files ?? seedFiles
}

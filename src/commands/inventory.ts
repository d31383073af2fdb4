import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { KubeconfigChoice } from '../adapters/kube/kubeconfig.ts'
import type { CollectorPods } from '../adapters/kube-pods.ts'
import { moveFile, namesIn, readIfPresent, removeFile, sha256, writeDurably } from '../adapters/files.ts'
import { maxBundleBytes } from '../core/bundle.ts'
import { exitCode, type ExitCode, MigrateError } from '../core/errors.ts'
import { type ClusterFacts, type Inventory, type InventoryNode, inventorySchema } from '../core/inventory.ts'
import { parseHost } from '../core/hosts-file.ts'
import { nameMachines } from '../core/node-names.ts'
import { sshWay } from '../core/ssh-config.ts'
import type { AccessReviewer, Clock, ClusterReader, Host } from '../migrate/ports.ts'
import { inventoryTable } from '../output/inventory-table.ts'
import { json } from '../output/json.ts'
import { mark } from '../output/style.ts'
import { yaml } from '../core/yaml-text.ts'
import { toolVersion } from '../version.ts'
import type { CommandIo } from './io.ts'
import { inParallel } from './in-parallel.ts'
import { readMachines, type ReadMachine } from './inventory-read.ts'
import { keepOlder } from './keep-older-inventory.ts'
import { checkOptions, machinesToRead, otherNodes, sshAddress } from './inventory-targets.ts'
import { kubeconfigOf } from './k3s-kubeconfig.ts'
import { refuseKnownMissingPermissions, refuseMissingPermissions } from './permissions.ts'

export interface InventoryOptions {
  /** `[name=][user@]host[:port]`; none = a file, a folder, or the cluster says which. */
  readonly host: readonly string[]
  readonly hosts?: string | undefined
  readonly fromDir?: string | undefined
  /** False for `--no-cluster`. */
  readonly cluster: boolean
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  /** A k3s server whose own kubeconfig is used. */
  readonly kubeconfigFrom?: string | undefined
  /** Read also what Helm has installed; takes the right to list Secrets. */
  readonly helmReleases?: boolean | undefined
  readonly viaPod?: boolean | undefined
  readonly image?: string | undefined
  readonly cleanUp?: boolean | undefined
  readonly user?: string | undefined
  readonly port?: number | undefined
  readonly identity?: string | undefined
  readonly knownHosts?: string | undefined
  readonly parallel: number
  /** Milliseconds for one node. */
  readonly timeout: number
  readonly out: string
  readonly output: 'table' | 'json' | 'yaml'
}

export interface InventoryPorts {
  readonly host: Host
  /** User and port that the SSH configuration has for a host. */
  readonly sshDefaults: (host: string) => {
    readonly user?: string | undefined
    readonly port?: number | undefined
  }
  /** Prepares to ask the API server; fails when no cluster is configured. */
  connectCluster(): Promise<ClusterReader & { readonly access?: AccessReviewer }>
  /** The same for reading nodes through pods. */
  connectPods(): Promise<CollectorPods>
  /** `kim@laptop`, for those who find a pod of ours. */
  readonly owner: string
  readonly clock: Clock
  readonly files: InventoryFiles
}

export interface InventoryFiles {
  /** Undefined when it does not exist. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Names in a directory, sorted; undefined when it does not exist. */
  names(directory: string): Promise<readonly string[] | undefined>
  write(path: string, content: string | Uint8Array, mode: 0o600 | 0o644): Promise<void>
  /** In place of what has the new name; its folder is made. A missing one is no error. */
  move(from: string, to: string): Promise<void>
  /** A missing one is no error. */
  remove(path: string): Promise<void>
  sha256(bytes: Uint8Array): string
}

/**
 * Reads nodes and cluster, writes `inventory.yaml` and the bundles beside it. Exit 3 when any of them could not be read:
 * what is not known stops a move.
 */
export async function inventory(
  options: InventoryOptions,
  io: CommandIo,
  given?: InventoryPorts,
): Promise<ExitCode> {
  const ports = given ?? (await realInventoryPorts(options, io))
  if (options.cleanUp === true) return cleanUpPods(io, ports)
  checkOptions(options)
  if (options.viaPod === true) await refuseViaPod(io, ports)
  const cluster = await readCluster(options, io, ports)
  const facts = cluster?.status === 'read' ? cluster.facts : null
  const machines = await machinesToRead(options, io, ports, cluster)
  if (options.viaPod === true)
    io.err(
      `each node gets a privileged pod with the image ${options.image}, which is removed when it is read\n`,
    )
  const read = await readMachines(machines, options, io, ports)
  if (io.signal.aborted)
    throw new MigrateError('stopped before every node was read; nothing was written', {
      exitCode: io.signal.reason === 'SIGTERM' ? exitCode.terminated : exitCode.interrupted,
      hint: 'run the command again',
    })

  const nodes = nameNodes(read, facts)
  const document: Inventory = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Inventory',
    metadata: { createdAt: ports.clock.now().toISOString(), toolVersion },
    cluster,
    nodes: nodes.map(({ node }) => node),
  }
  const out = resolve(io.cwd, options.out)
  await keepOlder(out, document, io, ports.files)
  // Each is brought to the disk on its own, which takes waiting, not work.
  await inParallel(nodes, options.parallel, async ({ node, bundle }) => {
    if (node.status === 'read' && bundle !== null)
      await ports.files.write(join(out, node.bundle.file), bundle, 0o600)
  })
  // A document that its own readers would refuse must not be written.
  await ports.files.write(join(out, 'inventory.yaml'), yaml(inventorySchema.parse(document)), 0o644)

  if (options.output === 'table') io.out(inventoryTable(document, io.columns))
  else io.out(options.output === 'json' ? json(document) : yaml(document))
  for (const line of otherNodes(document)) io.err(`${mark('warn', 'note')}: ${line}\n`)
  const bundles = nodes.filter(({ bundle }) => bundle !== null).length
  const secrets =
    bundles === 0 ? '' : `, and ${count(bundles, 'bundle')} with the secrets of the nodes (0600)`
  io.err(`written: ${join(options.out, 'inventory.yaml')}${secrets}\n`)
  const complete = (cluster === null || isWhole(cluster)) && nodes.every(({ node }) => node.status === 'read')
  if (complete) return exitCode.ok
  if (cluster?.status === 'read') await refuseMissing(io, ports)
  return exitCode.inhibitors
}

/** A pod that was made and cannot be removed again would be worse than none. */
async function refuseViaPod(io: CommandIo, ports: InventoryPorts): Promise<void> {
  const { access } = await ports.connectCluster()
  if (access !== undefined) await refuseMissingPermissions('inventory --via-pod', access, io.signal)
}

/** What could not be read for want of a permission is another matter than what is broken. */
async function refuseMissing(io: CommandIo, ports: InventoryPorts): Promise<void> {
  const { access } = await ports.connectCluster()
  if (access !== undefined) await refuseKnownMissingPermissions('inventory', access, io.signal)
}

/** Prints the collector. */
export async function inventoryScript(_options: object, io: CommandIo): Promise<ExitCode> {
  const { collectorScript } = await import('../adapters/collector.ts')
  io.out(collectorScript())
  return exitCode.ok
}

/** Removes what `--via-pod` left behind when it was killed. */
async function cleanUpPods(io: CommandIo, ports: InventoryPorts): Promise<ExitCode> {
  const { removed, left } = await (await ports.connectPods()).cleanUp(ports.owner, io.signal)
  for (const pod of removed) io.out(`removed ${pod}\n`)
  for (const pod of left) io.err(`${mark('warn', `left alone: ${pod}`)}, which may still be in use\n`)
  if (removed.length + left.length === 0) io.err('there is no pod of k3os-migrate\n')
  return exitCode.ok
}

async function readCluster(
  options: InventoryOptions,
  io: CommandIo,
  ports: InventoryPorts,
): Promise<Inventory['cluster']> {
  // Archives come from places without network; there a cluster is asked only when it is named.
  const { kubeconfig, kubeconfigFrom, context } = options
  const named = [kubeconfig, kubeconfigFrom, context].some((choice) => choice !== undefined)
  if (!options.cluster || (options.fromDir !== undefined && !named)) return null
  try {
    const reader = await ports.connectCluster()
    const facts = await reader.read(io.signal, {
      helmReleases: options.helmReleases === true,
      appliedKinds: true,
    })
    io.err(`cluster: read from ${facts.server}, ${count(facts.nodes.length, 'node')}\n`)
    for (const { reason } of facts.failures) io.err(`${mark('bad', 'cluster: not read')}: ${reason}\n`)
    for (const { reason } of facts.lastAppliedUnread ?? [])
      io.err(`${mark('warn', 'cluster: API versions of what was applied')}: ${reason}\n`)
    if (facts.helmReleases?.status === 'error')
      io.err(`${mark('bad', 'cluster: Helm releases not read')}: ${facts.helmReleases.reason}\n`)
    return { status: 'read', readAt: ports.clock.now().toISOString(), facts }
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    io.err(`${mark('bad', 'cluster: not read')}: ${error.message} (--no-cluster leaves it out)\n`)
    return { status: 'error', reason: error.message }
  }
}

function isWhole(cluster: NonNullable<Inventory['cluster']>): boolean {
  return cluster.status === 'read' && cluster.facts.failures.length === 0
}

interface NamedNode {
  readonly node: InventoryNode
  readonly bundle: Uint8Array | null
}

function nameNodes(machines: readonly ReadMachine[], cluster: ClusterFacts | null): NamedNode[] {
  const names = nameMachines(machines, cluster)
  const nodes = machines.map(({ address, reading }, index): NamedNode => {
    const name = names[index] ?? ''
    if (reading.status === 'error')
      return { node: { name, address, status: 'error', reason: reading.reason }, bundle: null }
    const { readAt, how, sha256, facts, bundle } = reading
    const file = `bundles/${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.bundle`
    return { node: { name, address, status: 'read', readAt, how, bundle: { file, sha256 }, facts }, bundle }
  })
  return nodes.toSorted((a, b) => (a.node.name < b.node.name ? -1 : 1))
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

/** Ports against the world, built only when they are needed. */
export async function realInventoryPorts(options: InventoryOptions, io: CommandIo): Promise<InventoryPorts> {
  const [{ sshHost }, { readSshConfig }, { systemClock }, { sshSettings }] = await Promise.all([
    import('../adapters/ssh.ts'),
    import('../adapters/ssh/route.ts'),
    import('../adapters/clock.ts'),
    import('./ssh-settings.ts'),
  ])
  const settings = sshSettings(options, io)
  const host = sshHost(settings)
  await host.openNamedKeys()
  const config = await readSshConfig(settings.configFile)
  for (const part of config?.leftOut ?? [])
    io.err(`${mark('warn', `${part} is not understood and left out`)}\n`)
  const chooseKubeconfig = async (): Promise<KubeconfigChoice> => {
    const { context, kubeconfig: file, kubeconfigFrom: from } = options
    if (from !== undefined) {
      const address = sshAddress(parseHost(from), options, (name) => sshWay(config, name))
      return { text: await kubeconfigOf(host, address, io.signal), context }
    }
    return { kubeconfig: file === undefined ? undefined : resolve(io.cwd, file), context }
  }
  let chosen: Promise<KubeconfigChoice> | undefined
  const kubeconfig = async (): Promise<KubeconfigChoice> => (chosen ??= chooseKubeconfig())
  let pods: Promise<CollectorPods> | undefined
  return {
    host,
    sshDefaults: (host) => sshWay(config, host),
    async connectCluster() {
      const { connectCluster } = await import('../adapters/kube.ts')
      const { reader, access } = await connectCluster(await kubeconfig(), io.env)
      return { ...reader, access }
    },
    async connectPods() {
      const { connectCollectorPods } = await import('../adapters/kube-pods.ts')
      return (pods ??= kubeconfig().then(async (choice) => connectCollectorPods(choice, io.env)))
    },
    owner: `${userInfo().username}@${hostname()}`,
    clock: systemClock,
    files: inventoryFiles,
  }
}

export const inventoryFiles: InventoryFiles = {
  // The largest that is read here is a bundle.
  read: async (path) => readIfPresent(path, maxBundleBytes),
  names: namesIn,
  move: moveFile,
  remove: removeFile,
  write: (path, content, mode) => writeDurably(path, content, mode),
  sha256,
}

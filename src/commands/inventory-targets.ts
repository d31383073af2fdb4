import { join, resolve } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import { compareText } from '../core/findings.ts'
import { type HostEntry, parseHost, parseHostsFile } from '../core/hosts-file.ts'
import type { Inventory, KubeNode } from '../core/inventory.ts'
import type { HostAddress } from '../migrate/ports.ts'
import type { CommandIo } from './io.ts'
import type { InventoryOptions, InventoryPorts } from './inventory.ts'

/** Where one machine is read from. */
export type MachineToRead =
  | { readonly from: 'ssh'; readonly given: string | undefined; readonly address: HostAddress }
  | { readonly from: 'file'; readonly file: string; readonly label: string }
  | {
      readonly from: 'pod'
      readonly given: string
      /** InternalIP, where there is one. */
      readonly host: string | null
      readonly image: string
    }
  /** Known, but there is no way to it. */
  | { readonly from: 'nowhere'; readonly given: string; readonly reason: string }

/** The machines the user means: arguments and hosts file, else a folder of bundles, else the k3OS nodes of the cluster. */
export async function machinesToRead(
  options: InventoryOptions,
  io: CommandIo,
  ports: InventoryPorts,
  cluster: Inventory['cluster'],
): Promise<MachineToRead[]> {
  const { host, hosts, fromDir } = options
  if (options.viaPod === true) return podMachines(options, cluster)
  if (fromDir !== undefined) {
    if (host.length > 0 || hosts !== undefined)
      throw new MigrateError('--from-dir reads archives, so it takes no hosts', {
        exitCode: exitCode.usage,
        hint: 'give either hosts or --from-dir',
      })
    return bundlesIn(fromDir, io, ports)
  }
  const fromFile = hosts === undefined ? [] : await readHostsFile(hosts, io, ports)
  const entries = [...host.map((text) => parseHost(text)), ...fromFile]
  if (entries.length > 0) return withoutDoubles(entries.map((entry) => overSsh(entry, options, ports)))
  return clusterMachines(options, ports, cluster)
}

async function readHostsFile(file: string, io: CommandIo, ports: InventoryPorts): Promise<HostEntry[]> {
  const bytes = await ports.files.read(resolve(io.cwd, file))
  if (bytes === undefined)
    throw new MigrateError(`cannot read ${file}: it does not exist`, {
      exitCode: exitCode.io,
      hint: 'give a file with one host per line: --hosts hosts.txt',
    })
  return parseHostsFile(new TextDecoder().decode(bytes), file)
}

async function bundlesIn(directory: string, io: CommandIo, ports: InventoryPorts): Promise<MachineToRead[]> {
  const path = resolve(io.cwd, directory)
  const names = (await ports.files.names(path))?.filter((name) => name.endsWith('.bundle')) ?? []
  if (names.length === 0)
    throw new MigrateError(`there is no *.bundle in ${directory}`, {
      exitCode: exitCode.io,
      hint: 'collect one on each node: k3os-migrate inventory script > collect.sh, there: (umask 077; sudo sh collect.sh > NAME.bundle)',
    })
  return names.map((name) => ({
    from: 'file',
    file: join(path, name),
    label: name.slice(0, -'.bundle'.length),
  }))
}

function overSsh(
  entry: HostEntry,
  options: InventoryOptions,
  ports: InventoryPorts,
): MachineToRead & { from: 'ssh' } {
  return { from: 'ssh', given: entry.name, address: sshAddress(entry, options, ports.sshDefaults) }
}

/** What the user says of this host, else of all, else in the SSH configuration, else what k3OS has. */
export function sshAddress(
  entry: HostEntry,
  options: Pick<InventoryOptions, 'user' | 'port'>,
  usually: InventoryPorts['sshDefaults'],
): HostAddress {
  const { name, host } = entry
  const usual = usually(host)
  return {
    name: name ?? host,
    host,
    port: entry.port ?? options.port ?? usual.port ?? 22,
    user: entry.user ?? options.user ?? usual.user ?? 'rancher',
  }
}

function withoutDoubles(machines: readonly (MachineToRead & { from: 'ssh' })[]): MachineToRead[] {
  const seen = new Set<string>()
  for (const { given, address } of machines)
    for (const key of [
      `${address.host}:${address.port}`,
      ...(given === undefined ? [] : [`name ${given}`]),
    ]) {
      if (seen.has(key))
        throw new MigrateError(`${key} is given twice`, {
          exitCode: exitCode.usage,
          hint: 'name each machine once',
        })
      seen.add(key)
    }
  return [...machines]
}

/** Mistakes that are said before anything is asked. */
export function checkOptions(options: InventoryOptions): void {
  const { viaPod, image, hosts, fromDir, helmReleases, cluster, kubeconfig, kubeconfigFrom, context } =
    options
  const usage = (message: string, hint: string): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.usage, hint })
  const named = [kubeconfig, kubeconfigFrom, context].some((choice) => choice !== undefined)
  if (helmReleases === true && (!cluster || (fromDir !== undefined && !named)))
    throw usage(
      '--helm-releases asks the cluster, which is left out',
      fromDir === undefined ? 'leave --no-cluster out' : 'name the cluster: --kubeconfig k3s.yaml',
    )
  if (viaPod !== true) {
    if (image !== undefined) throw usage('--image is for pods', 'give --via-pod too')
    return
  }
  if (image === undefined)
    throw usage(
      '--via-pod needs an image for its pods',
      'any that the nodes have or can get, with sh, sleep and chroot: --image busybox:1.36',
    )
  if (hosts !== undefined || fromDir !== undefined)
    throw usage(
      `--via-pod takes names of nodes as arguments, no ${hosts === undefined ? 'folder' : 'hosts file'}`,
      'k3os-migrate inventory --help',
    )
}

/** Through a pod on each of them; arguments are names of Nodes. */
function podMachines(
  { host: wanted, image = '' }: InventoryOptions,
  cluster: Inventory['cluster'],
): MachineToRead[] {
  const nodes = k3osNodes(cluster)
  const unknown = wanted.find((name) => nodes.every((node) => node.name !== name))
  if (unknown !== undefined)
    throw new MigrateError(`the cluster has no k3OS node "${unknown}"`, {
      exitCode: exitCode.usage,
      hint: `nodes: ${nodes.map(({ name }) => name).join(', ')}`,
    })
  return nodes
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
    .map((node) => ({ from: 'pod', given: node.name, host: internalIp(node) ?? null, image }))
}

function clusterMachines(
  options: InventoryOptions,
  ports: InventoryPorts,
  cluster: Inventory['cluster'],
): MachineToRead[] {
  return k3osNodes(cluster).map((node): MachineToRead => {
    const host = internalIp(node)
    if (host === undefined)
      return { from: 'nowhere', given: node.name, reason: 'its Node object has no InternalIP' }
    return overSsh({ name: node.name, user: undefined, host, port: undefined }, options, ports)
  })
}

/** The k3OS nodes of a cluster that was asked for them. */
function k3osNodes(cluster: Inventory['cluster']): KubeNode[] {
  const give = 'name the nodes: k3os-migrate inventory n1=10.0.0.5 n2=10.0.0.6'
  if (cluster === null)
    throw new MigrateError('no host is given, and the cluster is not to be asked', {
      exitCode: exitCode.usage,
      hint: give,
    })
  if (cluster.status === 'error')
    throw new MigrateError(
      `no host is given, and the cluster does not say which there are: ${cluster.reason}`,
      {
        exitCode: exitCode.inhibitors,
        hint: give,
      },
    )
  const nodes = cluster.facts.nodes.filter(isK3osNode)
  if (nodes.length === 0)
    throw new MigrateError(`none of the ${cluster.facts.nodes.length} nodes of the cluster runs k3OS`, {
      exitCode: exitCode.inhibitors,
      hint: give,
    })
  return nodes
}

/** rancher/k3os labels its nodes through k3s's `--node-label`, pkg/cc/funcs.go; the image is what the kubelet reports. */
function isK3osNode(node: KubeNode): boolean {
  return 'k3os.io/mode' in node.labels || /^k3os\b/i.test(node.osImage)
}

function internalIp(node: KubeNode): string | undefined {
  return node.addresses.find(({ type }) => type === 'InternalIP')?.address
}

/** Nodes of the cluster that are not in the inventory: never left out without a word. */
export function otherNodes({ cluster, nodes }: Inventory): string[] {
  if (cluster?.status !== 'read') return []
  const names = new Set(nodes.map((node) => node.name))
  return cluster.facts.nodes
    .filter((node) => !names.has(node.name))
    .toSorted((a, b) => compareText(a.name, b.name))
    .map((node) =>
      isK3osNode(node)
        ? `the k3OS node ${node.name} of the cluster was not read, as it was not asked for`
        : `the node ${node.name} is left out: it runs ${node.osImage}`,
    )
}

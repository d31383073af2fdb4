import type { Assessment } from './assessment.ts'
import { joinMachines, type Machine, type SettledByPlan } from './assess/context.ts'
import { canonicalJson } from './canonical.ts'
import { pausesOf } from './competing.ts'
import { classifyPods } from './drain.ts'
import { exitCode, MigrateError } from './errors.ts'
import { compareText, isInhibitor, type Finding } from './findings.ts'
import { unfitInPlace } from './in-place/fitness.ts'
import type { ClusterFacts, Inventory, InventoryNode, KubeNode, NodeFacts } from './inventory.ts'
import { methods } from './methods.ts'
import { orderNodes, type NodeToOrder, type PlacedNode } from './node-order.ts'
import { baselineOf, clusterGates, stateDiskSerial, volumesOf } from './plan-fingerprint.ts'
import {
  soakDefaults,
  stepDefaults,
  type Plan,
  type PlanNode,
  type PlanTree,
  type StepId,
  type Waiver,
} from './plan.ts'
import type { MaintenanceWindow } from './windows.ts'

/** How the machines get their new system. */
export type Rebuild =
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'manual' }
  | { readonly kind: 'in-place'; readonly tree: PlanTree; readonly deadlineSeconds: number }

export interface PlanChoices {
  readonly target: string
  readonly rebuild: Rebuild
  /** In place the data always stays. */
  readonly keepsData: boolean
  readonly deleteEmptyDir: boolean
  readonly abandonPods: readonly string[]
  /** `strict` when left out. */
  readonly drainMode?: Plan['policy']['drainMode']
  /** `auto` when left out. */
  readonly onDrainFailure?: Plan['policy']['onDrainFailure']
  /** Whether controllers that work on nodes by themselves stand still meanwhile; they do when left out. */
  readonly pauses?: boolean
  readonly waivers: readonly Waiver[]
  /** Names to move; null = every node that runs k3OS. */
  readonly only: readonly string[] | null
  readonly exclude: readonly string[]
  /** Moved after all others of their role. */
  readonly last?: readonly string[]
  readonly user: string
  readonly maxAgeHours: number
  readonly windows?: readonly MaintenanceWindow[]
  /** How long nodes are watched afterwards; the defaults when left out, null for not at all. */
  readonly soak?: { readonly [kind in keyof typeof soakDefaults]?: number } | null
  /** Instead of the default of a step, in ms. */
  readonly timeouts?: Readonly<Partial<Record<StepId, number>>>
}

export interface PlanInput {
  readonly inventory: Inventory
  readonly inventoryFile: string
  readonly inventorySha256: string
  /** Made with `settledBy(inventory, choices)` and the same waivers. */
  readonly assessment: Assessment
  readonly choices: PlanChoices
  /** By name in the inventory: SHA-256 over the translated files, and of each source of the configuration. */
  readonly digests: ReadonlyMap<string, NodeDigests>
  readonly waiversSha256: string | null
  readonly metadata: Plan['metadata']
  readonly sha256: (content: string | Uint8Array) => string
}

export interface NodeDigests {
  readonly translation: string
  readonly config: Readonly<Record<string, string>>
}

interface Candidate extends NodeToOrder {
  readonly entry: Extract<InventoryNode, { status: 'read' }>
  readonly facts: NodeFacts
  readonly node: KubeNode
  readonly address: string
  readonly keptData: readonly string[]
}

/** What choices settle before they are planned: `assess` says it, and does not count it as an inhibitor. */
export function settledBy(inventory: Inventory, choices: PlanChoices): SettledByPlan {
  const cluster = clusterOf(inventory)
  const keptData = new Map<string, readonly string[]>()
  if (choices.keepsData) {
    for (const machine of joinMachines(inventory)) keptData.set(machine.name, dataOn(machine, cluster))
  }
  return {
    deleteEmptyDir: choices.deleteEmptyDir,
    abandonPods: [...choices.abandonPods],
    keptData,
    pauses: choices.pauses !== false,
    upgradesOff: wantedMachines(inventory, choices).map(({ name }) => name),
  }
}

/**
 * Inventory and choices to a plan: which nodes, in which order, with which steps. Refuses (exit 3) when something speaks
 * against it that no waiver covers. Same input, same order, same digest.
 */
export function makePlan(input: PlanInput): Plan {
  const { inventory, choices } = input
  const cluster = clusterOf(inventory)
  const chosen = candidates(inventory, cluster, choices)
  refuseInhibitors(input.assessment, chosen)
  const nodes = orderNodes(chosen, serversIn(inventory)).map((placed) => planNode(placed, input, cluster))
  const plan: Omit<Plan, 'digest'> = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Plan',
    metadata: input.metadata,
    cluster: { server: cluster.server, uid: cluster.uid, version: cluster.version },
    inventory: { file: input.inventoryFile, sha256: input.inventorySha256 },
    target: choices.target,
    method: methodOf(choices),
    policy: {
      deleteEmptyDir: choices.deleteEmptyDir,
      abandonPods: [...choices.abandonPods],
      drainMode: choices.drainMode ?? 'strict',
      onDrainFailure: choices.onDrainFailure ?? 'auto',
      maxAgeHours: choices.maxAgeHours,
      windows: (choices.windows ?? []).map((window) => ({ ...window, days: [...window.days] })),
    },
    waivers: [...choices.waivers],
    waiversSha256: input.waiversSha256,
    gates: clusterGates(cluster, input.sha256),
    pauses: choices.pauses === false ? [] : pausesOf(cluster),
    nodes,
  }
  return { ...plan, digest: planDigest(plan, (text) => input.sha256(text)) }
}

/** `sha256:<hex>` over the canonical plan without its digest. */
export function planDigest(
  plan: Omit<Plan, 'digest'> & { readonly digest?: string },
  sha256: (text: string) => string,
): string {
  const { digest: _, ...body } = plan
  return `sha256:${sha256(canonicalJson(body))}`
}

function methodOf({ rebuild, keepsData }: PlanChoices): Plan['method'] {
  const hasPointOfNoReturn = !methods[rebuild.kind].canRevert
  switch (rebuild.kind) {
    case 'command':
      return { kind: 'command', argv: [...rebuild.argv], keepsData, hasPointOfNoReturn }
    case 'manual':
      return { kind: 'manual', keepsData, hasPointOfNoReturn }
    case 'in-place':
      return { ...rebuild, keepsData: true, hasPointOfNoReturn }
  }
}

function clusterOf(inventory: Inventory): ClusterFacts {
  if (inventory.cluster?.status === 'read') return inventory.cluster.facts
  const why = inventory.cluster === null ? 'was made without a cluster' : 'could not read the cluster'
  throw new MigrateError(`a plan needs the cluster, and this inventory ${why}`, {
    exitCode: exitCode.inhibitors,
    hint: 'k3os-migrate inventory --kubeconfig FILE',
  })
}

function candidates(inventory: Inventory, cluster: ClusterFacts, choices: PlanChoices): Candidate[] {
  const machines = joinMachines(inventory)
  const known = new Set(machines.map(({ name }) => name))
  for (const name of [...(choices.only ?? []), ...choices.exclude, ...(choices.last ?? [])]) {
    if (known.has(name)) continue
    throw new MigrateError(`the inventory has no node ${name}`, {
      exitCode: exitCode.usage,
      hint: `it has ${[...known].toSorted().join(', ')}`,
    })
  }
  const wanted = wantedMachines(inventory, choices)
  if (wanted.length > 0) return wanted.map((machine) => candidate(machine, cluster, choices))
  throw new MigrateError('there is nothing to plan: no node of the inventory runs k3OS', {
    exitCode: exitCode.usage,
    hint: 'k3os-migrate inventory shows what every node runs',
  })
}

function wantedMachines(inventory: Inventory, { only, exclude }: PlanChoices): Machine[] {
  return joinMachines(inventory).filter(
    ({ name, runsK3os }) => !exclude.includes(name) && (only === null ? runsK3os : only.includes(name)),
  )
}

function candidate(machine: Machine, cluster: ClusterFacts, choices: PlanChoices): Candidate {
  const { entry, facts, node, name } = machine
  const cannot = (why: string, hint: string): MigrateError =>
    new MigrateError(`${name} cannot be planned: ${why}`, { exitCode: exitCode.inhibitors, hint })
  if (entry?.status !== 'read' || facts === null) {
    throw cannot(
      'nobody could read the machine',
      `k3os-migrate inventory, or leave it out: --exclude ${name}`,
    )
  }
  if (node === null) throw cannot('the cluster has no such Node', `leave it out: --exclude ${name}`)
  const { role } = facts.k3s
  if (role !== 'server' && role !== 'agent') {
    throw cannot('whether it is a server or an agent is not known', 'look at /etc/init.d/k3s-service on it')
  }
  if (role === 'server' && !choices.keepsData && facts.k3s.datastore !== 'external') {
    throw cannot(
      `its disk holds the datastore (${facts.k3s.datastore}), and nobody said that it is kept`,
      `a rebuild that leaves /var/lib/rancher alone: --keeps-data, or --in-place; or leave it out: --exclude ${name}`,
    )
  }
  const unfit = choices.rebuild.kind === 'in-place' ? unfitInPlace(facts, choices.rebuild.tree) : null
  if (unfit !== null)
    throw cannot(
      unfit,
      `mend it, rebuild it in another way (--hook, --by-hand), or leave it out: --exclude ${name}`,
    )
  const { evict } = classifyPods(machine.pods, {
    daemonSetExists: (namespace, daemonSet) =>
      cluster.daemonSets.some((one) => one.namespace === namespace && one.name === daemonSet),
    deleteEmptyDir: true,
    force: true,
  })
  const volumes = localPaths(name, cluster)
  return {
    name,
    role,
    datastore: facts.k3s.datastore,
    entry,
    facts,
    node,
    address: machine.address,
    keptData: choices.keepsData ? dataOn(machine, cluster) : [],
    hasLocalData: volumes.length > 0,
    evictions: evict.length,
    localBytes: facts.localVolumes.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    last: choices.last?.includes(name) === true,
  }
}

/** Servers of the cluster, whether they are moved or not: the last one is the API. */
function serversIn(inventory: Inventory): number {
  return joinMachines(inventory).filter(
    ({ facts, node }) =>
      facts?.k3s.role === 'server' ||
      (facts === null &&
        Object.keys(node?.labels ?? {}).some((label) =>
          /^node-role\.kubernetes\.io\/(control-plane|master|etcd)$/.test(label),
        )),
  ).length
}

/** Directories whose content must be the same afterwards; the server's CA stands for its whole state. */
function dataOn({ name, facts }: Machine, cluster: ClusterFacts): string[] {
  const server = facts?.k3s.role === 'server' ? ['/var/lib/rancher/k3s/server/tls'] : []
  return [...localPaths(name, cluster), ...server].toSorted(compareText)
}

function localPaths(node: string, cluster: ClusterFacts): string[] {
  return cluster.persistentVolumes
    .filter(({ nodes, path }) => nodes.includes(node) && path !== null)
    .map(({ path }) => path ?? '')
}

function refuseInhibitors(assessment: Assessment, chosen: readonly Candidate[]): void {
  const names = new Set(chosen.map(({ name }) => name))
  const others = new Set(assessment.fit.map(({ node }) => node).filter((node) => !names.has(node)))
  const stopping = assessment.findings.filter((f) => isInhibitor(f) && !onlyAbout(f, others))
  const [first] = stopping
  if (first === undefined) return
  const more = stopping.length === 1 ? '' : ` (and ${stopping.length - 1} more)`
  throw new MigrateError(`no plan: ${first.summary}${more}`, {
    exitCode: exitCode.inhibitors,
    hint: 'k3os-migrate assess lists what to do about each; what you accept goes into --waivers FILE by its key',
  })
}

/** A finding about a node that stays as it is does not stop the others. */
function onlyAbout(f: Finding, nodes: ReadonlySet<string>): boolean {
  return f.subject.kind === 'Node' && f.subject.name !== null && nodes.has(f.subject.name)
}

function planNode(
  { node: candidate, canary, why }: PlacedNode<Candidate>,
  input: PlanInput,
  cluster: ClusterFacts,
): PlanNode {
  const { name, role, entry, facts, node } = candidate
  const { choices, sha256 } = input
  const digests = input.digests.get(entry.name)
  if (digests === undefined) throw new Error(`${name} was not translated`)
  const soakMs = soakOf(choices, canary ? 'canaryMs' : `${role}Ms`)
  return {
    name,
    role,
    address: parseAddress(entry.address ?? candidate.address, choices.user),
    why,
    canary,
    fingerprint: {
      nodeUid: node.uid,
      systemUuid: node.systemUuid,
      diskSerial: stateDiskSerial(facts),
      config: { ...digests.config },
      baseline: { ...baselineOf(node, sha256) },
      volumes: { ...volumesOf(node, cluster, sha256) },
      bundleSha256: entry.bundle.sha256,
      translationSha256: digests.translation,
    },
    bundleFile: entry.bundle.file,
    keptData: [...candidate.keptData],
    evictions: candidate.evictions,
    soakMs,
    steps: methods[choices.rebuild.kind].steps
      .filter((id) => id !== 'soak' || soakMs > 0)
      .map((id) => {
        const { title, timeoutMs } = stepDefaults[id]
        // A machine that nobody hears of goes back by itself; until then there is nothing to do but to wait.
        const ownMs = id === 'soak' ? soakMs : id === 'trial' ? deadlineMs(choices) : 0
        return { id, title, timeoutMs: choices.timeouts?.[id] ?? timeoutMs + ownMs }
      }),
  }
}

function deadlineMs({ rebuild }: PlanChoices): number {
  return rebuild.kind === 'in-place' ? rebuild.deadlineSeconds * 1000 : 0
}

function soakOf({ soak }: PlanChoices, kind: keyof typeof soakDefaults): number {
  return soak === null ? 0 : (soak?.[kind] ?? soakDefaults[kind])
}

/** `[user@]host[:port]`, an IPv6 address in brackets when a port follows. */
function parseAddress(text: string, user: string): PlanNode['address'] {
  const [, named, bracketed, host, port] =
    /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(text) ?? []
  const name = bracketed ?? host
  if (name === undefined) throw new Error(`not an address: ${text}`)
  return { host: name, port: port === undefined ? 22 : Number(port), user: named ?? user }
}

import type { Fit } from '../assessment.ts'
import type { Finding, RuleId } from '../findings.ts'
import type { ClusterFacts, Inventory, InventoryNode, KubeNode, NodeFacts, Pod } from '../inventory.ts'
import type { K3osConfig } from '../k3os/config.ts'
import type { MergedReading } from '../k3os/reading.ts'
import type { Leaving } from './leaving.ts'
import type { Plan } from '../plan.ts'
import type { Requirements } from '../requirements.ts'

/** What the configuration engine said about one node. */
export interface ConfigVerdict {
  /** `unread`: nobody could ask it; `reason` says why. */
  readonly status: 'merged' | 'rejected' | 'unread'
  readonly reason?: string
  /** What k3OS made of it, and where each value was written; of merged ones. */
  readonly config?: K3osConfig
  readonly origins?: MergedReading['origins']
  readonly findings: readonly Finding[]
}

export interface AssessedTarget {
  readonly id: string
  readonly title: string
  readonly requires: Requirements
}

/** What a plan has settled already; without a plan nothing is. Settled things are still said, but stop nothing. */
export interface SettledByPlan extends Pick<Plan['policy'], 'deleteEmptyDir' | 'abandonPods'> {
  /** Absolute paths that stay, by node name; each covers everything below it. */
  readonly keptData: ReadonlyMap<string, readonly string[]>
  /** Nodes that the run itself takes out of k3OS's own upgrade Plans. */
  readonly upgradesOff?: readonly string[]
  /** The run itself stops controllers that can be stopped. */
  readonly pauses?: boolean
}

/** One machine, seen from both sides: over SSH and through the API. */
export interface Machine {
  /** Name of the Node where there is one, else the name in the inventory. */
  readonly name: string
  readonly address: string
  readonly entry: InventoryNode | null
  readonly facts: NodeFacts | null
  readonly node: KubeNode | null
  readonly pods: readonly Pod[]
  /** Runs k3OS as far as anybody knows: it is to be moved. */
  readonly runsK3os: boolean
}

export interface AssessContext {
  readonly inventory: Inventory
  readonly cluster: ClusterFacts | null
  readonly machines: readonly Machine[]
  /** Pods that a drain would evict and that still do something, by machine. */
  readonly evicted: ReadonlyMap<string, readonly Pod[]>
  /** What becomes of them, for each machine to move that is a Node. */
  readonly leaving: ReadonlyMap<string, Leaving>
  readonly configs: ReadonlyMap<string, ConfigVerdict>
  readonly targets: readonly AssessedTarget[]
  readonly settled: SettledByPlan
  /** One row for each machine to move and target. */
  readonly fit: readonly Fit[]
}

/** One group of rules. `needs` says without which reading the rules cannot be looked at. */
export interface Check {
  readonly rules: readonly RuleId[]
  readonly needs: readonly ('cluster' | 'machines')[]
  /** Why an older inventory does not hold what the rules look at; null when it does. */
  readonly lacks?: (context: AssessContext) => string | null
  run(context: AssessContext): readonly Finding[]
}

/** Machines of the inventory and Nodes of the cluster, joined by name; the order is that of the inventory. */
export function joinMachines(inventory: Inventory): Machine[] {
  const cluster = inventory.cluster?.status === 'read' ? inventory.cluster.facts : null
  const unclaimed = new Map((cluster?.nodes ?? []).map((node) => [node.name, node]))
  const pods = Map.groupBy(cluster?.pods ?? [], ({ node }) => node)
  const machines = inventory.nodes.map((entry) => {
    const facts = entry.status === 'read' ? entry.facts : null
    const node = nodeNames(entry, facts)
      .map((name) => unclaimed.get(name))
      .find((found) => found !== undefined)
    if (node !== undefined) unclaimed.delete(node.name)
    return machine(entry, facts, node ?? null, pods)
  })
  return [...machines, ...[...unclaimed.values()].map((node) => machine(null, null, node, pods))]
}

// k3s registers the lower-cased host name (k3s-io/k3s pkg/agent/config/config.go).
function nodeNames(entry: InventoryNode, facts: NodeFacts | null): string[] {
  const names = [entry.name, entry.name.toLowerCase()]
  if (facts?.hostname) names.push(facts.hostname.toLowerCase())
  return names
}

function machine(
  entry: InventoryNode | null,
  facts: NodeFacts | null,
  node: KubeNode | null,
  pods: ReadonlyMap<string | null, readonly Pod[]>,
): Machine {
  const name = node?.name ?? entry?.name ?? ''
  const os = facts?.os.id ?? null
  return {
    name,
    address: entry?.address ?? node?.addresses.find(({ type }) => type === 'InternalIP')?.address ?? name,
    entry,
    facts,
    node,
    pods: pods.get(name) ?? [],
    runsK3os: os === null ? node === null || isK3osImage(node.osImage) : os === 'k3os',
  }
}

/** PRETTY_NAME of k3OS: rancher/k3os overlay/lib/os-release. */
export function isK3osImage(osImage: string): boolean {
  return /^k3os\b/i.test(osImage)
}

export function aboutNode(machine: Machine): { kind: string; name: string; uid: string | null } {
  return { kind: 'Node', name: machine.name, uid: machine.node?.uid ?? null }
}

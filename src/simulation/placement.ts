import type { KubeNode, PersistentVolume, Pod } from '../core/inventory.ts'
import { parseQuantity } from '../core/quantity.ts'
import { repellingTaint, suitsNode, takenPort } from '../core/scheduler/node-rules.ts'
import { placementRules, type PlacementRules, type PodTerm } from '../core/scheduler/placement-rules.ts'
import { matchesSelector } from '../core/selector.ts'

/** What a scheduler sees when it seeks a place for one pod. */
export interface Seen {
  /** As the API server shows them. */
  readonly nodes: readonly KubeNode[]
  readonly pods: readonly Pod[]
  readonly volumes: readonly PersistentVolume[]
}

/**
 * The node for a pod, as the scheduler's filters and the two scores that matter here would choose: rather none with a
 * `PreferNoSchedule` taint, then the one with the fewest pods. undefined when none suits: the pod waits.
 */
export function placeFor(pod: Pod, { nodes, pods, volumes }: Seen): string | undefined {
  const rules = placementRules(pod)
  const byNode = Map.groupBy(
    pods.filter((one) => one.node !== null && one.phase !== 'Succeeded' && one.phase !== 'Failed'),
    ({ node }) => node ?? '',
  )
  const domains = domainsOf(nodes, byNode)
  const suitable = nodes.filter((node) => {
    const there = byNode.get(node.name) ?? []
    return (
      node.ready &&
      !node.unschedulable &&
      repellingTaint(pod, node) === undefined &&
      suitsNode(pod, rules, node) &&
      holdsVolumes(pod, node, volumes) &&
      hasRoom(rules, node, there) &&
      there.every((other) => takenPort(pod.scheduling.hostPorts, other.scheduling.hostPorts) === undefined) &&
      rules.apart.every((term) => domains(term, node).length === 0) &&
      rules.near.every((term) => domains(term, node).length > 0 || isFirstOfItsKind(term, pod, pods))
    )
  })
  const reluctance = (node: KubeNode) =>
    node.taints.filter(({ effect }) => effect === 'PreferNoSchedule').length
  const load = ({ name }: KubeNode) => byNode.get(name)?.length ?? 0
  return suitable.toSorted(
    (a, b) => reluctance(a) - reluctance(b) || load(a) - load(b) || (a.name < b.name ? -1 : 1),
  )[0]?.name
}

function holdsVolumes(pod: Pod, node: KubeNode, volumes: readonly PersistentVolume[]): boolean {
  const claims = pod.volumes.map(({ claim }) => claim).filter((claim) => claim !== null)
  const own = [node.name, node.labels['kubernetes.io/hostname'] ?? node.name]
  return volumes
    .filter(({ claim }) => claim?.namespace === pod.namespace && claims.includes(claim.name))
    .every(({ nodes }) => nodes.length === 0 || nodes.some((name) => own.includes(name)))
}

function hasRoom({ requests }: PlacementRules, node: KubeNode, there: readonly Pod[]): boolean {
  const most = node.allocatable['pods']
  if (most !== undefined && there.length + 1 > parseQuantity(most) / 1000) return false
  return requests.every(([resource, amount]) => {
    const offered = node.allocatable[resource]
    // A node that does not tell what it has cannot be said to be full of cpu or memory; other resources it lacks.
    if (offered === undefined) return resource === 'cpu' || resource === 'memory'
    const used = there.reduce((sum, { requests: own }) => sum + parseQuantity(own[resource] ?? '0'), 0)
    return used + amount <= parseQuantity(offered)
  })
}

/** Pods that a term of (anti-)affinity selects and that run in the same domain as the node. */
function domainsOf(
  nodes: readonly KubeNode[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
): (term: PodTerm, node: KubeNode) => Pod[] {
  return (term, node) => {
    const domain = node.labels[term.topologyKey]
    if (domain === undefined) return []
    return nodes
      .filter(({ labels }) => labels[term.topologyKey] === domain)
      .flatMap(({ name }) => byNode.get(name) ?? [])
      .filter((other) => selects(term, other))
  }
}

function selects({ selector, namespaces }: PodTerm, pod: Pod): boolean {
  // Which namespaces are meant is not known: to take them all keeps pods apart rather than together.
  const meant = namespaces === 'all' || namespaces === 'unknown' || namespaces.includes(pod.namespace)
  return meant && selector !== null && matchesSelector(pod.labels, selector)
}

/** The first pod of a group that wants to be together has nobody to be near to. */
function isFirstOfItsKind(term: PodTerm, pod: Pod, pods: readonly Pod[]): boolean {
  return (
    selects(term, pod) && !pods.some((other) => other.node !== null && other !== pod && selects(term, other))
  )
}

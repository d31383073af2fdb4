import type { KubeNode, Pod } from '../inventory.ts'
import { matchesSelector } from '../selector.ts'
import { repellingTaint, suitsNode } from './node-rules.ts'
import type { PlacementRules, PodTerm, SpreadRule } from './placement-rules.ts'

/**
 * Which pods stand where, for rules of a pod about other pods: required affinity and anti-affinity, and spread
 * (kubernetes/kubernetes pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread}).
 */
export interface Neighbours {
  readonly nodes: ReadonlyMap<string, KubeNode>
  /** Pods with the name of their node, by namespace. */
  readonly podsIn: ReadonlyMap<string, readonly Standing[]>
  /** Each different anti-affinity of running pods once, by the namespaces it means; `*` = all of them. */
  readonly guards: ReadonlyMap<string, readonly Guard[]>
  /** Counts that many pods ask for, by their question. */
  readonly counts: Map<string, ReadonlyMap<string, number>>
  readonly grounds: Map<string, Ground>
}

interface Standing {
  readonly pod: Pod
  readonly on: string
}

interface Guard {
  readonly term: PodTerm
  /** How many pods have it on which node. */
  readonly podsOn: ReadonlyMap<string, number>
  readonly key: string
}

/** Where a spread rule counts, before anything moves. */
interface Ground {
  readonly nodes: ReadonlySet<KubeNode>
  /** By value of the topology key. */
  readonly domains: ReadonlyMap<string, { readonly nodes: number; readonly pods: number }>
}

/** What changes while a node is drained: these pods leave it, those stand elsewhere again. */
export interface Moves {
  readonly from: KubeNode
  readonly leaving: readonly Pod[]
  readonly placed: readonly { readonly pod: Pod; readonly node: KubeNode }[]
}

export function readNeighbours(
  nodes: readonly KubeNode[],
  podsOn: ReadonlyMap<string, readonly Pod[]>,
  rulesOf: (pod: Pod) => PlacementRules | null,
): Neighbours {
  const guards = new Map<string, { term: PodTerm; podsOn: Map<string, number>; key: string }>()
  for (const [node, pods] of podsOn)
    for (const pod of pods)
      for (const term of pod.scheduling.affinity === null ? [] : (rulesOf(pod)?.apart ?? [])) {
        const key = JSON.stringify(term)
        const guard = guards.get(key) ?? { term, podsOn: new Map<string, number>(), key }
        guards.set(key, guard)
        guard.podsOn.set(node, (guard.podsOn.get(node) ?? 0) + 1)
      }
  return {
    nodes: new Map(nodes.map((node) => [node.name, node])),
    podsIn: Map.groupBy(
      [...podsOn].flatMap(([on, pods]) => pods.map((pod) => ({ pod, on }))),
      ({ pod }) => pod.namespace,
    ),
    guards: byNamespace([...guards.values()]),
    counts: new Map(),
    grounds: new Map(),
  }
}

function byNamespace(guards: readonly Guard[]): ReadonlyMap<string, readonly Guard[]> {
  const found = new Map<string, Guard[]>()
  for (const guard of guards) {
    const { namespaces } = guard.term
    for (const name of typeof namespaces === 'string' ? ['*'] : namespaces)
      found.set(name, [...(found.get(name) ?? []), guard])
  }
  return found
}

/** Values of the topology key where pods of another pod's anti-affinity stand, each with the text of the rule. */
export function guardedDomains(
  pod: Pod,
  around: Neighbours,
  moves: Moves,
  rulesOf: (pod: Pod) => PlacementRules | null,
): readonly { readonly topologyKey: string; readonly domains: ReadonlySet<string> }[] {
  const near = [...(around.guards.get(pod.namespace) ?? []), ...(around.guards.get('*') ?? [])]
  const guarded = near
    .filter(({ term }) => selects(term, pod))
    .map(({ term, podsOn, key }) => {
      const has = (one: Pod): boolean =>
        (rulesOf(one)?.apart ?? []).some((own) => JSON.stringify(own) === key)
      return {
        topologyKey: term.topologyKey,
        domains: domainsOf(podsOn, term.topologyKey, around.nodes, moves, has),
      }
    })
  // Pods that were placed just now are not among the counted ones when nothing like them ran elsewhere.
  const fresh = moves.placed.flatMap(({ pod: other, node }) =>
    (rulesOf(other)?.apart ?? [])
      .filter((term) => selects(term, pod))
      .map(({ topologyKey }) => ({
        topologyKey,
        domains: new Set(Object.hasOwn(node.labels, topologyKey) ? [node.labels[topologyKey] ?? ''] : []),
      })),
  )
  return [...guarded, ...fresh]
}

/** Values of the term's topology key where a pod stands that the term selects. */
export function domainsWith(term: PodTerm, around: Neighbours, moves: Moves): ReadonlySet<string> {
  const podsOn = countOn(term, around)
  return domainsOf(podsOn, term.topologyKey, around.nodes, moves, (pod) => selects(term, pod))
}

/** Whether the term means the pod. Namespaces that are not known count as all: rather an obstacle too many. */
export function selects(
  { selector, namespaces }: Pick<PodTerm, 'selector' | 'namespaces'>,
  pod: Pod,
): boolean {
  if (selector === null) return false
  if (typeof namespaces !== 'string' && !namespaces.includes(pod.namespace)) return false
  return matchesSelector(pod.labels, selector)
}

function countOn(
  term: Pick<PodTerm, 'selector' | 'namespaces'>,
  around: Neighbours,
): ReadonlyMap<string, number> {
  const key = JSON.stringify([term.namespaces, term.selector])
  const known = around.counts.get(key)
  if (known !== undefined) return known
  const counted = new Map<string, number>()
  const { namespaces } = term
  const groups =
    typeof namespaces === 'string'
      ? [...around.podsIn.values()]
      : namespaces.map((name) => around.podsIn.get(name) ?? [])
  for (const group of groups)
    for (const { pod, on } of group) if (selects(term, pod)) counted.set(on, (counted.get(on) ?? 0) + 1)
  around.counts.set(key, counted)
  return counted
}

function domainsOf(
  podsOn: ReadonlyMap<string, number>,
  topologyKey: string,
  nodes: ReadonlyMap<string, KubeNode>,
  { from, leaving, placed }: Moves,
  has: (pod: Pod) => boolean,
): Set<string> {
  const domains = new Set<string>()
  for (const [name, count] of podsOn) {
    const node = nodes.get(name)
    const domain = node?.labels[topologyKey]
    if (domain === undefined) continue
    const gone = node === from ? leaving.filter(has).length : 0
    if (count > gone) domains.add(domain)
  }
  for (const { pod, node } of placed) {
    const domain = node.labels[topologyKey]
    if (domain !== undefined && has(pod)) domains.add(domain)
  }
  return domains
}

/** The state of one spread rule for one pod: where it may still go. */
export interface SpreadState {
  readonly rule: SpreadRule
  readonly counts: ReadonlyMap<string, number>
  readonly fewest: number
  /** 1 when the pod counts itself. */
  readonly self: number
}

/**
 * The drained node counts as a place with room as long as its Node object exists, unless the rule heeds taints: that is
 * why pods with such a rule can stay pending while one node is away.
 */
export function spreadStates(
  pod: Pod,
  rules: PlacementRules,
  around: Neighbours,
  { from, leaving, placed }: Moves,
): SpreadState[] {
  return rules.spread.map((rule) => {
    const term = { selector: rule.selector, namespaces: [pod.namespace] }
    const ground = groundOf(pod, rules, rule, around)
    const counts = new Map([...ground.domains].map(([domain, { pods }]) => [domain, pods]))
    const add = (node: KubeNode, pods: number): void => {
      const domain = node.labels[rule.topologyKey] ?? ''
      if (ground.nodes.has(node)) counts.set(domain, (counts.get(domain) ?? 0) + pods)
    }
    if (rule.honorTaints && ground.nodes.has(from)) {
      const domain = from.labels[rule.topologyKey] ?? ''
      if (ground.domains.get(domain)?.nodes === 1) counts.delete(domain)
      else add(from, -(countOn(term, around).get(from.name) ?? 0))
    } else add(from, -leaving.filter((one) => selects(term, one)).length)
    for (const one of placed) if (selects(term, one.pod)) add(one.node, 1)
    const fewest = counts.size < rule.minDomains ? 0 : minimum(counts.values())
    return { rule, counts, fewest, self: selects(term, pod) ? 1 : 0 }
  })
}

function groundOf(pod: Pod, rules: PlacementRules, rule: SpreadRule, around: Neighbours): Ground {
  const keys = rules.spread.map(({ topologyKey }) => topologyKey)
  const { nodeSelector, tolerations } = pod.scheduling
  const question = JSON.stringify([
    pod.namespace,
    rule,
    keys,
    rule.honorAffinity ? [nodeSelector, rules.nodeTerms] : null,
    rule.honorTaints ? tolerations : null,
  ])
  const known = around.grounds.get(question)
  if (known !== undefined) return known
  const podsOn = countOn({ selector: rule.selector, namespaces: [pod.namespace] }, around)
  const nodes = [...around.nodes.values()].filter(
    (node) =>
      keys.every((key) => Object.hasOwn(node.labels, key)) &&
      (!rule.honorAffinity || suitsNode(pod, rules, node)) &&
      (!rule.honorTaints || (!node.unschedulable && repellingTaint(pod, node) === undefined)),
  )
  const domains = new Map<string, { nodes: number; pods: number }>()
  for (const node of nodes) {
    const domain = node.labels[rule.topologyKey] ?? ''
    const before = domains.get(domain) ?? { nodes: 0, pods: 0 }
    domains.set(domain, { nodes: before.nodes + 1, pods: before.pods + (podsOn.get(node.name) ?? 0) })
  }
  const ground = { nodes: new Set(nodes), domains }
  around.grounds.set(question, ground)
  return ground
}

function minimum(values: Iterable<number>): number {
  let least = Infinity
  for (const value of values) least = Math.min(least, value)
  return least === Infinity ? 0 : least
}

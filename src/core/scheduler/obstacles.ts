import { sizeText } from '../assess/size-text.ts'
import type { KubeNode, PersistentVolume, Pod } from '../inventory.ts'
import { formatQuantity } from '../quantity.ts'
import {
  domainsWith,
  guardedDomains,
  selects,
  spreadStates,
  type Moves,
  type Neighbours,
} from './neighbours.ts'
import { repellingTaint, suitsNode, taintText, takenPort } from './node-rules.ts'
import type { PlacementRules } from './placement-rules.ts'

/** What keeps a pod off a node, the reasons that never change first. */

export type ObstacleKind =
  | 'selector'
  | 'volume'
  | 'not-ready'
  | 'cordoned'
  | 'taint'
  | 'resource'
  | 'pods'
  | 'host-port'
  | 'affinity'
  | 'anti-affinity'
  | 'spread'

export interface Obstacle {
  readonly node: string
  readonly kind: ObstacleKind
  /** Without the name of the node: `memory: needs 2 GiB, 512 MiB free`. */
  readonly text: string
}

export interface CapacityModel {
  /** The emptiest first. */
  readonly rooms: readonly Room[]
  readonly roomsByName: readonly Room[]
  /** Of each resource the two largest amounts that any node has, so that one node can be left out. */
  readonly largest: ReadonlyMap<string, readonly Largest[]>
  /** Of cpu and memory, over all nodes that can be used. */
  readonly sums: readonly { readonly resource: string; readonly free: number; readonly total: number }[]
  readonly neighbours: Neighbours
  /** By `namespace/claim`. */
  readonly volumes: ReadonlyMap<string, PersistentVolume>
  readonly rulesOf: (pod: Pod) => PlacementRules | null
}

export interface Largest {
  readonly node: string
  readonly amount: number
}

export interface Room {
  readonly node: KubeNode
  readonly total: ReadonlyMap<string, number>
  readonly used: ReadonlyMap<string, number>
  readonly pods: number
  readonly ports: Pod['scheduling']['hostPorts']
}

export interface Subject {
  readonly pod: Pod
  readonly rules: PlacementRules
  /** The largest share of the largest node that any of its requests takes. */
  readonly size: number
}

export interface Attempt extends Pick<Moves, 'leaving'> {
  readonly model: CapacityModel
  readonly from: KubeNode | undefined
  readonly others: readonly Room[]
  readonly placed: { pod: Pod; node: KubeNode }[]
  readonly taken: Map<string, Taken>
}

interface Taken {
  readonly used: Map<string, number>
  pods: number
  readonly ports: Pod['scheduling']['hostPorts'][number][]
}

export function obstaclesOf(subject: Subject, attempt: Attempt): Obstacle[] {
  const look = looker(subject, attempt)
  return attempt.model.roomsByName.flatMap((room) => {
    const found = room.node === attempt.from ? null : look(room)
    return found === null ? [] : [{ node: room.node.name, ...found }]
  })
}

type Found = Pick<Obstacle, 'kind' | 'text'>
const notSelected: Found = { kind: 'selector', text: 'not a node it selects' }

/** Says what keeps the pod off a room; what all rooms have in common is worked out once. */
export function looker(subject: Subject, attempt: Attempt): (room: Room) => Found | null {
  const { pod, rules } = subject
  const claims = pod.volumes.flatMap(({ claim }) => {
    const volume = claim === null ? undefined : attempt.model.volumes.get(`${pod.namespace}/${claim}`)
    if (volume === undefined || volume.nodes.length === 0) return []
    const text = `its volume ${volume.name} is bound to ${volume.nodes.join(', ')}`
    return [{ nodes: volume.nodes, found: { kind: 'volume', text } as const }]
  })
  const anyNode = Object.keys(pod.scheduling.nodeSelector).length === 0 && rules.nodeTerms === null
  const others = lazily(() => standingRules(subject, attempt))
  return ({ node, total, used, pods, ports }) => {
    if (!anyNode && !suitsNode(pod, rules, node)) return notSelected
    for (const { nodes, found } of claims) if (!nodes.includes(node.name)) return found
    if (!node.ready) return { kind: 'not-ready', text: 'not Ready' }
    if (node.unschedulable) return { kind: 'cordoned', text: 'cordoned' }
    const taint = repellingTaint(pod, node)
    if (taint !== undefined) return { kind: 'taint', text: `taint ${taintText(taint)}` }
    const taken = attempt.taken.get(node.name)
    for (const [resource, amount] of rules.requests) {
      const free = (total.get(resource) ?? 0) - (used.get(resource) ?? 0) - (taken?.used.get(resource) ?? 0)
      if (amount > free)
        return {
          kind: 'resource',
          text: `${resource}: needs ${amountText(resource, amount)}, ${amountText(resource, Math.max(0, free))} free`,
        }
    }
    const limit = (total.get('pods') ?? 0) / 1000
    if (pods + (taken?.pods ?? 0) + 1 > limit) return { kind: 'pods', text: `full: at most ${limit} pods` }
    const port = takenPort(pod.scheduling.hostPorts, [...ports, ...(taken?.ports ?? [])])
    if (port !== undefined)
      return { kind: 'host-port', text: `port ${port.port}/${port.protocol} of the host is taken` }
    return others()(node)
  }
}

function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** Rules about other pods. */
function standingRules({ pod, rules }: Subject, attempt: Attempt): (node: KubeNode) => Found | null {
  const { model, from, leaving, placed } = attempt
  const around = model.neighbours
  const moves: Moves | null = from === undefined ? null : { from, leaving, placed }
  if (moves === null) return () => null
  const near = rules.near.map((term) => ({ term, domains: domainsWith(term, around, moves) }))
  // The first of a group that wants to stand together may stand anywhere.
  const first = near.every(({ term, domains }) => domains.size === 0 && selects(term, pod))
  const apart = rules.apart.map((term) => ({
    topologyKey: term.topologyKey,
    domains: domainsWith(term, around, moves),
  }))
  const guarded = guardedDomains(pod, around, moves, model.rulesOf)
  const spread = spreadStates(pod, rules, around, moves)
  const isIn = (node: KubeNode, topologyKey: string, domains: ReadonlySet<string>): boolean =>
    domains.has(node.labels[topologyKey] ?? '') && Object.hasOwn(node.labels, topologyKey)
  return (node) => {
    for (const { topologyKey, domains } of [...apart, ...guarded])
      if (isIn(node, topologyKey, domains))
        return { kind: 'anti-affinity', text: `anti-affinity with a pod in its ${topologyKey}` }
    for (const { term, domains } of near) {
      const allowed = first
        ? Object.hasOwn(node.labels, term.topologyKey)
        : isIn(node, term.topologyKey, domains)
      if (!allowed)
        return { kind: 'affinity', text: `no pod it must stand beside in its ${term.topologyKey}` }
    }
    for (const { rule, counts, fewest, self } of spread) {
      const domain = node.labels[rule.topologyKey]
      if (domain === undefined) return { kind: 'spread', text: `no label ${rule.topologyKey} to spread over` }
      const here = (counts.get(domain) ?? 0) + self
      if (here - fewest > rule.maxSkew)
        return {
          kind: 'spread',
          text: `spread over ${rule.topologyKey}: ${here} here, ${fewest} elsewhere, at most ${rule.maxSkew} apart`,
        }
    }
    return null
  }
}

/** `250m`, `512 MiB` */
export function amountText(resource: string, thousandths: number): string {
  const inBytes = /^(memory|ephemeral-storage|hugepages-.*)$/.test(resource)
  return inBytes ? sizeText(Math.ceil(thousandths / 1000)) : formatQuantity(thousandths)
}

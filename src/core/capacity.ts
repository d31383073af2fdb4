import type { Namespace } from './cluster-objects.ts'
import { MigrateError } from './errors.ts'
import { compareText } from './findings.ts'
import type { ClusterFacts, KubeNode, Pod } from './inventory.ts'
import { parseQuantity } from './quantity.ts'
import { readNeighbours } from './scheduler/neighbours.ts'
import {
  looker,
  obstaclesOf,
  type Attempt,
  type CapacityModel,
  type Largest,
  type Obstacle,
  type Room,
  type Subject,
} from './scheduler/obstacles.ts'
import { placementRules, type PlacementRules } from './scheduler/placement-rules.ts'

/**
 * Whether the pods of a node find a place on the others, by the rules that the scheduler never breaks. Pods are placed
 * largest first, each on the first node that takes it, the emptiest node tried first; a real scheduler may use the room
 * worse, and may drive pods of lower priority away, which this does not.
 */

export interface Unplaced {
  readonly pod: Pod
  /** One for each other node; empty when there is none. */
  readonly obstacles: readonly Obstacle[]
  /** It would find a place if it were the only one to move. */
  readonly fitsAlone: boolean
}

export interface Headroom {
  readonly resource: string
  /** Thousandths, over all schedulable nodes but the drained one, after all is placed. */
  readonly free: number
  readonly total: number
}

export interface CapacityVerdict {
  readonly unplaced: readonly Unplaced[]
  /** Pods whose rules could not be understood, so that nobody can say where they fit. */
  readonly undecided: readonly { readonly pod: Pod; readonly reason: string }[]
  /** cpu and memory. */
  readonly headroom: readonly Headroom[]
}

type CapacityFacts = Pick<ClusterFacts, 'nodes' | 'pods' | 'persistentVolumes' | 'namespaces'>

/** Read once for a cluster, used for the drain of each of its nodes. */
export function capacityModel({ nodes, pods, persistentVolumes, namespaces }: CapacityFacts): CapacityModel {
  const podsOn = new Map<string, Pod[]>(nodes.map(({ name }) => [name, []]))
  for (const pod of pods)
    if (pod.node !== null && pod.phase !== 'Succeeded' && pod.phase !== 'Failed')
      podsOn.get(pod.node)?.push(pod)
  const read = new Map<Pod, PlacementRules | null>()
  const rulesOf = (pod: Pod): PlacementRules | null => {
    const known = read.get(pod)
    if (known !== undefined) return known
    const rules = rulesOrNull(pod, namespaces ?? null)
    read.set(pod, rules)
    return rules
  }
  const rooms = nodes.map((node) => roomOf(node, podsOn.get(node.name) ?? []))
  const roomsByName = rooms.toSorted((a, b) => compareText(a.node.name, b.node.name))
  return {
    rooms: roomsByName.toSorted((a, b) => freeShare(b) - freeShare(a)),
    roomsByName,
    largest: largestOf(rooms),
    sums: sumsOf(rooms),
    neighbours: readNeighbours(nodes, podsOn, rulesOf),
    volumes: new Map(
      persistentVolumes.flatMap((volume) =>
        volume.claim === null ? [] : [[`${volume.claim.namespace}/${volume.claim.name}`, volume] as const],
      ),
    ),
    rulesOf,
  }
}

function rulesOrNull(pod: Pod, namespaces: readonly Namespace[] | null): PlacementRules | null {
  try {
    return placementRules(pod, namespaces)
  } catch (error) {
    if (error instanceof MigrateError) return null
    throw error
  }
}

function roomOf(node: KubeNode, pods: readonly Pod[]): Room {
  const used = new Map<string, number>()
  for (const { requests } of pods)
    for (const [resource, text] of Object.entries(requests))
      used.set(resource, (used.get(resource) ?? 0) + parseQuantity(text))
  return {
    node,
    total: new Map(Object.entries(node.allocatable).map(([key, text]) => [key, parseQuantity(text)])),
    used,
    pods: pods.length,
    ports: pods.flatMap(({ scheduling }) => scheduling.hostPorts),
  }
}

function freeShare({ total, used }: Room): number {
  const memory = total.get('memory') ?? 0
  return memory === 0 ? 0 : 1 - (used.get('memory') ?? 0) / memory
}

/** Places `evicted`, pods of the node `name` that come back elsewhere. The model stays as it is. */
export function placeEvicted(model: CapacityModel, name: string, evicted: readonly Pod[]): CapacityVerdict {
  const from = model.rooms.find(({ node }) => node.name === name)?.node
  const others = model.rooms.filter(({ node }) => node.name !== name)
  const sizeOf = sizes(model, name)
  const decidable: Subject[] = []
  const undecided: { pod: Pod; reason: string }[] = []
  for (const pod of evicted) {
    const reason = whyUndecided(pod, model)
    const rules = model.rulesOf(pod)
    if (reason !== null || rules === null)
      undecided.push({ pod, reason: reason ?? 'its placement rules are not understood' })
    else decidable.push({ pod, rules, size: sizeOf(rules) })
  }
  const largestFirst = decidable.toSorted((a, b) => b.size - a.size || compareNames(a.pod, b.pod))
  const leaving = from === undefined ? [] : evicted
  const start = (): Attempt => ({ model, from, others, leaving, placed: [], taken: new Map() })
  let attempt = start()
  let failed = placeAll(largestFirst, attempt)
  if (failed.length > 0) {
    // A large pod may have taken the one place that a choosy small one has.
    const second = start()
    const choosyFirst = [...failed, ...largestFirst.filter((one) => !failed.includes(one))]
    const failedNow = placeAll(choosyFirst, second)
    if (failedNow.length < failed.length) [attempt, failed] = [second, failedNow]
  }
  return {
    unplaced: failed.map((one) => ({
      pod: one.pod,
      obstacles: obstaclesOf(one, attempt),
      fitsAlone: place(one, start()),
    })),
    undecided,
    headroom: headroomOf(attempt, name),
  }
}

function compareNames(a: Pod, b: Pod): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name)
}

function largestOf(rooms: readonly Room[]): CapacityModel['largest'] {
  const largest = new Map<string, readonly Largest[]>()
  for (const { node, total } of rooms)
    for (const [resource, amount] of total) {
      const before = largest.get(resource) ?? []
      if (before.length > 1 && amount <= (before[1]?.amount ?? 0)) continue
      const all = [...before, { node: node.name, amount }]
      largest.set(resource, all.toSorted((x, y) => y.amount - x.amount).slice(0, 2))
    }
  return largest
}

/** The share a pod takes of the largest room but that of the drained node. */
function sizes({ largest }: CapacityModel, drained: string): (rules: PlacementRules) => number {
  return ({ requests }) =>
    Math.max(
      0,
      ...requests.map(([resource, amount]) => {
        const most = largest.get(resource)?.find(({ node }) => node !== drained)?.amount ?? 0
        return most === 0 ? Infinity : amount / most
      }),
    )
}

function whyUndecided(pod: Pod, { rulesOf }: CapacityModel): string | null {
  const rules = rulesOf(pod)
  if (rules === null) return 'its affinity or spread rules are not understood'
  if (rules.near.some(({ namespaces }) => namespaces === 'unknown'))
    return 'its affinity selects namespaces by labels, and namespaces were not read'
  return null
}

/** Those left over. A pod that wants to stand beside another one may have to wait for it. */
function placeAll(subjects: readonly Subject[], attempt: Attempt): readonly Subject[] {
  let waiting = subjects
  for (;;) {
    const left = waiting.filter((subject) => !place(subject, attempt))
    if (left.length === 0 || left.length === waiting.length) return left
    // Without rules about other pods nothing gets better by what was placed meanwhile.
    if (!left.some(({ rules }) => rules.near.length + rules.spread.length > 0)) return left
    waiting = left
  }
}

function place(subject: Subject, attempt: Attempt): boolean {
  const look = looker(subject, attempt)
  const room = attempt.others.find((one) => look(one) === null)
  if (room === undefined) return false
  const { node } = room
  const taken = attempt.taken.get(node.name) ?? { used: new Map<string, number>(), pods: 0, ports: [] }
  for (const [resource, amount] of subject.rules.requests)
    taken.used.set(resource, (taken.used.get(resource) ?? 0) + amount)
  taken.pods += 1
  taken.ports.push(...subject.pod.scheduling.hostPorts)
  attempt.taken.set(node.name, taken)
  attempt.placed.push({ pod: subject.pod, node })
  return true
}

const isUsable = ({ node }: Room): boolean => node.ready && !node.unschedulable

function sumsOf(rooms: readonly Room[]): CapacityModel['sums'] {
  const usable = rooms.filter(isUsable)
  return ['cpu', 'memory'].map((resource) => {
    let free = 0
    let all = 0
    for (const { total, used } of usable) {
      const own = total.get(resource) ?? 0
      all += own
      free += own - (used.get(resource) ?? 0)
    }
    return { resource, free, total: all }
  })
}

/** Only what can be used takes pods, so that what was placed counts in full. */
function headroomOf({ model, taken }: Attempt, drained: string): Headroom[] {
  const left = model.rooms.find((room) => room.node.name === drained && isUsable(room))
  return model.sums.map(({ resource, free, total }) => {
    const own = left?.total.get(resource) ?? 0
    const placed = [...taken.values()].reduce((sum, { used }) => sum + (used.get(resource) ?? 0), 0)
    return {
      resource,
      free: free - (own - (left?.used.get(resource) ?? 0)) - placed,
      total: total - own,
    }
  })
}

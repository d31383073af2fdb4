import { capacityModel } from '../core/capacity.ts'
import type { ClusterFacts, Pod } from '../core/inventory.ts'
import { looker, type Room } from '../core/scheduler/obstacles.ts'

/** What a scheduler sees when it seeks a place; nodes as the API server shows them. */
export type Seen = Pick<ClusterFacts, 'nodes' | 'pods' | 'persistentVolumes'>

/**
 * The node for a pod: by the filters that `assess` counts with, and of what is left rather one without a
 * `PreferNoSchedule` taint, then the one with the fewest pods. undefined when none suits, or when nobody understands what
 * the pod demands: it waits.
 */
export function placeFor(pod: Pod, seen: Seen): string | undefined {
  const model = capacityModel(seen)
  const rules = model.rulesOf(pod)
  const [some] = model.rooms
  if (rules === null || some === undefined) return undefined
  // Nothing leaves while this pod is placed: the node that is drained has shown its pods as they are.
  const from = { ...some.node, name: '' }
  const attempt = { model, from, others: model.rooms, leaving: [], placed: [], taken: new Map() }
  const look = looker({ pod, rules, size: 0 }, attempt)
  const suitable = model.rooms.filter((room) => look(room) === null)
  const [best] = suitable.toSorted(
    (a, b) => reluctance(a) - reluctance(b) || a.pods - b.pods || (a.node.name < b.node.name ? -1 : 1),
  )
  return best?.node.name
}

function reluctance({ node }: Room): number {
  return node.taints.filter(({ effect }) => effect === 'PreferNoSchedule').length
}

import { capacityModel, placeEvicted, type CapacityVerdict, type Unplaced } from '../capacity.ts'
import { owningDaemonSet } from '../drain.ts'
import { compareText } from '../findings.ts'
import type { ClusterFacts, Pod } from '../inventory.ts'

/** What becomes of the pods that leave a node: made again or not, and with a place on the others or not. */
export interface Leaving {
  /** Pods that something makes again. */
  readonly back: readonly Pod[]
  readonly lost: readonly LostPod[]
  /** Of those made again. */
  readonly unplaced: readonly WaitingPod[]
  readonly undecided: CapacityVerdict['undecided']
  readonly headroom: CapacityVerdict['headroom']
}

/** A pod that no other node takes. In words, because the obstacles of a large cluster are more than anybody keeps. */
export interface WaitingPod {
  readonly pod: Pod
  readonly why: 'no room' | 'volume' | 'only node'
  /** `NODE: what stands against it`, many nodes with the same one in one. */
  readonly obstacles: readonly string[]
  readonly fitsAlone: boolean
}

/** A diagnosis that names a thousand nodes one by one is read by nobody. */
const mostNodesNamed = 12

/** A pod that nothing makes again once it is evicted. */
export interface LostPod {
  readonly pod: Pod
  readonly why:
    | { readonly kind: 'no-controller' }
    /** `DaemonSet/agent` */
    | { readonly kind: 'controller-gone'; readonly controller: string }
    /** It has `runs` pods and wants fewer: so many of them are not replaced. */
    | {
        readonly kind: 'not-wanted'
        readonly controller: string
        readonly wants: number
        readonly runs: number
      }
}

type Facts = Pick<ClusterFacts, 'nodes' | 'pods' | 'persistentVolumes' | 'namespaces' | 'workloads'>

/** Worked out for one cluster, asked for each of its nodes. */
export function leavingOf(cluster: Facts): (node: string, evicted: readonly Pod[]) => Leaving {
  const model = capacityModel(cluster)
  const controllers = controllersOf(cluster)
  return (node, evicted) => {
    const lost = lostOf(evicted, controllers)
    const gone = new Set(lost.map(({ pod }) => pod))
    const back = evicted.filter((pod) => !gone.has(pod))
    const { unplaced, undecided, headroom } = placeEvicted(model, node, back)
    const waiting = unplaced.map((one) => ({
      pod: one.pod,
      why: whyOf(one, node),
      obstacles: obstacleTexts(one),
      fitsAlone: one.fitsAlone,
    }))
    return { back, lost, unplaced: waiting, undecided, headroom }
  }
}

function whyOf({ obstacles }: Unplaced, name: string): WaitingPod['why'] {
  if (obstacles.length === 0) return 'only node'
  const boundHere = (text: string): boolean => text.endsWith(` is bound to ${name}`)
  return obstacles.every(({ kind, text }) => kind === 'volume' && boundHere(text)) ? 'volume' : 'no room'
}

function obstacleTexts({ obstacles }: Unplaced): string[] {
  if (obstacles.length <= mostNodesNamed) return obstacles.map(({ node, text }) => `${node}: ${text}`)
  return [...Map.groupBy(obstacles, ({ kind }) => kind).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    return [
      group.length === 1
        ? `${first.node}: ${first.text}`
        : `${group.length} nodes as ${first.node}: ${first.text}`,
    ]
  })
}

interface Controllers {
  /** Kinds of which the inventory holds any: one that holds none may not have looked. */
  readonly kinds: ReadonlySet<string>
  /** By `Kind namespace/name`. */
  readonly wants: ReadonlyMap<string, number>
  readonly runs: ReadonlyMap<string, number>
}

function controllersOf({ workloads, pods }: Facts): Controllers {
  const runs = new Map<string, number>()
  for (const pod of pods) {
    const key = controllerKey(pod)
    const ends = pod.terminating || pod.phase === 'Succeeded' || pod.phase === 'Failed'
    if (key !== null && !ends) runs.set(key, (runs.get(key) ?? 0) + 1)
  }
  return {
    kinds: new Set(workloads.map(({ kind }) => kind)),
    wants: new Map(
      workloads.map(({ kind, namespace, name, desired, paused }) => [
        `${kind} ${namespace}/${name}`,
        // A suspended Job makes no pods; a paused ReplicaSet or StatefulSet does not exist.
        kind === 'Job' && paused ? 0 : desired,
      ]),
    ),
    runs,
  }
}

/** Of controllers that Kubernetes itself brings: what others make again nobody can tell from here. */
function controllerKey({ controller, namespace }: Pod): string | null {
  if (controller === null || !/^(apps|extensions|batch)\//.test(controller.apiVersion)) return null
  return `${controller.kind} ${namespace}/${controller.name}`
}

function lostOf(evicted: readonly Pod[], { kinds, wants, runs }: Controllers): LostPod[] {
  const groups = Map.groupBy(evicted, (pod) => controllerKey(pod) ?? '')
  return [...groups].flatMap(([key, pods]) =>
    pods[0] === undefined || key === '' ? pods.flatMap(unmanaged) : ofController(key, pods),
  )

  function ofController(key: string, pods: readonly Pod[]): LostPod[] {
    const [kind = '', name = ''] = key.split(' ')
    const controller = `${kind}/${name.slice(name.indexOf('/') + 1)}`
    // Those of a DaemonSet that is there are not evicted.
    const isGone = pods.some((pod) => owningDaemonSet(pod) !== null) || (kinds.has(kind) && !wants.has(key))
    if (isGone) return pods.map((pod) => ({ pod, why: { kind: 'controller-gone', controller } }))
    const wanted = wants.get(key)
    if (wanted === undefined) return []
    const running = runs.get(key) ?? 0
    const why = { kind: 'not-wanted', controller, wants: wanted, runs: running } as const
    // A controller rather lets pods go that are not ready (kubernetes/kubernetes pkg/controller ActivePodsWithRanks).
    const ranked = pods.toSorted((a, b) => Number(a.ready) - Number(b.ready) || compareText(a.name, b.name))
    return ranked.slice(0, Math.max(0, running - wanted)).map((pod) => ({ pod, why }))
  }
}

function unmanaged(pod: Pod): LostPod[] {
  return pod.controller === null ? [{ pod, why: { kind: 'no-controller' } }] : []
}

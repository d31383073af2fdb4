import { type Classification, classifyPods, owningDaemonSet } from '../core/drain.ts'
import type { Kube } from './ports.ts'

export interface DrainAllowance {
  /** Evict pods with an emptyDir volume: its content is deleted with the pod. */
  readonly deleteEmptyDir: boolean
  /** Evict pods that nothing brings back: all of them, or those named as `namespace/name`. */
  readonly force: boolean | readonly string[]
  /** Pods to leave where they are, as `namespace/name`. */
  readonly keep?: readonly string[]
}

/** What a drain of the node would do now. */
export async function classifyNode(
  kube: Kube,
  node: string,
  allow: DrainAllowance,
  signal: AbortSignal,
): Promise<Classification> {
  return classifyFresh(kube, node, allow, new Map(), signal)
}

/** Lists the node's pods and asks for each DaemonSet not yet known. */
export async function classifyFresh(
  kube: Kube,
  node: string,
  allow: DrainAllowance,
  daemonSets: Map<string, boolean>,
  signal: AbortSignal,
): Promise<Classification> {
  const pods = await kube.podsOnNode(node, signal)
  for (const pod of pods) {
    const name = owningDaemonSet(pod)
    if (name === null) continue
    const key = `${pod.namespace}/${name}`
    if (!daemonSets.has(key)) daemonSets.set(key, await kube.daemonSetExists(pod.namespace, name, signal))
  }
  const daemonSetExists = (namespace: string, name: string) => daemonSets.get(`${namespace}/${name}`) === true
  return classifyPods(pods, { ...allow, daemonSetExists })
}

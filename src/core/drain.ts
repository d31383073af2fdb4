import { compareText } from './findings.ts'
import type { Pod } from './inventory.ts'

/**
 * Which pods of a node a drain moves away, leaves, or refuses to touch. The rules and their order are those of
 * `kubectl drain` (kubernetes/kubectl pkg/drain/filters.go) with daemon sets always ignored; one difference: a pod that
 * is already being deleted is only waited for, never refused.
 */

type KeepReason = 'mirror' | 'daemonset' | 'asked-to-keep'
export type RefuseReason = 'daemonset-missing' | 'empty-dir' | 'unmanaged'
export type EvictReason =
  | 'managed'
  | 'finished'
  | 'terminating'
  | 'empty-dir'
  | 'unmanaged'
  | 'daemonset-missing'

export interface Classified<Reason extends string> {
  readonly pod: Pod
  readonly reason: Reason
}

export interface Classification {
  /** In the order in which they are evicted. */
  readonly evict: readonly Classified<EvictReason>[]
  readonly keep: readonly Classified<KeepReason>[]
  /** Any of these stops a drain before its first eviction. */
  readonly refuse: readonly Classified<RefuseReason>[]
}

export interface DrainRules {
  /** Whether the DaemonSet that owns a pod still exists. */
  readonly daemonSetExists: (namespace: string, name: string) => boolean
  /** Evict pods with an emptyDir volume: its content is deleted with the pod. */
  readonly deleteEmptyDir: boolean
  /** Evict pods that nothing brings back: all of them, or those named as `namespace/name`. */
  readonly force: boolean | readonly string[]
  /** Pods to leave where they are, as `namespace/name`. */
  readonly keep?: readonly string[]
}

/** What each refusal means, for sentences after the pod's name. */
export const refusals: Readonly<Record<RefuseReason, string>> = {
  'daemonset-missing': 'belongs to a DaemonSet that no longer exists, so nothing brings it back',
  'empty-dir': 'keeps data in an emptyDir volume, which is deleted with it',
  unmanaged: 'has no controller that would bring it back',
}

export function classifyPods(pods: readonly Pod[], rules: DrainRules): Classification {
  const evict: Classified<EvictReason>[] = []
  const keep: Classified<KeepReason>[] = []
  const refuse: Classified<RefuseReason>[] = []
  for (const pod of pods) {
    const verdict = classify(pod, rules)
    if (verdict.move === 'evict') evict.push({ pod, reason: verdict.reason })
    else if (verdict.move === 'keep') keep.push({ pod, reason: verdict.reason })
    else refuse.push({ pod, reason: verdict.reason })
  }
  return { evict: evict.toSorted((a, b) => compareForEviction(a.pod, b.pod)), keep, refuse }
}

type Verdict =
  | { readonly move: 'evict'; readonly reason: EvictReason }
  | { readonly move: 'keep'; readonly reason: KeepReason }
  | { readonly move: 'refuse'; readonly reason: RefuseReason }

function classify(pod: Pod, rules: DrainRules): Verdict {
  const finished = pod.phase === 'Succeeded' || pod.phase === 'Failed'
  const name = `${pod.namespace}/${pod.name}`
  const forced = typeof rules.force === 'boolean' ? rules.force : rules.force.includes(name)
  if (rules.keep?.includes(name) === true) return { move: 'keep', reason: 'asked-to-keep' }
  if (pod.mirror) return { move: 'keep', reason: 'mirror' }
  const daemonSet = finished ? null : owningDaemonSet(pod)
  const daemonSetExists = daemonSet !== null && rules.daemonSetExists(pod.namespace, daemonSet)
  if (daemonSetExists) return { move: 'keep', reason: 'daemonset' }
  if (pod.terminating) return { move: 'evict', reason: 'terminating' }
  if (finished) return { move: 'evict', reason: 'finished' }
  if (daemonSet !== null && !forced) return { move: 'refuse', reason: 'daemonset-missing' }
  const emptyDir = pod.volumes.some(({ type }) => type === 'emptyDir' || type === 'emptyDir-memory')
  if (emptyDir && !rules.deleteEmptyDir) return { move: 'refuse', reason: 'empty-dir' }
  if (daemonSet !== null) return { move: 'evict', reason: 'daemonset-missing' }
  if (pod.controller === null) return { move: forced ? 'evict' : 'refuse', reason: 'unmanaged' }
  return { move: 'evict', reason: emptyDir ? 'empty-dir' : 'managed' }
}

/**
 * Name of the DaemonSet that controls the pod, or null. Other API groups have kinds of the same name; their pods are
 * ordinary ones, as for kubectl since 1.34.
 */
export function owningDaemonSet(pod: Pick<Pod, 'controller'>): string | null {
  const { controller } = pod
  if (controller?.kind !== 'DaemonSet') return null
  return /^(apps|extensions)\//.test(controller.apiVersion) ? controller.name : null
}

/** Lowest value of the two built-in classes `system-cluster-critical` and `system-node-critical`. */
const systemCriticalPriority = 2_000_000_000

/** Pods that others may need while they end (DNS, storage): they go when all others have gone. */
export function goesLast(pod: Pick<Pod, 'priority'>): boolean {
  return pod.priority >= systemCriticalPriority
}

/**
 * Order of evictions: priority ascending, within it batch work, then replicas that any node can take, then pods with
 * an identity of their own, then those nothing brings back; ties by namespace and name.
 */
export function compareForEviction(a: Pod, b: Pod): number {
  return (
    a.priority - b.priority ||
    rankOfController(a) - rankOfController(b) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  )
}

function rankOfController(pod: Pod): number {
  if (pod.controller === null) return 3
  if (pod.controller.kind === 'Job') return 0
  return pod.controller.kind === 'StatefulSet' ? 2 : 1
}

/** How many healthy pods a budget needs and has, from the words of the refused eviction. */
export interface BudgetNumbers {
  readonly needed: number
  readonly current: number
}

/**
 * Reads `The disruption budget web needs 2 healthy pods and has 2 currently`
 * (kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go); null when it says something else.
 */
export function parseBudgetMessage(message: string): BudgetNumbers | null {
  const match = /needs (\d+) healthy pods and has (\d+) currently/.exec(message)
  return match === null ? null : { needed: Number(match[1]), current: Number(match[2]) }
}

import { type Classified, type EvictReason, owningDaemonSet, refusals, type RefuseReason } from './drain.ts'
import type { Pod } from './inventory.ts'

/**
 * Which pods `kubectl drain` moves, leaves and refuses: its filters, in its order
 * (kubernetes/kubectl pkg/drain/filters.go of 1.35).
 */

export type KubectlRefusal = RefuseReason | 'daemonset' | 'daemonset-unknown'
export type KubectlKeep = 'daemonset' | 'mirror' | 'ending-for-long'

export interface KubectlRules {
  readonly force: boolean
  readonly ignoreDaemonSets: boolean
  readonly deleteEmptyDir: boolean
  /** `unknown`: it could not be asked for. */
  readonly daemonSet: (namespace: string, name: string) => 'exists' | 'missing' | 'unknown'
  /** Has been ending for longer than the drain cares to wait. */
  readonly endingForLong: (pod: Pod) => boolean
}

export interface KubectlClassification {
  readonly evict: readonly Classified<EvictReason>[]
  readonly keep: readonly Classified<KubectlKeep>[]
  /** Any of these stops the node's drain before its first eviction. */
  readonly refuse: readonly Classified<KubectlRefusal>[]
}

export const kubectlRefusals: Readonly<Record<KubectlRefusal, string>> = {
  ...refusals,
  daemonset: 'belongs to a DaemonSet, which would bring it back at once',
  'daemonset-unknown': 'belongs to a DaemonSet that could not be looked up',
}

export function classifyLikeKubectl(pods: readonly Pod[], rules: KubectlRules): KubectlClassification {
  const evict: Classified<EvictReason>[] = []
  const keep: Classified<KubectlKeep>[] = []
  const refuse: Classified<KubectlRefusal>[] = []
  for (const pod of pods) {
    const verdict = classify(pod, rules)
    if (verdict.move === 'evict') evict.push({ pod, reason: verdict.reason })
    else if (verdict.move === 'keep') keep.push({ pod, reason: verdict.reason })
    else refuse.push({ pod, reason: verdict.reason })
  }
  return { evict, keep, refuse }
}

type Verdict =
  | { readonly move: 'evict'; readonly reason: EvictReason }
  | { readonly move: 'keep'; readonly reason: KubectlKeep }
  | { readonly move: 'refuse'; readonly reason: KubectlRefusal }

function classify(pod: Pod, rules: KubectlRules): Verdict {
  const finished = pod.phase === 'Succeeded' || pod.phase === 'Failed'
  if (rules.endingForLong(pod)) return { move: 'keep', reason: 'ending-for-long' }
  const daemonSet = finished ? null : owningDaemonSet(pod)
  const found = daemonSet === null ? null : rules.daemonSet(pod.namespace, daemonSet)
  if (found === 'unknown') return { move: 'refuse', reason: 'daemonset-unknown' }
  if (found === 'exists')
    return rules.ignoreDaemonSets
      ? { move: 'keep', reason: 'daemonset' }
      : { move: 'refuse', reason: 'daemonset' }
  if (found === 'missing' && !rules.force) return { move: 'refuse', reason: 'daemonset-missing' }
  if (pod.mirror) return { move: 'keep', reason: 'mirror' }
  if (finished) return { move: 'evict', reason: 'finished' }
  const emptyDir = pod.volumes.some(({ type }) => type === 'emptyDir' || type === 'emptyDir-memory')
  if (emptyDir && !rules.deleteEmptyDir) return { move: 'refuse', reason: 'empty-dir' }
  if (pod.controller === null)
    return rules.force ? { move: 'evict', reason: 'unmanaged' } : { move: 'refuse', reason: 'unmanaged' }
  if (found === 'missing') return { move: 'evict', reason: 'daemonset-missing' }
  return { move: 'evict', reason: emptyDir ? 'empty-dir' : 'managed' }
}

import { type BudgetNumbers, type Classified, goesLast, refusals, type RefuseReason } from '../core/drain.ts'
import type { Pod } from '../core/inventory.ts'
import { blockedBy, type PodRef, podName, seconds } from './drain-events.ts'
import { isStuck, type LeavingPod, podRef } from './drain-pods.ts'

export const blockedStates = [
  'refused',
  'budget',
  'impossible',
  'failing',
  'waiting',
  'ending',
  'stuck',
  'appeared',
] as const

/** Why one pod is still on the node. */
export interface BlockedPod extends PodRef {
  readonly state: (typeof blockedStates)[number]
  /** `namespace/name`. */
  readonly budget: string | null
  readonly numbers: BudgetNumbers | null
  readonly attempts: number
  /** How long this drain has been waiting for it. */
  readonly ageMs: number
  /** The reason on one line. */
  readonly message: string
  /** The next command to type. */
  readonly next: string
}

export function describeLeaving(entry: LeavingPod, nowMs: number): BlockedPod {
  const { pod, attempts, hindrance } = entry
  const describePod = `kubectl describe pod -n ${pod.namespace} ${pod.name}`
  const base = { ...podRef(pod), budget: null, numbers: null, attempts, ageMs: nowMs - entry.sinceMs }
  if (isStuck(entry, nowMs)) {
    const over = seconds(nowMs - (entry.endingSinceMs ?? nowMs))
    const message = `has been ending for ${over}, its own limit is ${pod.graceSeconds} s; look at its finalizers and whether the node answers`
    return {
      ...base,
      state: 'stuck',
      message,
      next: `kubectl get pod -n ${pod.namespace} ${pod.name} -o yaml`,
    }
  }
  if (entry.endingSinceMs !== null)
    return { ...base, state: 'ending', message: 'was asked to end and still runs', next: describePod }
  switch (hindrance?.kind) {
    case 'budget': {
      const [namespace, name] = (hindrance.budget ?? '').split('/')
      const next = hindrance.budget === null ? describePod : `kubectl get pdb -n ${namespace} ${name}`
      const message = `held by ${blockedBy(hindrance.budget, hindrance.numbers)}: ${hindrance.message}`
      return { ...base, state: 'budget', budget: hindrance.budget, numbers: hindrance.numbers, message, next }
    }
    case 'impossible':
      return {
        ...base,
        state: 'impossible',
        message: hindrance.message,
        next: `kubectl get pdb -n ${pod.namespace}`,
      }
    case 'failing':
      return {
        ...base,
        state: 'failing',
        message: hindrance.error.message,
        next: hindrance.error.hint ?? describePod,
      }
    case undefined:
      return {
        ...base,
        state: 'waiting',
        message: goesLast(pod) ? 'goes last, when all other pods have gone' : 'its turn has not come',
        next: describePod,
      }
  }
}

export function describeAppeared(pod: Pod, sinceMs: number, nowMs: number): BlockedPod {
  return {
    ...podRef(pod),
    state: 'appeared',
    budget: null,
    numbers: null,
    attempts: 0,
    ageMs: nowMs - sinceMs,
    message: 'came to the node after the drain began',
    next: `kubectl describe pod -n ${pod.namespace} ${pod.name}`,
  }
}

export function describeRefused({ pod, reason }: Classified<RefuseReason>): BlockedPod {
  return {
    ...podRef(pod),
    state: 'refused',
    budget: null,
    numbers: null,
    attempts: 0,
    ageMs: 0,
    message: refusals[reason],
    next: `kubectl get pod -n ${pod.namespace} ${pod.name} -o yaml`,
  }
}

/** What the drain waits for, on one line: the first pod and its reason, and how many more. */
export function waitingFor(pods: readonly BlockedPod[]): string {
  const [first, ...rest] = pods
  if (first === undefined) return 'a second look that shows the node empty'
  const more = rest.length === 0 ? '' : `, and ${rest.length} more`
  return `${podName(first)} ${first.message}${more}`
}

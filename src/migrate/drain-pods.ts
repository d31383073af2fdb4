import { type BudgetNumbers, goesLast, parseBudgetMessage } from '../core/drain.ts'
import type { Pod } from '../core/inventory.ts'
import type { MigrateError } from '../core/errors.ts'
import type { PodRef } from './drain-events.ts'
import type { Eviction } from './ports.ts'

/** One pod on its way off the node, as far as the last answers tell. Times are monotonic milliseconds. */
export interface LeavingPod {
  /** From the latest list that showed it. */
  pod: Pod
  readonly sinceMs: number
  gone: boolean
  attempts: number
  /** No eviction before this moment. */
  notBeforeMs: number
  /** First moment at which it was seen ending. */
  endingSinceMs: number | null
  /** What the last refused or failed attempt said. */
  hindrance: Hindrance | null
}

export interface Failing {
  readonly kind: 'failing'
  readonly error: MigrateError
  readonly sinceMs: number
}

export type Hindrance =
  | {
      readonly kind: 'budget'
      /** `namespace/name`. */
      readonly budget: string | null
      readonly numbers: BudgetNumbers | null
      readonly message: string
    }
  | { readonly kind: 'impossible'; readonly message: string }
  | Failing

export function leavingPod(pod: Pod, nowMs: number): LeavingPod {
  return {
    pod,
    sinceMs: nowMs,
    gone: false,
    attempts: 0,
    notBeforeMs: nowMs,
    endingSinceMs: null,
    hindrance: null,
  }
}

/** Time a pod may take to end beyond its own grace period before it counts as stuck. */
const endingSlackMs = 60_000

export function isStuck(entry: LeavingPod, nowMs: number): boolean {
  const { endingSinceMs, pod } = entry
  return endingSinceMs !== null && nowMs - endingSinceMs > pod.graceSeconds * 1000 + endingSlackMs
}

/** Pods to ask for now, in order; system-critical ones only when all others have gone. */
export function dueForEviction(entries: readonly LeavingPod[], nowMs: number): LeavingPod[] {
  const present = entries.filter((entry) => !entry.gone)
  const ordinaryLeft = present.some(({ pod }) => !goesLast(pod))
  return present.filter(
    ({ pod, notBeforeMs }) => !pod.terminating && notBeforeMs <= nowMs && (!ordinaryLeft || !goesLast(pod)),
  )
}

const retrySeconds = [5, 10, 20, 30] as const

/**
 * 5, 10, 20, then 30 seconds, give or take a fifth, so that pods behind one budget do not all ask at once. The spread
 * comes from the pod and the attempt: the same drain waits the same times. A server that names a time is never asked
 * earlier.
 */
export function retryDelayMs(key: string, attempt: number, retryAfterMs: number | null): number {
  const base = retrySeconds[Math.min(attempt, retrySeconds.length) - 1] ?? 30
  return Math.max(Math.round(base * 1000 * (0.8 + 0.4 * spread(`${key}#${attempt}`))), retryAfterMs ?? 0)
}

/** FNV-1a of the text, as a number from 0 up to 1. */
function spread(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) / 2 ** 32
}

export function budgetHindrance(
  pod: PodRef,
  answer: Extract<Eviction, { status: 'blocked' }>,
): Extract<Hindrance, { kind: 'budget' }> {
  const budget = answer.budget === null ? null : `${pod.namespace}/${answer.budget}`
  return { kind: 'budget', budget, numbers: parseBudgetMessage(answer.message), message: answer.message }
}

export function podRef(pod: Pod): PodRef {
  return { namespace: pod.namespace, name: pod.name, uid: pod.uid }
}

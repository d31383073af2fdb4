import type { Eviction } from '../../migrate/ports.ts'
import { ApiFailure, saysNotFound } from './failure.ts'

/** How often the API is asked about a pod whose namespace is going away; the namespace controller deletes it meanwhile. */
const namespaceRetryMs = 5_000

/**
 * What a refused eviction means (kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go); undefined for a failure
 * that says nothing about the pod.
 */
export function evictionAnswer(error: unknown): Eviction | undefined {
  if (saysGone(error)) return { status: 'gone' }
  if (!(error instanceof ApiFailure) || error.answer === null) return undefined
  const { status, message, causes, kind, name, retryAfterMs } = error.answer
  if (status === 429) {
    const cause = causes.find(({ reason }) => reason === 'DisruptionBudget')
    if (cause === undefined) return { status: 'throttled', message, retryAfterMs }
    const budget = /disruption budget (\S+) /.exec(cause.message)?.[1] ?? null
    return { status: 'blocked', budget, message: cause.message, retryAfterMs }
  }
  if (status === 500 && /more than one PodDisruptionBudget/.test(message))
    return { status: 'impossible', message }
  // A server that is about to restart says when to come back.
  if (status >= 500 && retryAfterMs !== null) return { status: 'throttled', message, retryAfterMs }
  if (status !== 403) return undefined
  if (causes.some(({ reason }) => reason === 'NamespaceTerminating'))
    return { status: 'blocked', budget: null, message, retryAfterMs: namespaceRetryMs }
  // A budget in a state the server does not work with (negative count, too many pending evictions).
  if (kind === 'poddisruptionbudget') return { status: 'blocked', budget: name, message, retryAfterMs }
  return undefined
}

/** The pod does not exist any more, or its name belongs to another one by now: the precondition on the UID failed. */
export function saysGone(error: unknown): boolean {
  if (saysNotFound(error)) return true
  return (
    error instanceof ApiFailure &&
    error.answer?.status === 409 &&
    /UID in (the )?precondition/.test(error.answer.message)
  )
}

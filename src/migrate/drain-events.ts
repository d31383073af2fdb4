import type { BudgetNumbers } from '../core/drain.ts'

/** A pod as sentences and journals name it; the UID tells it from a successor of the same name. */
export interface PodRef {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** What a drain tells while it runs. Journals and progress lines are made of it; unknown types may be ignored. */
export type DrainEvent =
  | { readonly type: 'listed'; readonly evict: readonly PodRef[]; readonly keep: readonly PodRef[] }
  | { readonly type: 'accepted'; readonly pod: PodRef; readonly attempt: number }
  | {
      readonly type: 'blocked'
      readonly pod: PodRef
      readonly attempt: number
      /** `namespace/name` of the PodDisruptionBudget; null when the server did not name one. */
      readonly budget: string | null
      readonly numbers: BudgetNumbers | null
      readonly message: string
      readonly retryMs: number
    }
  /** Its budget lets others go first. */
  | {
      readonly type: 'waiting'
      readonly pod: PodRef
      readonly budget: string | null
      readonly numbers: BudgetNumbers | null
    }
  | { readonly type: 'impossible'; readonly pod: PodRef; readonly message: string }
  /** The server is busy: no eviction is sent before `retryMs` have passed. */
  | { readonly type: 'throttled'; readonly message: string; readonly retryMs: number }
  /** A request failed in a way that may pass; `pod` is null for the list of pods. */
  | {
      readonly type: 'unanswered'
      readonly pod: PodRef | null
      readonly message: string
      readonly forMs: number
    }
  | { readonly type: 'gone'; readonly pod: PodRef }
  /** All pods have gone, these volumes are not detached yet. */
  | { readonly type: 'attached'; readonly names: readonly string[] }
  /** A pod that was not there when the drain began; it is waited for and never evicted. */
  | { readonly type: 'appeared'; readonly pod: PodRef }
  | {
      readonly type: 'heartbeat'
      readonly elapsedMs: number
      readonly timeoutMs: number
      /** Pods still there; null while no list has succeeded. */
      readonly left: number | null
      readonly waitingFor: string
    }

/** What an event of a drain says about one pod. */
export interface PodNews {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  readonly state: 'evicting' | 'blocked' | 'waiting' | 'impossible' | 'unanswered' | 'gone' | 'appeared'
  /** null where nothing was asked. */
  readonly attempt: number | null
  /** `namespace/name` of the budget in the way. */
  readonly pdb: string | null
  readonly message: string
}

/** null for events that are about the node as a whole. */
export function podNews(event: DrainEvent): PodNews | null {
  if (!('pod' in event) || event.pod === null) return null
  return {
    pod: podName(event.pod),
    uid: event.pod.uid,
    state: event.type === 'accepted' ? 'evicting' : event.type,
    attempt: 'attempt' in event ? event.attempt : null,
    pdb: 'budget' in event ? event.budget : null,
    message: drainSentence(event) ?? '',
  }
}

/** One line of progress, or null for what need not be said. */
export function drainSentence(event: DrainEvent): string | null {
  switch (event.type) {
    case 'listed':
      return `${event.evict.length} pods to evict, ${event.keep.length} stay`
    case 'accepted':
      return `evicting ${podName(event.pod)}`
    case 'blocked':
      return `${podName(event.pod)} is held by ${blockedBy(event.budget, event.numbers)}; next try in ${seconds(event.retryMs)}`
    case 'waiting':
      return `${podName(event.pod)} waits for its turn: ${blockedBy(event.budget, event.numbers)}`
    case 'impossible':
      return `${podName(event.pod)} can never be evicted: ${event.message}`
    case 'throttled':
      return `the API server is busy; no eviction for ${seconds(event.retryMs)}`
    case 'unanswered':
      return event.forMs === 0 ? event.message : `${event.message} (for ${seconds(event.forMs)} now)`
    case 'gone':
      return `${podName(event.pod)} is gone`
    case 'attached':
      return `waiting until volumes are detached: ${event.names.join(', ')}`
    case 'appeared':
      return `${podName(event.pod)} came to the node after the drain began`
    case 'heartbeat':
      return `${event.left ?? 'unknown'} pods left after ${seconds(event.elapsedMs)} of at most ${seconds(event.timeoutMs)}: ${event.waitingFor}`
  }
}

export function podName(pod: Pick<PodRef, 'namespace' | 'name'>): string {
  return `${pod.namespace}/${pod.name}`
}

export function blockedBy(budget: string | null, numbers: BudgetNumbers | null): string {
  const which = budget === null ? 'the API server' : `PodDisruptionBudget ${budget}`
  return numbers === null ? which : `${which} (needs ${numbers.needed} healthy pods, has ${numbers.current})`
}

export function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`
}

import type { Classification } from '../core/drain.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { PodDisruptionBudget } from '../core/inventory.ts'
import { BudgetCap } from './drain-budgets.ts'
import { classifyFresh, type DrainAllowance } from './drain-classify.ts'
import { type DrainEvent, podName, seconds } from './drain-events.ts'
import {
  budgetHindrance,
  dueForEviction,
  type Failing,
  type LeavingPod,
  podRef,
  retryDelayMs,
} from './drain-pods.ts'
import { type BlockedPod, describeRefused, waitingFor } from './drain-report.ts'
import { DrainView } from './drain-view.ts'
import type { Clock, Eviction, Kube } from './ports.ts'

export interface DrainRequest {
  readonly kube: Kube
  readonly clock: Clock
  readonly node: string
  readonly timeoutMs: number
  readonly allow: DrainAllowance
  /** Left out: every pod asks the API server on its own. */
  readonly budgets?: (signal: AbortSignal) => Promise<PodDisruptionBudget[]>
  /** UIDs journaled before the first eviction; no other pod is evicted. Without it the first list says which. */
  readonly uids?: readonly string[]
  readonly onEvent: (event: DrainEvent) => void
  readonly signal: AbortSignal
}

export type DrainOutcome =
  | { readonly status: 'drained'; readonly evicted: readonly string[] }
  | {
      readonly status: 'blocked'
      /** One sentence. */
      readonly reason: string
      readonly pods: readonly BlockedPod[]
      /** UIDs of pods that have gone or are ending: a drain that stops does not bring them back. */
      readonly evicted: readonly string[]
    }

const pollMs = 1_000
const heartbeatMs = 30_000
const evictionsAtOnce = 10
/** Servers restart during this very job, so a failure that may pass is repeated for this long. */
const transientPatienceMs = 5 * 60_000
/** An API server that has just started refuses everybody until it has read its own roles. */
const permissionPatienceMs = 30_000
/** How long volumes may stay attached after the last pod, and how long in any case when the drain's time is over. */
const detachPatienceMs = 10 * 60_000
const detachSlackMs = 30_000
/** An accepted eviction that shows no effect is repeated after this time. */
const acceptedPatienceMs = 30_000

/**
 * Evicts the pods of a cordoned node and waits until they are gone. `drained` is said only when two lists, five seconds
 * apart, show nothing but DaemonSet, mirror and explicitly kept pods; a request that fails never counts as "gone".
 * Pods that are not in the list of the beginning are never evicted. Throws what cannot get better by waiting (missing
 * permission); everything a person can resolve is `blocked`, and a new drain goes on from there.
 */
export async function drainNode(request: DrainRequest): Promise<DrainOutcome> {
  const { clock, signal } = request
  const drain = new Drain(request)
  for (;;) {
    await drain.look()
    const outcome = await drain.withVolumes(drain.outcome())
    if (outcome !== undefined) return outcome
    await drain.evictDue()
    drain.heartbeat()
    await clock.sleep(drain.untilNextLook(), signal)
  }
}

class Drain {
  private readonly request: DrainRequest
  private readonly startMs: number
  private readonly daemonSets = new Map<string, boolean>()
  /** undefined until the first list succeeded; nothing is evicted before. */
  private view: DrainView | undefined
  private listFailure: Failing | null = null
  private quietUntilMs = 0
  private throttles = 0
  private heartbeatDueMs: number
  /** Since when only volumes are waited for, and the last known of them. */
  private detaching: { readonly sinceMs: number; readonly names: readonly string[] } | undefined
  private volumeFailure: Failing | null = null
  private readonly cap: BudgetCap | undefined

  constructor(request: DrainRequest) {
    this.request = request
    this.startMs = request.clock.monotonicMs()
    this.heartbeatDueMs = this.startMs + heartbeatMs
    const { budgets, signal, onEvent } = request
    this.cap =
      budgets === undefined
        ? undefined
        : new BudgetCap(
            async () => budgets(signal),
            ({ pod }, { budget, numbers }) => onEvent({ type: 'waiting', pod: podRef(pod), budget, numbers }),
          )
  }

  /** One list. A failure keeps what is known and is borne for a while. */
  async look(): Promise<void> {
    const { kube, node, allow, uids, signal, onEvent } = this.request
    let found: Classification
    try {
      found = await classifyFresh(kube, node, allow, this.daemonSets, signal)
    } catch (error) {
      this.listFailure = this.bear(error, this.listFailure)
      onEvent({ type: 'unanswered', pod: null, ...this.told(this.listFailure) })
      return
    }
    this.listFailure = null
    if (this.view === undefined) this.view = new DrainView(found, uids, this.now(), onEvent)
    else this.view.follow(found, this.now())
  }

  /** An empty node is looked at once more, when that look counts; in between there is nothing to do. */
  untilNextLook(): number {
    const { view, listFailure } = this
    const confirmableMs = listFailure === null ? (view?.confirmableInMs(this.now()) ?? 0) : 0
    return Math.max(pollMs, confirmableMs)
  }

  /** undefined while there is something to wait for. */
  outcome(): DrainOutcome | undefined {
    const { view } = this
    const nowMs = this.now()
    const failed = this.failedForLong(nowMs)
    if (failed !== undefined) return this.blocked(failed)
    if (view !== undefined && view.refused.length > 0) {
      const reason = 'nothing was evicted, because some pods may not be'
      return { status: 'blocked', reason, pods: view.refused.map(describeRefused), evicted: [] }
    }
    // A list that failed proves nothing, so the end is only ever declared right after one that did not.
    const end = this.listFailure === null ? view?.confirmedEnd(nowMs) : undefined
    if (end === 'empty') return { status: 'drained', evicted: view?.evicted() ?? [] }
    if (end === 'hopeless') return this.blocked('the pods that are left do not go by themselves')
    const impossible = view?.present().find(({ hindrance }) => hindrance?.kind === 'impossible')
    if (impossible !== undefined)
      return this.blocked(`${podName(impossible.pod)} can never be evicted as things are`)
    return this.isLate(nowMs) ? this.blocked(this.lateReason()) : undefined
  }

  /** A node whose volumes are attached is not drained: their data may not be out, and no other node can take them. */
  async withVolumes(outcome: DrainOutcome | undefined): Promise<DrainOutcome | undefined> {
    if (outcome?.status !== 'drained') return outcome
    const { kube, node, signal, timeoutMs, onEvent } = this.request
    let names = this.detaching?.names ?? []
    try {
      names = await kube.attachedVolumes(node, signal)
      this.volumeFailure = null
      if (names.length === 0) return outcome
    } catch (error) {
      this.volumeFailure = this.bear(error, this.volumeFailure)
      onEvent({ type: 'unanswered', pod: null, ...this.told(this.volumeFailure) })
    }
    if (names.join() !== this.detaching?.names.join() && names.length > 0)
      onEvent({ type: 'attached', names })
    const sinceMs = this.detaching?.sinceMs ?? this.now()
    this.detaching = { sinceMs, names }
    const waitedMs = this.now() - sinceMs
    const late = this.now() - this.startMs >= timeoutMs && waitedMs >= detachSlackMs
    if (!late && waitedMs < detachPatienceMs) return undefined
    return this.blocked(
      this.volumeFailure === null
        ? `volumes are still attached to ${node} after ${seconds(waitedMs)}: ${names.join(', ')}`
        : `it cannot be seen whether volumes are attached to ${node}: ${this.volumeFailure.error.message}`,
    )
  }

  /** The second look at an empty node may come after the time is over; it takes a few seconds and decides. */
  private isLate(nowMs: number): boolean {
    if (nowMs - this.startMs < this.request.timeoutMs) return false
    return this.view === undefined || this.listFailure !== null || this.view.remaining(nowMs).length > 0
  }

  private lateReason(): string {
    const late = `not drained within ${Math.round(this.request.timeoutMs / 1000)} s`
    if (this.listFailure === null) return late
    return `${late}, and the pods cannot be listed: ${this.listFailure.error.message}`
  }

  async evictDue(): Promise<void> {
    const nowMs = this.now()
    if (this.view === undefined || nowMs < this.quietUntilMs) return
    const due = dueForEviction(this.view.present(), nowMs)
    const allowed = this.cap === undefined ? due : await this.cap.within(due, nowMs)
    // As many as go out before the next look, unless the server asks for quiet.
    for (let at = 0; at < allowed.length; at += evictionsAtOnce) {
      const asked = await Promise.allSettled(
        allowed.slice(at, at + evictionsAtOnce).map((entry) => this.evict(entry)),
      )
      // All requests have ended before the first failure is passed on: nothing of a drain goes on behind its back.
      for (const result of asked) if (result.status === 'rejected') throw result.reason
      if (this.now() >= nowMs + pollMs || this.now() < this.quietUntilMs) return
    }
  }

  private async evict(entry: LeavingPod): Promise<void> {
    const { kube, signal, onEvent } = this.request
    const pod = podRef(entry.pod)
    entry.attempts += 1
    let answer: Eviction
    try {
      answer = await kube.evict(pod, signal)
    } catch (error) {
      const failing = this.bear(error, entry.hindrance?.kind === 'failing' ? entry.hindrance : null)
      entry.hindrance = failing
      entry.notBeforeMs = this.now() + retryDelayMs(pod.uid, entry.attempts, null)
      onEvent({ type: 'unanswered', pod, ...this.told(failing) })
      return
    }
    this.note(entry, answer)
  }

  private note(entry: LeavingPod, answer: Eviction): void {
    const { onEvent } = this.request
    const pod = podRef(entry.pod)
    const attempt = entry.attempts
    if (answer.status !== 'throttled') this.throttles = 0
    switch (answer.status) {
      case 'accepted':
        entry.hindrance = null
        entry.notBeforeMs = this.now() + acceptedPatienceMs
        onEvent({ type: 'accepted', pod, attempt })
        return
      case 'gone':
        // Not the proof: the next list is.
        entry.hindrance = null
        entry.notBeforeMs = this.now() + retryDelayMs(pod.uid, attempt, null)
        return
      case 'blocked': {
        const retryMs = retryDelayMs(pod.uid, attempt, answer.retryAfterMs)
        const { budget, numbers, message } = (entry.hindrance = budgetHindrance(pod, answer))
        entry.notBeforeMs = this.now() + retryMs
        onEvent({ type: 'blocked', pod, attempt, budget, numbers, message, retryMs })
        return
      }
      case 'throttled':
        this.backOff(answer)
        return
      case 'impossible':
        entry.hindrance = { kind: 'impossible', message: answer.message }
        onEvent({ type: 'impossible', pod, message: answer.message })
    }
  }

  private backOff({ message, retryAfterMs }: Extract<Eviction, { status: 'throttled' }>): void {
    const nowMs = this.now()
    // Of the requests that were under way together, the first one counts.
    if (nowMs >= this.quietUntilMs) this.throttles += 1
    const retryMs = retryDelayMs(this.request.node, this.throttles, retryAfterMs)
    this.quietUntilMs = Math.max(this.quietUntilMs, nowMs + retryMs)
    this.request.onEvent({ type: 'throttled', message, retryMs })
  }

  heartbeat(): void {
    const nowMs = this.now()
    if (nowMs < this.heartbeatDueMs) return
    this.heartbeatDueMs = nowMs + heartbeatMs
    const left = this.view?.remaining(nowMs)
    this.request.onEvent({
      type: 'heartbeat',
      elapsedMs: nowMs - this.startMs,
      timeoutMs: this.request.timeoutMs,
      left: left?.length ?? null,
      waitingFor: this.listFailure?.error.message ?? waitingFor(left ?? [], this.detaching?.names),
    })
  }

  private blocked(why: string): DrainOutcome {
    const ending = this.view?.present().filter(({ pod }) => pod.terminating).length ?? 0
    const note = ending === 0 ? '' : `; pods that were evicted go on ending: ${ending}`
    return {
      status: 'blocked',
      reason: `${why}${note}`,
      pods: this.view?.remaining(this.now()) ?? [],
      evicted: this.view?.evicted() ?? [],
    }
  }

  private failedForLong(nowMs: number): string | undefined {
    const pods = this.view?.present() ?? []
    for (const failing of [this.listFailure, this.volumeFailure, ...pods.map(({ hindrance }) => hindrance)]) {
      if (failing?.kind === 'failing' && nowMs - failing.sinceMs >= transientPatienceMs)
        return `failing for ${transientPatienceMs / 60_000} minutes: ${failing.error.message}`
    }
    return undefined
  }

  /** The failure to remember, if it may pass; anything else is thrown. */
  private bear(error: unknown, before: Failing | null): Failing {
    this.request.signal.throwIfAborted()
    if (!(error instanceof MigrateError)) throw error
    const sinceMs = before?.sinceMs ?? this.now()
    const perhapsStarting =
      error.exitCode === exitCode.permission && this.now() - sinceMs < permissionPatienceMs
    if (!error.transient && !perhapsStarting) throw error
    return { kind: 'failing', error, sinceMs }
  }

  private told(failing: Failing): { readonly message: string; readonly forMs: number } {
    return { message: failing.error.message, forMs: this.now() - failing.sinceMs }
  }

  private now(): number {
    return this.request.clock.monotonicMs()
  }
}

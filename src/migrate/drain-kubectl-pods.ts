import { MigrateError } from '../core/errors.ts'
import type { DrainRequest } from './drain.ts'
import { podName } from './drain-events.ts'
import { budgetHindrance, type LeavingPod, podRef } from './drain-pods.ts'
import { lane } from './lane.ts'
import type { Ending, Eviction, KubectlKube } from './ports.ts'

/** The flags of `kubectl drain` that change what it does. */
export interface KubectlFlags {
  readonly force: boolean
  readonly ignoreDaemonSets: boolean
  readonly deleteEmptyDir: boolean
  /** null: each pod's own. */
  readonly graceSeconds: number | null
  /** For each node, from its first eviction; null: for ever. */
  readonly timeoutMs: number | null
  readonly podSelector: string
  /** Delete, which asks no disruption budget. */
  readonly disableEviction: boolean
  /** Leaves pods alone that have been ending for longer; 0: none. */
  readonly skipEndingForSeconds: number
  readonly dryRun: 'none' | 'client' | 'server'
}

export const kubectlDefaults: KubectlFlags = {
  force: false,
  ignoreDaemonSets: false,
  deleteEmptyDir: false,
  graceSeconds: null,
  timeoutMs: null,
  podSelector: '',
  disableEviction: false,
  skipEndingForSeconds: 0,
  dryRun: 'none',
}

/** `kube` should not repeat reads that fail (kubectl does not): connect it with a `patienceMs` of 0. */
export interface KubectlDrainRequest extends Pick<DrainRequest, 'clock' | 'onEvent' | 'signal'> {
  readonly kube: KubectlKube
  readonly nodes: readonly string[]
  readonly flags: KubectlFlags
}

const pollMs = 1_000
const usualRetryMs = 5_000
/** kubectl sends about ten requests a second, whatever the number of pods. */
const requestsAtOnce = 10

/** The pods of one node on their way off it, in kubectl's manner (kubernetes/kubectl pkg/drain/drain.go). */
export class KubectlEvictions {
  /** One sentence each; empty when every pod went. */
  readonly failures: string[] = []
  private readonly request: KubectlDrainRequest
  private readonly entries: readonly LeavingPod[]
  private readonly how: Ending
  private readonly deadlineMs: number
  private readonly ask = lane(requestsAtOnce)

  constructor(request: KubectlDrainRequest, entries: readonly LeavingPod[]) {
    const { clock, flags } = request
    this.request = request
    this.entries = entries
    this.how = { graceSeconds: flags.graceSeconds, dryRun: flags.dryRun === 'server' }
    this.deadlineMs = clock.monotonicMs() + (flags.timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  /** All at once; one that fails does not stop the others. */
  async evictAll(): Promise<void> {
    await this.together(async (entry) => this.evict(entry))
  }

  /** One after the other, up to the first that fails; then all are waited for together. */
  async deleteAll(): Promise<void> {
    const { kube, signal } = this.request
    for (const entry of this.entries) {
      entry.attempts += 1
      try {
        const answer = await kube.deletePod(podRef(entry.pod), signal, this.how)
        if (answer === 'gone') this.gone(entry)
        else if (this.how.dryRun !== true) this.accepted(entry)
      } catch (error) {
        this.fail(entry, error)
        return
      }
    }
    if (this.how.dryRun !== true) await this.together(async (entry) => this.waitUntilGone(entry))
  }

  private async together(work: (entry: LeavingPod) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled(this.entries.map(work))
    // All requests have ended before the first failure is passed on: nothing of a drain goes on behind its back.
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  private async evict(entry: LeavingPod): Promise<void> {
    const { kube, clock, signal } = this.request
    for (;;) {
      if (this.isLate()) return
      entry.attempts += 1
      let answer: Eviction
      try {
        answer = await this.ask(async () => kube.evict(podRef(entry.pod), signal, this.how))
      } catch (error) {
        this.fail(entry, error)
        return
      }
      const again = this.note(entry, answer)
      if (again === 'wait') {
        await this.waitUntilGone(entry)
        return
      }
      if (again === 'end') return
      // Not cut short by the timeout: with 8 seconds kubectl ends after 10.
      await clock.sleep(again.retryMs, signal)
      await this.refresh(entry)
    }
  }

  private note(entry: LeavingPod, answer: Eviction): 'wait' | 'end' | { readonly retryMs: number } {
    const { onEvent } = this.request
    const pod = podRef(entry.pod)
    switch (answer.status) {
      case 'accepted':
        if (this.how.dryRun === true) return 'end'
        this.accepted(entry)
        return 'wait'
      case 'gone':
        this.gone(entry)
        return 'end'
      case 'blocked':
        // Its namespace is going away, which takes the pod along.
        if (answer.budget === null && entry.pod.terminating) return 'wait'
        return this.hold(entry, answer)
      case 'throttled':
        return this.hold(entry, { ...answer, status: 'blocked', budget: null })
      case 'impossible':
        entry.hindrance = { kind: 'impossible', message: answer.message }
        this.failures.push(`${podName(pod)} can never be evicted as things are`)
        onEvent({ type: 'impossible', pod, message: answer.message })
        return 'end'
    }
  }

  private hold(
    entry: LeavingPod,
    answer: Extract<Eviction, { status: 'blocked' }>,
  ): { readonly retryMs: number } {
    const pod = podRef(entry.pod)
    const retryMs = answer.retryAfterMs ?? usualRetryMs
    const { budget, numbers, message } = (entry.hindrance = budgetHindrance(pod, answer))
    this.request.onEvent({ type: 'blocked', pod, attempt: entry.attempts, budget, numbers, message, retryMs })
    return { retryMs }
  }

  /** Whether it is ending by now. What cannot be asked is left to the next eviction. */
  private async refresh(entry: LeavingPod): Promise<void> {
    const { kube, clock, signal } = this.request
    const { namespace, name, uid } = entry.pod
    try {
      const now = await this.ask(async () => kube.pod(namespace, name, signal))
      if (now?.uid !== uid || now.deletionAt === null) return
      entry.pod = { ...entry.pod, terminating: true }
      entry.endingSinceMs ??= clock.monotonicMs()
    } catch (error) {
      failureOf(error, signal)
    }
  }

  private async waitUntilGone(entry: LeavingPod): Promise<void> {
    const { kube, clock, flags, signal } = this.request
    const { namespace, name, uid } = entry.pod
    while (!entry.gone) {
      try {
        const now = await this.ask(async () => kube.pod(namespace, name, signal))
        if (now?.uid !== uid) {
          this.gone(entry)
          return
        }
        const patience = flags.skipEndingForSeconds
        if (patience > 0 && isOlder(now.deletionAt, patience, clock.now())) return
      } catch (error) {
        this.fail(entry, error)
        return
      }
      if (this.isLate()) return
      await clock.sleep(pollMs, signal)
    }
  }

  private accepted(entry: LeavingPod): void {
    entry.hindrance = null
    entry.endingSinceMs ??= this.request.clock.monotonicMs()
    this.request.onEvent({ type: 'accepted', pod: podRef(entry.pod), attempt: entry.attempts })
  }

  private gone(entry: LeavingPod): void {
    entry.gone = true
    this.request.onEvent({ type: 'gone', pod: podRef(entry.pod) })
  }

  private fail(entry: LeavingPod, error: unknown): void {
    const { clock, onEvent, signal } = this.request
    const failure: MigrateError = failureOf(error, signal)
    entry.hindrance = { kind: 'failing', error: failure, sinceMs: clock.monotonicMs() }
    this.failures.push(failure.message)
    onEvent({ type: 'unanswered', pod: podRef(entry.pod), message: failure.message, forMs: 0 })
  }

  private isLate(): boolean {
    const { clock, flags } = this.request
    if (clock.monotonicMs() < this.deadlineMs) return false
    this.failures.push(`not drained within ${Math.round((flags.timeoutMs ?? 0) / 1000)} s`)
    return true
  }
}

export function isOlder(deletionAt: Date | null, seconds: number, now: Date): boolean {
  return deletionAt !== null && now.getTime() - deletionAt.getTime() > seconds * 1000
}

/** A failure that belongs to what was asked for; a stop or a fault of our own is thrown. */
export function failureOf(error: unknown, signal: AbortSignal): MigrateError {
  signal.throwIfAborted()
  if (error instanceof MigrateError) return error
  throw error
}

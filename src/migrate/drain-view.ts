import type { Classification, Classified, RefuseReason } from '../core/drain.ts'
import type { Pod } from '../core/inventory.ts'
import type { DrainEvent } from './drain-events.ts'
import { isStuck, leavingPod, type LeavingPod, podRef } from './drain-pods.ts'
import { type BlockedPod, describeAppeared, describeLeaving } from './drain-report.ts'

/** Two lists this far apart must both show the node empty. */
const confirmAfterMs = 5_000

/**
 * What a drain knows of its node: the list of the beginning, followed through later lists. Only lists that succeeded
 * come in here, so nothing is ever "gone" because a request failed.
 */
export class DrainView {
  readonly refused: readonly Classified<RefuseReason>[]
  private readonly leaving: readonly LeavingPod[]
  private readonly strangers = new Map<string, { readonly pod: Pod; readonly sinceMs: number }>()
  /** Since when every list has shown the same end: nothing left, or nothing that could still go. */
  private settled: { readonly what: 'empty' | 'hopeless'; readonly sinceMs: number } | undefined
  private readonly onEvent: (event: DrainEvent) => void

  /** `uids` restricts the list of the beginning; undefined takes all that may be evicted. */
  constructor(
    found: Classification,
    uids: readonly string[] | undefined,
    nowMs: number,
    onEvent: (event: DrainEvent) => void,
  ) {
    this.onEvent = onEvent
    this.refused = found.refuse
    const listed = found.evict.filter(({ pod }) => uids === undefined || uids.includes(pod.uid))
    this.leaving = listed.map(({ pod }) => leavingPod(pod, nowMs))
    onEvent({
      type: 'listed',
      evict: listed.map(({ pod }) => podRef(pod)),
      keep: found.keep.map(({ pod }) => podRef(pod)),
    })
    this.follow(found, nowMs)
  }

  follow(found: Classification, nowMs: number): void {
    const others = new Map([...found.evict, ...found.refuse].map(({ pod }) => [pod.uid, pod]))
    for (const entry of this.leaving) {
      this.update(entry, others.get(entry.pod.uid), nowMs)
      others.delete(entry.pod.uid)
    }
    for (const uid of this.strangers.keys()) if (!others.has(uid)) this.strangers.delete(uid)
    for (const [uid, pod] of others) {
      const known = this.strangers.get(uid)
      if (known === undefined) this.onEvent({ type: 'appeared', pod: podRef(pod) })
      this.strangers.set(uid, { pod, sinceMs: known?.sinceMs ?? nowMs })
    }
    const what = this.end(nowMs)
    if (what === undefined) this.settled = undefined
    else if (this.settled?.what !== what) this.settled = { what, sinceMs: nowMs }
  }

  private update(entry: LeavingPod, pod: Pod | undefined, nowMs: number): void {
    if (pod === undefined) {
      if (!entry.gone) this.onEvent({ type: 'gone', pod: podRef(entry.pod) })
      entry.gone = true
      return
    }
    entry.gone = false
    entry.pod = pod
    entry.endingSinceMs = pod.terminating ? (entry.endingSinceMs ?? nowMs) : null
  }

  private end(nowMs: number): 'empty' | 'hopeless' | undefined {
    const left = this.present()
    if (left.length + this.strangers.size === 0) return 'empty'
    const stuck = left.every((entry) => isStuck(entry, nowMs))
    const staying = [...this.strangers.values()].every(({ pod }) => !pod.terminating)
    return stuck && staying ? 'hopeless' : undefined
  }

  /** The end that lists five seconds apart have shown. */
  confirmedEnd(nowMs: number): 'empty' | 'hopeless' | undefined {
    if (this.settled === undefined || nowMs - this.settled.sinceMs < confirmAfterMs) return undefined
    return this.settled.what
  }

  /** How long until another look can confirm that the node is empty; 0 while it is not. */
  confirmableInMs(nowMs: number): number {
    if (this.settled?.what !== 'empty') return 0
    return Math.max(0, this.settled.sinceMs + confirmAfterMs - nowMs)
  }

  /** Pods of the list that are still on the node. */
  present(): LeavingPod[] {
    return this.leaving.filter(({ gone }) => !gone)
  }

  /** UIDs of pods that have gone or are ending. */
  evicted(): string[] {
    return this.leaving.filter(({ gone, pod }) => gone || pod.terminating).map(({ pod }) => pod.uid)
  }

  /** What is still on the node and should not be. */
  remaining(nowMs: number): BlockedPod[] {
    return [
      ...this.present().map((entry) => describeLeaving(entry, nowMs)),
      ...Array.from(this.strangers.values(), ({ pod, sinceMs }) => describeAppeared(pod, sinceMs, nowMs)),
    ]
  }
}

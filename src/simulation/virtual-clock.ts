import type { Clock } from '../migrate/ports.ts'

/**
 * A clock that jumps. When everything waits, the earliest waiter is woken and it is its time; an hour takes no time, and
 * the same waits wake in the same order on every machine.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number
  #nowMs = 0
  #sequence = 0
  #timers: { readonly atMs: number; readonly sequence: number; readonly wake: () => void }[] = []
  #pumping = false

  constructor(start: Date) {
    this.#startMs = start.getTime()
  }

  now(): Date {
    return new Date(this.#startMs + this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const give = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      signal.addEventListener('abort', give, { once: true })
      this.at(this.#nowMs + ms, () => {
        signal.removeEventListener('abort', give)
        resolve()
      })
    })
  }

  /** Simulated time never runs out by itself: waits have their own deadlines on this clock. */
  timeout(_ms: number): AbortSignal {
    return new AbortController().signal
  }

  /** Something that happens in the simulated world at a moment (ms since the start of the clock). */
  at(atMs: number, wake: () => void): void {
    this.#sequence += 1
    this.#timers.push({ atMs, sequence: this.#sequence, wake })
    if (!this.#pumping) {
      this.#pumping = true
      setImmediate(() => this.#pump())
    }
  }

  // One waiter a turn of the event loop: what it wakes runs to its next wait before time goes on.
  #pump(): void {
    const [next] = this.#timers.toSorted((a, b) => a.atMs - b.atMs || a.sequence - b.sequence)
    if (next === undefined) {
      this.#pumping = false
      return
    }
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.wake()
    setImmediate(() => this.#pump())
  }
}

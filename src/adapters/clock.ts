import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../migrate/ports.ts'

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  timeout: (ms) => AbortSignal.timeout(ms),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      // Node rejects with its own AbortError; the port promises the reason that was given.
      signal.throwIfAborted()
      throw error
    }
  },
}

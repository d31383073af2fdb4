import { onTestFinished } from 'vitest'
import type { LeaseHold } from '../../src/migrate/lease.ts'
import type { Clock, LeaseStore } from '../../src/migrate/ports.ts'
import { takeLease, type LeaseRequest } from '../../src/migrate/take-lease.ts'
import { simulatedLease } from '../../src/simulation/lease.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'

/** A cluster with a Lease, whose API server can be away, and a clock that jumps. */
export interface LeaseLab {
  readonly clock: VirtualClock
  readonly store: LeaseStore
  /** Since the beginning, in order. */
  readonly said: string[]
  isUp: boolean
  /** A process that wants the cluster; it renews by itself until the test is over. */
  take(changes?: Partial<LeaseRequest>): Promise<LeaseHold>
  pass(seconds: number): Promise<void>
}

export function leaseLab(clock = new VirtualClock(new Date('2026-11-24T08:00:00Z'))): LeaseLab {
  const said: string[] = []
  const never = new AbortController().signal
  const lab: LeaseLab = {
    clock,
    store: simulatedLease(() => lab.isUp),
    said,
    isUp: true,
    async take(changes = {}) {
      const hold = await takeLease({
        ...kim(lab.store, clock),
        say: (text) => void said.push(text),
        ...changes,
      })
      onTestFinished(() => hold.stop())
      return hold
    },
    pass: async (seconds) => clock.sleep(seconds * 1000, never),
  }
  return lab
}

function kim(store: LeaseStore, clock: Clock): LeaseRequest {
  return {
    store,
    clock,
    who: 'kim@desk',
    pid: 4711,
    machine: 'boot-1',
    runId: 'run-1',
    planDigest: 'sha256:test',
    records: [],
    command: 'resume run-1',
    jobUrl: null,
    maySleep: false,
    signal: new AbortController().signal,
    say: () => {},
  }
}

/** Somebody else, elsewhere, with a run of their own. */
export const sam = {
  who: 'sam@laptop',
  pid: 12,
  machine: 'boot-2',
  runId: 'run-2',
  command: 'apply plan.json',
} as const

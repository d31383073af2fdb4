import { lockRun } from '../adapters/run-lock.ts'
import type { FinalizePlan } from '../core/finalize.ts'
import type { JournalRecord } from '../core/journal.ts'
import type { LeaseHold } from '../migrate/lease.ts'
import type { Clock, LeaseStore, LeftoverStore } from '../migrate/ports.ts'
import { lockCluster, unlockCluster } from './cluster-lock.ts'
import type { CommandIo } from './io.ts'

/** The lock of the cluster while `finalize apply` removes things; it is itself the last of them. */
export interface FinalizeLock {
  readonly hold: LeaseHold
  /** There was none before: it is no leftover of the run, and goes with whoever made it. */
  readonly isOurs: boolean
}

interface FinalizeLocking {
  readonly plan: FinalizePlan
  /** As it was typed. */
  readonly file: string
  readonly takeOver?: string
  readonly run: { readonly directory: string; readonly records: readonly JournalRecord[] }
  readonly ports: { readonly lease: LeaseStore; readonly leftovers: LeftoverStore; readonly clock: Clock }
  readonly io: CommandIo
}

/**
 * Does something while no run can begin or go on: neither another one of this cluster, nor in another process this very one.
 * Exit 6 when somebody has the lock.
 */
export async function whileLocked(
  locking: FinalizeLocking,
  act: (lock: FinalizeLock) => Promise<void>,
): Promise<void> {
  const { plan, file, takeOver, run, ports, io } = locking
  const release = await lockRun(run.directory)
  try {
    const isOurs = (await ports.lease.read(io.signal)) === undefined
    const hold = await lockCluster({
      lease: ports.lease,
      clock: ports.clock,
      plan,
      runId: plan.runId,
      records: run.records,
      command: `finalize apply ${file}`,
      options: takeOver === undefined ? {} : { takeOver },
      io,
    })
    try {
      await act({ hold, isOurs })
      if (isOurs) await removeLock(hold, ports.leftovers, io)
    } catch (error) {
      await unlockCluster(hold, io)
      throw error
    }
    // Nothing to let go of: the lock is gone.
    hold.stop()
  } finally {
    await release()
  }
}

async function removeLock(hold: LeaseHold, leftovers: LeftoverStore, io: CommandIo): Promise<void> {
  const name = { resource: 'leases', namespace: 'kube-system', name: 'k3os-migrate' } as const
  await hold.prove()
  hold.stop()
  const uid = await leftovers.uidOf(name, io.signal)
  if (uid !== undefined) await leftovers.remove({ ...name, uid }, io.signal)
}

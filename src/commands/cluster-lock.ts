import { hostname } from 'node:os'
import { thisMachine } from '../adapters/run-lock.ts'
import type { JournalRecord } from '../core/journal.ts'
import type { Plan } from '../core/plan.ts'
import type { LeaseHold } from '../migrate/lease.ts'
import type { Clock, LeaseStore } from '../migrate/ports.ts'
import { takeLease } from '../migrate/take-lease.ts'
import { mark } from '../output/style.ts'
import type { CommandIo } from './io.ts'
import type { RunOptions } from './run-options.ts'

interface Locking {
  /** Left out where there is no cluster to lock. */
  readonly lease?: LeaseStore
  readonly clock: Clock
  readonly plan: Pick<Plan, 'digest'>
  readonly runId: string
  readonly records?: readonly JournalRecord[]
  /** As it is typed. */
  readonly command: string
  readonly options: Pick<RunOptions, 'takeOver'>
  readonly io: CommandIo
  /** See LeaseRequest. */
  readonly maySleep?: boolean
}

export async function lockCluster(locking: Locking & { readonly lease: LeaseStore }): Promise<LeaseHold>
export async function lockCluster(locking: Locking): Promise<LeaseHold | undefined>
/** Locks the cluster for a run (exit 6 when another one has it). Whoever goes on with a run holds its local lock. */
export async function lockCluster(locking: Locking): Promise<LeaseHold | undefined> {
  const { lease, clock, plan, runId, records = [], command, options, io, maySleep = false } = locking
  if (lease === undefined) return undefined
  return takeLease({
    store: lease,
    clock,
    runId,
    records,
    planDigest: plan.digest,
    command,
    who: `${io.env['USER'] ?? io.env['LOGNAME'] ?? 'unknown'}@${hostname()}`,
    pid: process.pid,
    machine: thisMachine(),
    jobUrl: jobUrl(io.env),
    maySleep,
    signal: io.signal,
    say: (sentence) => io.err(`${sentence}\n`),
    ...(options.takeOver === undefined ? {} : { takeOver: options.takeOver }),
  })
}

/** Lets go of it, whatever happened; that it could not be told is no failure of the run. */
export async function unlockCluster(lock: LeaseHold | undefined, io: CommandIo): Promise<void> {
  const failure = await lock?.release()
  if (failure === undefined) return
  io.err(`${mark('warn', `the lock of the cluster is left to run out: ${failure.message}`)}\n`)
}

/** The page of the CI job that this runs in, for people who wonder who has the lock. */
function jobUrl(env: CommandIo['env']): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env
  if (server !== undefined && repository !== undefined && id !== undefined)
    return `${server}/${repository}/actions/runs/${id}`
  return env['CI_JOB_URL'] ?? env['BUILD_URL'] ?? null
}

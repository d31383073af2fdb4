import { exitCode, MigrateError } from '../core/errors.ts'
import type { JournalRecord } from '../core/journal.ts'
import { isUnfinished, parseRunRecord, type RunRecord } from '../core/run-record.ts'
import { holderText, leaseAnnotations, LeaseHold, leaseTimes, parseHolder, type Taken } from './lease.ts'
import type { Clock, LeaseState, LeaseStore } from './ports.ts'

export interface LeaseRequest {
  readonly store: LeaseStore
  readonly clock: Clock
  /** `user@host`. */
  readonly who: string
  readonly pid: number
  /** Names this boot of this machine (and its process namespace); null where the system does not tell. */
  readonly machine: string | null
  readonly runId: string
  readonly planDigest: string
  /** What the journal holds that this process goes on with. */
  readonly records: readonly JournalRecord[]
  /** As it is typed, for hints: `apply plan.json`. */
  readonly command: string
  readonly jobUrl: string | null
  /** `--take-over RUN`: whose lock may be taken when it is silent, and whose run counts as over. */
  readonly takeOver?: string
  /** Its machine may be the one that is being moved: without an answer, go on and ask again later. */
  readonly maySleep: boolean
  readonly signal: AbortSignal
  say(sentence: string): void
}

const lookEveryMs = 5_000
const sayEveryMs = 60_000

/**
 * Takes the lock of the cluster, or says who has it (exit 6). A Lease is only taken from a holder that has been silent, before
 * our own eyes, for as long as it said it would renew; clocks are not compared. The one exception is a dead process of
 * the same run on this very machine: whoever calls this for a run holds its local lock.
 */
export async function takeLease(request: LeaseRequest): Promise<LeaseHold> {
  const holder = `${request.who.replaceAll('/', '-')}/${request.pid}/${request.runId}`
  const acquire = async () => acquireNow(request, holder)
  let taken: Taken | undefined
  try {
    taken = await acquire()
  } catch (error) {
    if (!request.maySleep || !(error instanceof MigrateError) || !error.transient) throw error
    request.say(`the lock of the cluster is taken as soon as it answers: ${error.message}`)
  }
  return new LeaseHold(holder, request.store, request.clock, acquire, taken)
}

async function acquireNow(request: LeaseRequest, holder: string): Promise<Taken> {
  const { store, clock, signal } = request
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const found = await store.read(signal)
    if (found !== undefined) {
      refuseOtherRun(request, found)
      if (await isStillHeld(request, found)) continue
    }
    const nowText = clock.now().toISOString()
    const change = {
      holder,
      durationSeconds: leaseTimes.durationMs / 1000,
      acquiredAt: nowText,
      renewedAt: nowText,
      transitions: (found?.transitions ?? 0) + 1,
      annotations: {
        [leaseAnnotations.command]: request.command,
        [leaseAnnotations.plan]: request.planDigest,
        [leaseAnnotations.job]: request.jobUrl,
        [leaseAnnotations.machine]: request.machine,
        [leaseAnnotations.silence]: null,
      },
    }
    const state =
      found === undefined
        ? await store.create(change, signal)
        : await store.update(found.version, change, signal)
    if (state !== undefined) return { state, takenFrom: found?.holder ?? null }
  }
  throw new MigrateError(`others take the lock of ${store.where} all the time`, {
    exitCode: exitCode.locked,
    hint: 'see who has it: k3os-migrate status --from-cluster',
  })
}

/** One run at a time: one that paused is ended by its people, not forgotten. */
function refuseOtherRun(request: LeaseRequest, found: LeaseState): void {
  const { store, runId, takeOver } = request
  const record = parseRunRecord(found.annotations[leaseAnnotations.record])
  if (record === 'unreadable') throw lockUnreadable(store)
  if (record?.runId === runId) refuseOlderJournal(request, record)
  if (found.holder !== null) {
    const { runId: other } = parseHolder(found.holder)
    if (other === runId || other === takeOver) return
    throw lockedBy(request, found, found.holder, other)
  }
  if (record === undefined || !isUnfinished(record)) return
  if (record.runId === runId || record.runId === takeOver) return
  throw new MigrateError(
    `run ${record.runId} of ${store.where} is not finished (${record.status}, last change ${record.updatedAt})`,
    {
      exitCode: exitCode.locked,
      hint: `k3os-migrate resume ${record.runId}, or give it up: k3os-migrate abandon ${record.runId}; if its directory is lost: k3os-migrate ${request.command} --take-over ${record.runId}`,
    },
  )
}

/** The cluster never knows more than the journal of its run, unless that is a copy from earlier, or one of two. */
function refuseOlderJournal({ store, records }: LeaseRequest, { journal: known }: RunRecord): void {
  if (known.seq === 0 || records[known.seq - 1]?.hash === known.hash) return
  const what =
    records.length < known.seq
      ? `this journal ends with record ${records.length}, and ${store.where} has seen record ${known.seq} of the run`
      : `record ${known.seq} of this journal is another one than ${store.where} has seen of the run`
  throw new MigrateError(`${what}: it went on elsewhere`, {
    exitCode: exitCode.stalePlan,
    hint: 'go on from the directory where it went on last',
  })
}

export function lockUnreadable({ where }: Pick<LeaseStore, 'where'>): MigrateError {
  return new MigrateError(`the run record in the lock of ${where} cannot be read`, {
    exitCode: exitCode.locked,
    hint: 'if surely no run is under way: kubectl -n kube-system delete lease k3os-migrate',
  })
}

/** False when the Lease may be taken now; true when it changed meanwhile and must be looked at anew. */
async function isStillHeld(request: LeaseRequest, found: LeaseState): Promise<boolean> {
  const { holder } = found
  if (holder === null) return false
  const { who, runId } = parseHolder(holder)
  const machine = found.annotations[leaseAnnotations.machine]
  const isOurDead =
    runId === request.runId && who === request.who.replaceAll('/', '-') && machine === request.machine
  if (isOurDead && request.machine !== null) return false
  return watch(request, found, holder)
}

async function watch(request: LeaseRequest, found: LeaseState, holder: string): Promise<boolean> {
  const { store, clock, signal } = request
  const durationMs = found.durationSeconds * 1000
  const startMs = clock.monotonicMs()
  // It announced a silence that may last for hours. Without the object, a process that lives after all finds out and stops.
  const shortcut =
    durationMs > leaseTimes.durationMs
      ? '; if its process is surely dead: kubectl -n kube-system delete lease k3os-migrate'
      : ''
  let saidMs: number | undefined
  for (;;) {
    const leftMs = startMs + durationMs - clock.monotonicMs()
    if (leftMs <= 0) return false
    if (saidMs === undefined || clock.monotonicMs() - saidMs >= sayEveryMs) {
      saidMs = clock.monotonicMs()
      request.say(
        `${holderText(holder)} has the lock; it may be taken after ${Math.ceil(leftMs / 1000)} s without a sign of life${shortcut}`,
      )
    }
    await clock.sleep(Math.min(lookEveryMs, leftMs), signal)
    const now = await store.read(signal)
    if (now === undefined || now.holder === null || now.transitions !== found.transitions) return true
    if (now.version !== found.version) throw lockedBy(request, now, holder, parseHolder(holder).runId)
  }
}

function lockedBy(request: LeaseRequest, found: LeaseState, holder: string, other: string): MigrateError {
  const job = found.annotations[leaseAnnotations.job]
  const silence = found.annotations[leaseAnnotations.silence]
  const times = [
    `since ${found.acquiredAt ?? 'an unknown time'}`,
    `last renewed ${found.renewedAt ?? 'never'}`,
    ...(silence === undefined
      ? []
      : [`silent for ${silence}, because the machine of the API server is being moved`]),
    ...(job === undefined ? [] : [job]),
  ]
  const command =
    other === request.runId
      ? `k3os-migrate ${request.command}`
      : `k3os-migrate ${request.command} --take-over ${other}`
  return new MigrateError(`${request.store.where} is locked by ${holderText(holder)} (${times.join(', ')})`, {
    exitCode: exitCode.locked,
    hint: `wait for it; once it is surely dead, and silent for ${found.durationSeconds} s: ${command}`,
  })
}

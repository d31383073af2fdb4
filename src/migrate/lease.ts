import { exitCode, MigrateError } from '../core/errors.ts'
import { Halt } from './halt.ts'
import type { Clock, LeaseChange, LeaseState, LeaseStore } from './ports.ts'

/** `durationMs`: silence after which somebody else may take the Lease; a proof is trusted for a third of it. */
export const leaseTimes = { durationMs: 60_000, renewMs: 20_000, proofMs: 20_000 } as const

export const leaseAnnotations = {
  record: 'k3os-migrate/run-record',
  command: 'k3os-migrate/command',
  plan: 'k3os-migrate/plan',
  job: 'k3os-migrate/job',
  machine: 'k3os-migrate/machine',
  silence: 'k3os-migrate/expect-silence',
} as const

/** The Lease belongs to somebody else now: whoever took it may already be at work. */
export class LeaseLost extends Halt {
  constructor(what: string) {
    super(`${what}; nothing more is done here`, {
      exitCode: exitCode.locked,
      hint: 'see who has it: k3os-migrate status --from-cluster',
    })
  }
}

/** What the runner needs of the lock of the cluster. */
export interface RunLock {
  readonly holder: string
  /** Whom it was taken from; null when nobody had it. */
  readonly takenFrom: string | null
  /** Throws LeaseLost when it is somebody else's, and a transient MigrateError while that cannot be found out. */
  prove(): Promise<void>
  /**
   * The API server may be away for so long because of what is done to its machine: until then silence is no loss, and
   * others must wait for longer. null: it is back.
   */
  expectSilence(ms: number | null): void
  /** Kept in the cluster from the next renewal on. */
  tell(record: string): void
}

/** What taking the Lease ended with; `acquire` is called again while the API server is expected to be silent. */
export interface Taken {
  readonly state: LeaseState
  readonly takenFrom: string | null
}

/**
 * Holds the Lease: renews it while time passes, and proves before each change that it is still ours. A process that slept
 * (stopped, a laptop that was closed) finds its proof too old by one of the two clocks, asks, and learns that it lost.
 */
export class LeaseHold implements RunLock {
  readonly holder: string
  readonly #store: LeaseStore
  readonly #clock: Clock
  readonly #acquire: () => Promise<Taken>
  readonly #over = new AbortController()
  #taken: Taken | undefined
  #provenAt: Moment | undefined
  #lost: Halt | undefined
  #mistake: { readonly error: unknown } | undefined
  #renewing: Promise<void> | undefined
  #silence: { readonly fromMs: number; readonly ms: number; readonly says: string } | null = null
  #record: string | undefined
  /** Something to tell beyond that we live. */
  #isDirty = false

  constructor(
    holder: string,
    store: LeaseStore,
    clock: Clock,
    acquire: () => Promise<Taken>,
    taken: Taken | undefined,
  ) {
    this.holder = holder
    this.#store = store
    this.#clock = clock
    this.#acquire = acquire
    this.#taken = taken
    this.#provenAt = taken === undefined ? undefined : this.#now()
    void this.#keep()
  }

  get takenFrom(): string | null {
    return this.#taken?.takenFrom ?? null
  }

  async prove(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (this.#mistake !== undefined) throw this.#mistake.error
    if (this.#isFresh() && !this.#isDirty) return
    try {
      await this.#renew()
    } catch (error) {
      if (!(error instanceof MigrateError) || error instanceof Halt) throw error
      if (this.#isFresh() || this.#isSilenceExpected()) return
      throw new MigrateError(`it cannot be seen whether this run still has the cluster: ${error.message}`, {
        exitCode: error.exitCode === exitCode.unexpected ? exitCode.blocked : error.exitCode,
        transient: true,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      })
    }
  }

  expectSilence(ms: number | null): void {
    if (ms === null && this.#silence === null) return
    const says = `up to ${Math.ceil((ms ?? 0) / 1000)} s from ${this.#clock.now().toISOString()}`
    this.#silence = ms === null ? null : { fromMs: this.#clock.monotonicMs(), ms, says }
    this.#isDirty = true
  }

  tell(record: string): void {
    if (record === this.#record) return
    this.#record = record
    this.#isDirty = true
  }

  /** Lets go, and leaves the record that was told last. Gives what went wrong with that: the Lease then ends by itself. */
  async release(): Promise<MigrateError | undefined> {
    this.stop()
    await this.#renewing?.catch(() => undefined)
    if (this.#lost !== undefined || this.#taken === undefined) return undefined
    this.#silence = null
    try {
      const signal = new AbortController().signal
      await this.#send({ ...this.#content(), holder: null }, signal)
      return undefined
    } catch (error) {
      if (error instanceof MigrateError) return error
      throw error
    }
  }

  /** Renews no more, as if the process had died. */
  stop(): void {
    this.#over.abort()
  }

  async #keep(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted && this.#lost === undefined && this.#mistake === undefined) {
      try {
        await this.#clock.sleep(leaseTimes.renewMs, signal)
        await this.#renew()
      } catch (error) {
        // Whoever needs the proof next asks again, and is told. A mistake of ours is kept for them.
        if (!(error instanceof MigrateError) && !signal.aborted) this.#mistake ??= { error }
      }
    }
  }

  /** Whoever comes while a request is under way waits for that one. */
  async #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined
    })
    await this.#renewing
  }

  async #renewNow(): Promise<void> {
    // Counted from before the request: others see it as renewed at some moment after this one.
    const before = this.#now()
    const wasDirty = this.#isDirty
    this.#isDirty = false
    try {
      this.#taken ??= await this.#acquire()
      await this.#send(this.#content(), new AbortController().signal)
      this.#provenAt = before
    } catch (error) {
      this.#isDirty ||= wasDirty
      this.#lost = lossIn(error)
      throw this.#lost ?? error
    }
  }

  /** A version that is not the newest may be our own doing: the answer to an earlier request was lost. */
  async #send(change: LeaseChange, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; this.#taken !== undefined; attempt += 1) {
      const { state, takenFrom } = this.#taken
      const next = await this.#store.update(state.version, change, signal)
      if (next !== undefined) {
        this.#taken = { state: next, takenFrom }
        return
      }
      const found = await this.#store.read(signal)
      if (found === undefined) throw new LeaseLost(`somebody removed the lock of ${this.#store.where}`)
      if (found.holder !== this.holder || found.transitions !== state.transitions)
        throw new LeaseLost(
          `${found.holder === null ? 'somebody' : holderText(found.holder)} has taken the lock of ${this.#store.where} from this run`,
        )
      if (attempt === 3) throw new LeaseLost(`the lock of ${this.#store.where} is changed by somebody else`)
      this.#taken = { state: found, takenFrom }
    }
  }

  #content(): LeaseChange {
    const silence = this.#silence
    const durationMs = Math.max(leaseTimes.durationMs, silence?.ms ?? 0)
    return {
      renewedAt: this.#clock.now().toISOString(),
      durationSeconds: Math.ceil(durationMs / 1000),
      annotations: {
        [leaseAnnotations.silence]: silence?.says ?? null,
        ...(this.#record === undefined ? {} : { [leaseAnnotations.record]: this.#record || null }),
      },
    }
  }

  #isFresh(): boolean {
    if (this.#provenAt === undefined) return false
    const now = this.#now()
    const ageMs = Math.max(
      now.monotonicMs - this.#provenAt.monotonicMs,
      Math.abs(now.wallMs - this.#provenAt.wallMs),
    )
    return ageMs < leaseTimes.proofMs
  }

  #isSilenceExpected(): boolean {
    const silence = this.#silence
    return silence !== null && this.#clock.monotonicMs() - silence.fromMs < silence.ms
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.now().getTime() }
  }
}

/** That another run has the cluster may also come out when it is taken after a silence. */
function lossIn(error: unknown): Halt | undefined {
  if (error instanceof Halt) return error
  if (!(error instanceof MigrateError) || error.exitCode !== exitCode.locked) return undefined
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new Halt(error.message, { exitCode: error.exitCode, cause: error, ...hint })
}

/** Two clocks: the first one stops while a machine sleeps, the second one may be set. */
interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** `kim@desk/4711/01936d2a-…` as `kim@desk, process 4711, run 01936d2a-…`. */
export function holderText(holder: string): string {
  const { who, pid, runId } = parseHolder(holder)
  return pid === undefined ? holder : `${who}, process ${pid}, run ${runId}`
}

export function parseHolder(holder: string): {
  readonly who: string
  readonly pid: string | undefined
  readonly runId: string
} {
  const [, who = holder, pid, runId = holder] = /^(.*)\/(\d+)\/([^/]+)$/.exec(holder) ?? []
  return { who, pid, runId }
}

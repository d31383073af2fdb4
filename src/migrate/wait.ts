import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { Halt } from './halt.ts'
import { NothingTouched } from './nothing-touched.ts'
import type { StepContext } from './step.ts'

export interface Wait {
  /** `n1 answers over SSH`: completes "waiting until …". */
  readonly until: string
  readonly timeoutMs: number
  readonly everyMs: number
  /** How often in a row the check must pass; one is enough when nothing is said. */
  readonly times?: number
  /** What a timeout means here. */
  readonly exit: ExitCode
  readonly hint: string
  /** undefined = it is so; a text = not yet, and why. A thrown error is "not yet" too: no evidence is not evidence. */
  check(): Promise<string | undefined>
}

/** How often it is said that one still waits for the same thing. */
const heartbeatMs = 30_000

/** Waits with a deadline, a reason and a heartbeat; stops at once when the user wants to stop. */
export async function waitUntil(context: StepContext, wait: Wait): Promise<void> {
  const { clock } = context
  const deadline = clock.monotonicMs() + wait.timeoutMs
  const needed = wait.times ?? 1
  let passed = 0
  let said: { readonly what: string; readonly atMs: number } | undefined
  for (;;) {
    const missing = await attempt(wait)
    passed = missing === undefined ? passed + 1 : 0
    if (passed >= needed) return
    const left = deadline - clock.monotonicMs()
    if (left <= 0) {
      throw new MigrateError(
        `${context.node.name}: gave up waiting until ${wait.until} after ${Math.round(wait.timeoutMs / 1000)} s: ${missing ?? 'not long enough'}`,
        { exitCode: wait.exit, hint: wait.hint },
      )
    }
    const nowMs = clock.monotonicMs()
    if (missing !== undefined && (said?.what !== missing || nowMs - said.atMs >= heartbeatMs)) {
      const sentence = `waiting until ${wait.until} (at most ${Math.ceil(left / 1000)} s more): ${missing}`
      context.progress(sentence, said?.what === missing)
      said = { what: missing, atMs: nowMs }
    }
    await pause(context, Math.min(wait.everyMs, left))
  }
}

async function attempt(wait: Wait): Promise<string | undefined> {
  try {
    return await wait.check()
  } catch (error) {
    const isFinal = error instanceof Halt || error instanceof NothingTouched
    if (error instanceof MigrateError && !isFinal) return error.message
    throw error
  }
}

/** Ends early when the step's time is over or the user wants to stop. */
export async function pause(context: StepContext, ms: number): Promise<void> {
  try {
    await context.clock.sleep(ms, AbortSignal.any([context.stop, context.signal]))
  } catch (error) {
    if (context.stop.aborted) throw stopped(context.stop, context.node.name)
    throw error
  }
}

/**
 * Does something on the new system that may be cut off on the way: a machine that has just been rebuilt restarts once
 * more when its first configuration is done. Tried until it answers or the step's time is over.
 */
export async function persist<T>(
  context: StepContext,
  what: string,
  timeoutMs: number,
  act: () => Promise<T>,
): Promise<T> {
  let answer: { readonly value: T } | undefined
  await waitUntil(context, {
    until: what,
    timeoutMs,
    everyMs: 5_000,
    exit: exitCode.needsOperator,
    hint: `look at ${context.node.name}, then: k3os-migrate resume ${context.runId}`,
    async check() {
      answer = { value: await act() }
      return undefined
    },
  })
  if (answer === undefined) throw new Error('a wait ended without an answer')
  return answer.value
}

/** The user stopped the run; nothing failed, and `resume` goes on from here. */
export function stopped(stop: AbortSignal, node?: string): MigrateError {
  return new MigrateError(`${node === undefined ? '' : `${node}: `}stopped on request`, {
    exitCode: stop.reason === 'SIGTERM' ? exitCode.terminated : exitCode.interrupted,
  })
}

/** The maintenance window is closed, or too short for the worst case. Nothing failed: `resume` when it opens. */
export function windowError(what: string, runId: string): MigrateError {
  return new MigrateError(what, { exitCode: exitCode.blocked, hint: `then: k3os-migrate resume ${runId}` })
}

/** Servers restart during this very job: a failure that may pass is met like a crash, by looking again. */
export async function patiently<T>(context: StepContext, act: () => Promise<T>): Promise<T> {
  for (let left = 60; ; left -= 1) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof MigrateError) || !error.transient || left === 0) throw error
      context.progress(`${error.message}; trying again`)
      await pause(context, 5_000)
    }
  }
}

/** Nothing failed: the user wants to stop. */
export function isStop({ exitCode: exit }: MigrateError): boolean {
  return exit === exitCode.interrupted || exit === exitCode.terminated
}

import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import type { JournalRecord } from '../core/journal.ts'
import { downFrom, forwardFrom } from '../core/methods.ts'
import { stepDefaults, type Plan, type PlanNode, type StepId } from '../core/plan.ts'
import type { Approval } from '../core/approvals.ts'
import { closedWindow } from '../core/plan-window.ts'
import { offsetAt } from '../core/time-zone.ts'
import { nodeRecord, runRecord, type NodeState } from '../core/run-state.ts'
import { letOthersGoOn } from './give-back.ts'
import { Halt } from './halt.ts'
import { Journal } from './journal.ts'
import type { RunLock } from './lease.ts'
import { fenced, silenceMs, tellState } from './locked-run.ts'
import type { PodNews } from './drain-events.ts'
import { NothingTouched } from './nothing-touched.ts'
import type { JournalSink } from './ports.ts'
import type { Intent, Observed, Rendered, Step, StepContext, StepPorts } from './step.ts'
import { stepContext } from './step-context.ts'
import { refuseFallenBack } from './steps/beside.ts'
import { steps } from './steps/index.ts'
import { rollBack } from './undo.ts'
import { isStop, patiently, pause, stopped, waitUntil, windowError } from './wait.ts'

/** What a run tells while it goes on; progress lines and `events.jsonl` are made of it. */
export type RunEvent =
  | { readonly type: 'node.start'; readonly node: string; readonly attempt: number }
  | { readonly type: 'approval.wait'; readonly node: string }
  | { readonly type: 'step.start'; readonly node: string; readonly step: StepId; readonly title: string }
  | { readonly type: 'action'; readonly node: string; readonly step: StepId; readonly describe: string }
  | {
      /** A heartbeat says again what is still waited for. */
      readonly type: 'step.progress' | 'step.heartbeat'
      readonly node: string
      readonly step: StepId
      readonly message: string
    }
  | ({ readonly type: 'drain.pod'; readonly node: string; readonly step: StepId } & PodNews)
  | {
      readonly type: 'step.end'
      readonly node: string
      readonly step: StepId
      readonly outcome: 'done' | 'failed' | 'undone'
    }
  | { readonly type: 'node.end'; readonly node: string; readonly outcome: 'done' | 'rolled-back' | 'failed' }

export interface Run {
  readonly plan: Plan
  readonly runId: string
  readonly ports: StepPorts
  readonly sink: JournalSink
  /** Of the cluster; left out where there is none to lock, as in a simulation. */
  readonly lock?: RunLock
  /** What the journal held when this process took over; empty for a new run. */
  readonly records: readonly JournalRecord[]
  translate(node: PlanNode, nonce: string): Promise<Rendered>
  onEvent(event: RunEvent): void
  /** Asked once before each node; throws (exit 10) when nobody approves. What it answers is journaled. */
  approve(node: PlanNode): Promise<Approval | undefined>
  /** A person sits at the terminal of this process; nobody does when left out. */
  readonly attended?: boolean
  /** Takes known secrets out of sentences before they are written down: the last line of defence. */
  scrub(text: string): string
  readonly stop: AbortSignal
}

export interface RunResult {
  readonly exit: ExitCode
  readonly error: MigrateError | null
  readonly records: readonly JournalRecord[]
}

/**
 * Carries a plan out, one node after the other, and stops at the first failure. There is one machine: for each step
 * intent → fsync → act → observe → result → fsync; after a crash the same code meets an intent without a result and
 * looks before it acts. `limit` is the number of nodes to finish before stopping.
 */
export async function run(unlocked: Run, limit = Number.POSITIVE_INFINITY): Promise<RunResult> {
  const job = fenced(unlocked)
  const journal = new Journal(job)
  const { lock } = job
  await journal.note(null, runRecord, 0, {
    event: 'start',
    planDigest: job.plan.digest,
    onDrainFailure: onDrainFailure(job),
    ...(lock === undefined ? {} : { lock: { holder: lock.holder, takenFrom: lock.takenFrom } }),
  })
  let finished = 0
  for (const node of job.plan.nodes) {
    const { phase } = journal.state(node.name)
    if (phase === 'done' || phase === 'reverted') continue
    if (finished >= limit) break
    try {
      if (job.stop.aborted) throw stopped(job.stop)
      await moveNode(job, journal, node)
      finished += 1
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      if (!(error instanceof Halt)) {
        const message = job.scrub(error.message)
        await journal.note(null, runRecord, 0, { event: 'end', exit: error.exitCode, error: message })
      }
      return { exit: error.exitCode, error, records: journal.records }
    }
  }
  await journal.note(null, runRecord, 0, { event: 'end', exit: exitCode.ok })
  return { exit: exitCode.ok, error: null, records: journal.records }
}

async function moveNode(job: Run, journal: Journal, node: PlanNode): Promise<void> {
  const state = journal.state(node.name)
  if (state.phase === 'reverting' || state.beforeRevert !== null) throw halfReverted(job, node)
  if (state.phase === 'rolling-back') throw await rollBack(job, journal, node, state)
  const attempt = state.phase === 'rolled-back' ? state.attempt + 1 : state.attempt
  // A node that has gone down is finished, whatever the time.
  if (!hasBegun(node, state, downFrom(node))) refuseOutsideWindow(job, node)
  job.onEvent({ type: 'approval.wait', node: node.name })
  const approval = await job.approve(node)
  if (approval !== undefined) await journal.note(node.name, nodeRecord, attempt, { approval })
  job.onEvent({ type: 'node.start', node: node.name, attempt })
  await carryOutAll(job, journal, node, attempt)
  await letOthersGoOn(job, journal, node, attempt)
  await journal.result(node.name, nodeRecord, attempt, { outcome: 'done' })
  job.onEvent({ type: 'node.end', node: node.name, outcome: 'done' })
}

function halfReverted({ runId }: Run, { name }: PlanNode): MigrateError {
  return new MigrateError(`${name} is on its way back to k3OS`, {
    exitCode: exitCode.needsOperator,
    hint: `finish that first: k3os-migrate revert ${name} ${runId}`,
  })
}

/** Every step that is not done yet, in order. */
export async function carryOutAll(
  job: Run,
  journal: Journal,
  node: PlanNode,
  attempt: number,
): Promise<void> {
  for (const { id } of node.steps) {
    const state = journal.state(node.name)
    const known = state.attempt === attempt ? state.steps.get(id) : undefined
    if (known?.outcome === 'done') continue
    if (job.stop.aborted) throw stopped(job.stop)
    // What failed and could have been undone begins anew: the world may have been changed to let it pass.
    const isAgain = known?.outcome === 'failed' && canUndo(node, id)
    const recorded = known?.isBegun === true && !isAgain ? known.intent : undefined
    await carryOut(job, journal, node, attempt, steps[id], recorded)
  }
}

/** One step. `recorded` is the intent of a step that was begun and whose end nobody wrote down. */
async function carryOut(
  job: Run,
  journal: Journal,
  node: PlanNode,
  attempt: number,
  step: Step,
  recorded: Intent | undefined,
): Promise<void> {
  const context = stepContext(job, journal, node, attempt, step.id)
  job.onEvent({ type: 'step.start', node: node.name, step: step.id, title: stepDefaults[step.id].title })
  let begun = step.observe === undefined ? undefined : recorded
  try {
    const proof = await patiently(context, async () => {
      job.lock?.expectSilence(silenceMs(node, step.id))
      tellState(job.plan, job.runId, job.lock, journal)
      await job.lock?.prove()
      await refuseFallenBack(context, step.id)
      const intent = begun ?? (await step.intent(context))
      const isNew = begun === undefined
      if (isNew) await journal.intent(node.name, step.id, attempt, intent)
      if (step.observe !== undefined) begun = intent
      if (isNew || (await needsActing(context, step, intent))) {
        for (const action of await step.actions(context, intent)) {
          await job.lock?.prove()
          job.onEvent({ type: 'action', node: node.name, step: step.id, describe: action.describe })
          await journal.note(node.name, step.id, attempt, { action: job.scrub(action.describe) })
          await action.run(context.signal)
        }
        await confirm(context, step, intent)
      }
      return step.proof?.(context, intent)
    })
    await journal.result(node.name, step.id, attempt, { outcome: 'done', ...proof })
    job.onEvent({ type: 'step.end', node: node.name, step: step.id, outcome: 'done' })
  } catch (thrown) {
    const error = timedOut(context, step, thrown) ?? thrown
    if (!(error instanceof MigrateError) || error instanceof Halt || isStop(error)) throw error
    await refuseIfLost(job)
    job.onEvent({ type: 'step.end', node: node.name, step: step.id, outcome: 'failed' })
    const pauses = step.id === 'drain' && onDrainFailure(job) === 'pause'
    const isBegun = journal.state(node.name).steps.get(step.id)?.isBegun ?? false
    const isUntouched = step.id === forwardFrom(node) && !isBegun
    const undo = (canUndo(node, step.id) && !pauses) || isUntouched || error instanceof NothingTouched
    await journal.result(node.name, step.id, attempt, {
      outcome: 'failed',
      error: job.scrub(error.message),
      exit: error.exitCode,
      undo,
    })
    if (pauses) throw pausedDrain(job, node, error)
    if (!undo) throw error
    throw await rollBack(job, journal, node, journal.state(node.name), error)
  }
}

/** A process that was stopped for a while fails of that alone. First comes whether it is still its turn. */
async function refuseIfLost({ lock }: Run): Promise<void> {
  try {
    await lock?.prove()
  } catch (error) {
    if (!(error instanceof MigrateError) || error instanceof Halt) throw error
  }
}

/** What the plan leaves open, each process decides for itself. */
function onDrainFailure({ plan, attended }: Run): 'pause' | 'uncordon' {
  const { onDrainFailure: policy } = plan.policy
  if (policy !== 'auto') return policy
  return attended === true ? 'pause' : 'uncordon'
}

function pausedDrain({ plan, runId }: Run, { name }: PlanNode, cause: MigrateError): MigrateError {
  const { message, hint, exitCode: exit } = cause
  const ways = `k3os-migrate resume ${runId}, or to give up and uncordon it: k3os-migrate abandon ${runId}`
  const why = plan.policy.onDrainFailure === 'auto' ? 'as somebody is at this terminal' : 'as the plan says'
  return new MigrateError(`${message}; ${name} stays cordoned, ${why}`, {
    exitCode: exit,
    hint: hint === undefined ? ways : `${hint}; then: ${ways}`,
    cause,
  })
}

/** What the step's own deadline aborted ends with a reason that says nothing to anybody. */
function timedOut(context: StepContext, step: Step, thrown: unknown): MigrateError | undefined {
  if (!context.signal.aborted || thrown instanceof MigrateError) return undefined
  const { node, runId } = context
  return new MigrateError(`${node.name}: "${stepDefaults[step.id].title}" did not end within its time`, {
    exitCode: canUndo(node, step.id) ? exitCode.rolledBack : exitCode.needsOperator,
    hint: `k3os-migrate resume ${runId}`,
    cause: thrown,
  })
}

/** After a crash: looks at the world before touching it again. */
async function needsActing(context: StepContext, step: Step, intent: Intent): Promise<boolean> {
  const observed = await observeAgain(context, step, intent)
  if (observed === 'done') return false
  if (observed === 'not-started') return true
  await confirm(context, step, intent)
  return false
}

/** A reading that fails three times is "unknown": never "not started". */
async function observeAgain(context: StepContext, step: Step, intent: Intent): Promise<Observed | undefined> {
  for (let reading = 1; ; reading += 1) {
    try {
      return await step.observe?.(context, intent)
    } catch (error) {
      if (!(error instanceof MigrateError) || error instanceof NothingTouched) throw error
      if (reading === 3) return 'unknown'
      context.progress(`looking again: ${error.message}`)
      await pause(context, 5_000)
    }
  }
}

/** Success is what is observed, never that nothing complained. */
async function confirm(context: StepContext, step: Step, intent: Intent): Promise<void> {
  if (step.observe === undefined) return
  await waitUntil(context, {
    until: `"${stepDefaults[step.id].title}" is seen to be done on ${context.node.name}`,
    timeoutMs: context.node.steps.find(({ id }) => id === step.id)?.timeoutMs ?? 0,
    everyMs: 5_000,
    exit: canUndo(context.node, step.id) ? exitCode.rolledBack : exitCode.needsOperator,
    hint: `k3os-migrate resume ${context.runId}`,
    check: async () => {
      const observed = await step.observe?.(context, intent)
      return observed === 'done' ? undefined : `it looks ${observed}`
    },
  })
}

/** Only forward: what is begun is finished, and nothing undoes it. */
export function mayHaveBeenTouched(node: PlanNode, state: NodeState): boolean {
  return hasBegun(node, state, forwardFrom(node))
}

function hasBegun(node: PlanNode, { steps: begun, phase }: NodeState, from: StepId | null): boolean {
  const at = node.steps.findIndex(({ id }) => id === from)
  return at !== -1 && phase === 'running' && node.steps.slice(at).some(({ id }) => begun.get(id)?.isBegun)
}

function refuseOutsideWindow({ plan, ports, runId }: Run, node: PlanNode): void {
  const closed = closedWindow(plan, node, ports.clock.now().getTime(), offsetAt)
  if (closed !== null) throw windowError(`${node.name} is not begun: ${closed}`, runId)
}

function canUndo(node: PlanNode, step: StepId): boolean {
  const order = node.steps.map(({ id }) => id)
  const forward = forwardFrom(node)
  return forward === null || order.indexOf(step) < order.indexOf(forward)
}

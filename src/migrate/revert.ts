import { exitCode, MigrateError } from '../core/errors.ts'
import { methods, revertSteps } from '../core/methods.ts'
import { stepDefaults, type PlanNode, type StepId } from '../core/plan.ts'
import { nodeRecord, runRecord, type NodeState } from '../core/run-state.ts'
import { letOthersGoOn } from './give-back.ts'
import { Halt } from './halt.ts'
import { Journal } from './journal.ts'
import { fenced } from './locked-run.ts'
import { carryOutAll, type Run, type RunResult } from './runner.ts'
import type { StepContext } from './step.ts'
import { stepContext } from './step-context.ts'
import { besideState } from './steps/beside.ts'
import { rollBack } from './undo.ts'

/**
 * Takes one node that was moved in place back to k3OS: drained, restarted, compared, and uncordoned. It is an attempt of its
 * own in the journal of the run that moved the node. What fails before the machine goes down is undone, and the node stays
 * where it was.
 */
export async function revertNode(unlocked: Run, name: string): Promise<RunResult> {
  const job = fenced(unlocked)
  const journal = new Journal(job)
  const { lock } = job
  const planned = job.plan.nodes.find((node) => node.name === name)
  try {
    const node = refuseUnmoved(job, name, planned, journal.state(name))
    await journal.note(null, runRecord, 0, {
      event: 'revert',
      node: name,
      ...(lock === undefined ? {} : { lock: { holder: lock.holder, takenFrom: lock.takenFrom } }),
    })
    await carryBack(job, journal, node)
    await journal.note(null, runRecord, 0, { event: 'end', exit: exitCode.ok })
    return { exit: exitCode.ok, error: null, records: journal.records }
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    if (!(error instanceof Halt) && planned !== undefined) {
      const message = job.scrub(error.message)
      await journal.note(null, runRecord, 0, { event: 'end', exit: error.exitCode, error: message })
    }
    return { exit: error.exitCode, error, records: journal.records }
  }
}

async function carryBack(job: Run, journal: Journal, node: PlanNode): Promise<void> {
  const state = journal.state(node.name)
  if (state.phase === 'rolling-back') throw await rollBack(job, journal, node, state)
  const isBegun = state.phase === 'reverting'
  const attempt = isBegun ? state.attempt : state.attempt + 1
  if (!isBegun) {
    await refuseWithoutK3os(stepContext(job, journal, node, attempt, 'capture'))
    job.onEvent({ type: 'approval.wait', node: node.name })
    const approval = await job.approve(node)
    const approved = approval === undefined ? {} : { approval }
    await journal.intent(node.name, nodeRecord, attempt, { event: 'revert', ...approved })
  }
  job.onEvent({ type: 'node.start', node: node.name, attempt })
  await carryOutAll(job, journal, node, attempt)
  await letOthersGoOn(job, journal, node, attempt)
  await journal.result(node.name, nodeRecord, attempt, { outcome: 'reverted' })
  job.onEvent({ type: 'node.end', node: node.name, outcome: 'rolled-back' })
}

async function refuseWithoutK3os(context: StepContext): Promise<void> {
  const { name } = context.node
  if ((await besideState(context)).k3osMib !== null) return
  throw new MigrateError(`${name} has no k3OS on its disk any more: finalize removed it`, {
    exitCode: exitCode.inhibitors,
    hint: 'install k3OS again, with the backup of its data',
  })
}

/** The node with the steps of the way back; exit 64 for one that has no such way, 3 for one that must not take it. */
function refuseUnmoved(
  { plan, runId }: Run,
  name: string,
  node: PlanNode | undefined,
  state: NodeState,
): PlanNode {
  const refuse = (message: string, hint: string): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.usage, hint })
  if (node === undefined)
    throw refuse(`run ${runId} has no node ${name}`, `it has ${plan.nodes.map((one) => one.name).join(', ')}`)
  if (!methods[plan.method.kind].canRevert)
    throw refuse(
      `${name} was moved by the method ${plan.method.kind}, which leaves no k3OS to go back to`,
      'install k3OS again, with the backup of its data',
    )
  const { steps, phase, beforeRevert } = state
  const isMoved = phase === 'done' || (phase === 'running' && steps.get('confirm')?.isBegun === true)
  if (!isMoved && beforeRevert === null)
    throw refuse(`${name} does not run the new system: it is ${phase}`, `k3os-migrate status ${runId}`)
  if (steps.get('confirm')?.result['sameFeatures'] === false)
    throw new MigrateError(
      `${name}: its file system has features now that k3OS may not know, so k3OS may not find its disk again`,
      {
        exitCode: exitCode.inhibitors,
        hint: `compare the feature words in the journal of run ${runId} with what k3OS's kernel knows`,
      },
    )
  return { ...node, steps: revertSteps.map((id) => plannedStep(node, id)) }
}

function plannedStep({ steps }: PlanNode, id: StepId): PlanNode['steps'][number] {
  return steps.find((step) => step.id === id) ?? { id, ...stepDefaults[id] }
}

import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import type { PlanNode } from '../core/plan.ts'
import { nodeRecord, type NodeState } from '../core/run-state.ts'
import { Halt } from './halt.ts'
import type { Journal } from './journal.ts'
import type { Run } from './runner.ts'
import { stepContext } from './step-context.ts'
import { steps } from './steps/index.ts'
import { isStop, patiently } from './wait.ts'

const mended: ReadonlySet<number> = new Set([
  exitCode.unexpected,
  exitCode.needsOperator,
  exitCode.postCheckFailed,
  exitCode.io,
])

/** Undoes in reverse what this attempt did, and proves it. Returns the error to end with. */
export async function rollBack(
  job: Run,
  journal: Journal,
  node: PlanNode,
  state: NodeState,
  cause?: MigrateError,
): Promise<MigrateError> {
  const reason = cause?.message ?? state.failure?.message ?? 'an earlier failure'
  for (const { id } of node.steps.toReversed()) {
    const done = state.steps.get(id)
    const step = steps[id]
    if (done?.isBegun !== true || done.outcome === 'undone' || step.undo === undefined) continue
    const context = stepContext(job, journal, node, state.attempt, id)
    try {
      await patiently(context, async () => {
        await job.lock?.prove()
        for (const action of (await step.undo?.(context, done.intent)) ?? []) {
          const describe = `undo: ${action.describe}`
          job.onEvent({ type: 'action', node: node.name, step: id, describe })
          await journal.note(node.name, id, state.attempt, { action: job.scrub(describe) })
          await action.run(context.signal)
        }
        // An undo that still has something to do afterwards did not work.
        const [left] = (await step.undo?.(context, done.intent)) ?? []
        if (left !== undefined)
          throw new MigrateError(`${left.describe} had no effect`, { exitCode: exitCode.needsOperator })
      })
    } catch (error) {
      if (!(error instanceof MigrateError) || error instanceof Halt || isStop(error)) throw error
      return new MigrateError(`${node.name}: ${reason}; undoing it failed too: ${error.message}`, {
        exitCode: exitCode.needsOperator,
        hint: `when the cause is gone: k3os-migrate resume ${job.runId}`,
        cause: error,
      })
    }
    await journal.result(node.name, id, state.attempt, { outcome: 'undone' })
    job.onEvent({ type: 'step.end', node: node.name, step: id, outcome: 'undone' })
  }
  await journal.result(node.name, nodeRecord, state.attempt, { outcome: 'rolled-back' })
  job.onEvent({ type: 'node.end', node: node.name, outcome: 'rolled-back' })
  // Blocked, stale or locked keep their own code: the same outcome has the same code everywhere. What says that somebody must
  // look, that the node stays cordoned, or that something could not be read, is not what matters any more.
  const known = cause?.exitCode ?? state.failure?.exit
  const exit = known === undefined || mended.has(known) ? exitCode.rolledBack : (known as ExitCode)
  return new MigrateError(`${reason}; ${node.name} is as it was before`, {
    exitCode: exit,
    hint: `${cause?.hint === undefined ? '' : `${cause.hint}; then: `}k3os-migrate resume ${job.runId}`,
    cause,
  })
}

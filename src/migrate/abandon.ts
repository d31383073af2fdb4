import { exitCode, MigrateError } from '../core/errors.ts'
import type { PlanNode } from '../core/plan.ts'
import { runRecord } from '../core/run-state.ts'
import { Journal } from './journal.ts'
import { fenced } from './locked-run.ts'
import { mayHaveBeenTouched, type Run, type RunResult } from './runner.ts'
import { stepContext } from './step-context.ts'
import { defuse } from './steps/defuse.ts'
import { steer } from './steps/steer.ts'
import { rollBack } from './undo.ts'
import { patiently } from './wait.ts'

/**
 * Ends a run for good: undoes what it did to the node under way, and takes its taint off those still to move. A node past
 * its point of no return cannot be undone: it is refused (exit 8) unless `leave` names it, and then left as it is.
 */
export async function abandonRun(unlocked: Run, leave: readonly string[]): Promise<RunResult> {
  const job = fenced(unlocked)
  const journal = new Journal(job)
  try {
    const touched = job.plan.nodes.filter((node) => mayHaveBeenTouched(node, journal.state(node.name)))
    refuse(job, touched, leave)
    for (const node of job.plan.nodes) {
      const state = journal.state(node.name)
      const isUnderWay = state.phase === 'running' || state.phase === 'rolling-back'
      if (!isUnderWay || touched.includes(node)) continue
      const end = await rollBack(job, journal, node, state)
      if (journal.state(node.name).phase !== 'rolled-back') throw end
    }
    await removeTaints(job, journal)
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    return { exit: error.exitCode, error, records: journal.records }
  }
  await journal.note(null, runRecord, 0, { event: 'abandoned', left: leave })
  return { exit: exitCode.ok, error: null, records: journal.records }
}

function refuse({ runId }: Run, touched: readonly PlanNode[], leave: readonly string[]): void {
  const names = touched.map(({ name }) => name)
  const [wrong] = leave.filter((name) => !names.includes(name))
  if (wrong !== undefined)
    throw new MigrateError(`${wrong} need not be left as it is: this run has not written to its disk`, {
      exitCode: exitCode.usage,
      hint: `k3os-migrate abandon ${runId}`,
    })
  const [node] = names.filter((name) => !leave.includes(name))
  if (node === undefined) return
  throw new MigrateError(
    `${node} is past its point of no return: its disk may be written, and nothing undoes that`,
    {
      exitCode: exitCode.needsOperator,
      hint: `finish it: k3os-migrate resume ${runId}; or leave it as it is: k3os-migrate abandon ${runId} --leave ${node}`,
    },
  )
}

/** Taint and upgrade labels: the first node has put them on the others, and they go from each when its turn is over. */
async function removeTaints(job: Run, journal: Journal): Promise<void> {
  const [node] = job.plan.nodes
  if (node === undefined) return
  const context = stepContext(job, journal, node, journal.state(node.name).attempt, 'steer')
  await patiently(context, async () => {
    await job.lock?.prove()
    for (const step of [steer, defuse])
      for (const action of (await step.undo?.(context, {})) ?? []) {
        await journal.note(null, runRecord, 0, { action: job.scrub(action.describe) })
        await action.run(context.signal)
      }
  })
}

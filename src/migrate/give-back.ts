import { exitCode, MigrateError } from '../core/errors.ts'
import type { PlanNode } from '../core/plan.ts'
import type { Journal } from './journal.ts'
import type { Run } from './runner.ts'
import { stepContext } from './step-context.ts'
import { giveBack } from './steps/pause.ts'
import { patiently } from './wait.ts'

/**
 * A node is about to be over. When no other one is left, controllers that stood still for the run go on: before it counts as
 * over, so that a run that dies here comes back here.
 */
export async function letOthersGoOn(
  job: Run,
  journal: Journal,
  node: PlanNode,
  attempt: number,
): Promise<void> {
  const others = job.plan.nodes.filter(({ name }) => name !== node.name)
  if (!others.every(({ name }) => ['done', 'reverted'].includes(journal.state(name).phase))) return
  const context = stepContext(job, journal, node, attempt, 'defuse')
  await patiently(context, async () => {
    await job.lock?.prove()
    for (const action of await giveBack(context)) {
      const { describe } = action
      job.onEvent({ type: 'action', node: node.name, step: 'defuse', describe })
      await journal.note(node.name, 'defuse', attempt, { action: job.scrub(describe) })
      await action.run(context.signal)
    }
    const [left] = await giveBack(context)
    if (left !== undefined)
      throw new MigrateError(`${left.describe} had no effect`, {
        exitCode: exitCode.postCheckFailed,
        hint: `k3os-migrate resume ${job.runId}`,
      })
  })
}

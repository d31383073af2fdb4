import type { Plan, PlanNode, StepId } from '../core/plan.ts'
import type { Intent, Rendered, StepContext, StepPorts } from './step.ts'
import { steps } from './steps/index.ts'
import { stopped } from './wait.ts'

/** What a run of this plan would do: the sentences of the same actions, from what can be read now. */
export interface DryRun {
  readonly plan: Plan
  readonly ports: StepPorts
  translate(node: PlanNode, nonce: string): Promise<Rendered>
  readonly stop: AbortSignal
  /** One sentence; `null` when the step has nothing to do. */
  onSentence(node: PlanNode, step: StepId, sentence: string | null): void
}

/** Reads only. The first gate that does not hold ends it with the error that a run would end with. */
export async function dryRun(job: DryRun): Promise<void> {
  for (const node of job.plan.nodes) {
    const intents = new Map<StepId, Intent>()
    for (const { id, timeoutMs } of node.steps) {
      const context: StepContext = {
        ...job.ports,
        plan: job.plan,
        node,
        runId: 'dry-run',
        attempt: 1,
        signal: AbortSignal.any([job.stop, job.ports.clock.timeout(timeoutMs)]),
        stop: job.stop,
        earlier(step) {
          const intent = intents.get(step)
          if (intent === undefined) throw new Error(`${id} needs ${step}, which comes later`)
          return intent
        },
        translate: async (nonce) => job.translate(node, nonce),
        progress: () => {},
        podNews: () => {},
      }
      const intent = await steps[id].intent(context)
      intents.set(id, intent)
      const actions = await steps[id].actions(context, intent)
      if (actions.length === 0) job.onSentence(node, id, null)
      for (const { describe } of actions) job.onSentence(node, id, describe)
      if (job.stop.aborted) throw stopped(job.stop)
    }
  }
}

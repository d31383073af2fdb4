import { stepGraceMs, type PlanNode, type StepId } from '../core/plan.ts'
import type { Journal } from './journal.ts'
import type { Run } from './runner.ts'
import type { StepContext } from './step.ts'

/** What one step of one attempt works with. */
export function stepContext(
  job: Run,
  journal: Journal,
  node: PlanNode,
  attempt: number,
  id: StepId,
): StepContext {
  const timeoutMs = node.steps.find((step) => step.id === id)?.timeoutMs ?? 0
  return {
    ...job.ports,
    plan: job.plan,
    node,
    runId: job.runId,
    attempt,
    // The time the plan gives it; a little more lets the wait inside say what it waited for.
    signal: job.ports.clock.timeout(timeoutMs + stepGraceMs),
    stop: job.stop,
    earlier(step) {
      const state = journal.state(node.name)
      const intent = state.attempt === attempt ? state.steps.get(step)?.intent : undefined
      if (intent === undefined) throw new Error(`${id} needs ${step}, which this attempt has not begun`)
      return intent
    },
    translate: async (nonce) => job.translate(node, nonce),
    progress(message, isHeartbeat = false) {
      const type = isHeartbeat ? 'step.heartbeat' : 'step.progress'
      job.onEvent({ type, node: node.name, step: id, message })
    },
    podNews(news) {
      job.onEvent({ type: 'drain.pod', node: node.name, step: id, ...news })
    },
  }
}

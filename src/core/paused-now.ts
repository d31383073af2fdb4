import { z } from 'zod'
import { objectText, pauseSchema } from './competing.ts'
import { switchSchema, switchText } from './controller-switch.ts'
import type { JournalRecord } from './journal.ts'
import type { Plan } from './plan.ts'
import { abandonedAt, nodeState, replay } from './run-state.ts'

/** What the intent of step `defuse` says of each controller before it is switched off. */
export const pausedSchema = z.array(
  pauseSchema.extend({
    before: switchSchema,
    off: switchSchema,
    /** Who may put it back against our will. */
    keeper: z.string().nullable(),
  }),
)
export type Paused = z.infer<typeof pausedSchema>

/** One controller that a run holds still: what it is, its object, how it was before, and who may put it back meanwhile. */
export const pausedNowSchema = z.strictObject({
  controller: z.string(),
  object: z.string(),
  before: z.string(),
  keeper: z.string().nullable(),
})
export type PausedNow = z.infer<typeof pausedNowSchema>

const intentSchema = z.object({ paused: pausedSchema.default([]) })

/**
 * Controllers that the run has stopped and not let go on yet, in the order of stopping, as its journal says. One whose
 * stopping was announced only is among them: nobody but the cluster knows whether it came to that.
 */
export function pausedNow(
  plan: Pick<Plan, 'nodes'>,
  records: readonly JournalRecord[],
): readonly PausedNow[] {
  const states = replay(records)
  const isOver = plan.nodes.every(({ name }) => ['done', 'reverted'].includes(nodeState(states, name).phase))
  if (isOver || abandonedAt(records) !== null) return []
  const still = new Map<string, PausedNow>()
  for (const { step, phase, data } of records) {
    if (step !== 'defuse') continue
    if (phase === 'result' && data['outcome'] === 'undone') still.clear()
    if (phase !== 'intent') continue
    for (const { controller, before, keeper, ...object } of intentSchema.parse(data).paused) {
      const name = objectText(object)
      if (!still.has(name)) still.set(name, { controller, object: name, before: switchText(before), keeper })
    }
  }
  return [...still.values()]
}

/** `cluster-autoscaler (Deployment kube-system/cluster-autoscaler, was 2 replicas)` */
export function pausedNowText({ controller, object, before }: PausedNow): string {
  return `${controller} (${object}, was ${before})`
}

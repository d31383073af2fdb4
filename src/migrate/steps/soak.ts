import { formatDuration } from '../../core/duration.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { Step, StepContext } from '../step.ts'
import { pause } from '../wait.ts'
import { readNode } from './check.ts'
import { heartbeatLimitSeconds } from './join.ts'
import { restarting, restartsSchema, restartsSoFar, unboundClaim } from './post-checks.ts'
import { missingWorkloads } from './workloads.ts'

const everyMs = 30_000

/** So many looks in a row may fail before the node counts as sick: one lost heartbeat is weather. */
const patience = 3

/**
 * Watches a node that takes pods again before the next one is touched: what breaks under load breaks while everything else
 * still runs on the old system. Starts anew after a crash, because nobody watched meanwhile.
 */
export const soak: Step = {
  id: 'soak',
  async intent(context) {
    const { bootId, osImage } = await readNode(context)
    const restarts = await restartsSoFar(context)
    return { soakMs: context.node.soakMs, bootId, osImage, restarts }
  },
  async actions(context, intent) {
    const { node } = context
    return [
      {
        describe: `watch ${node.name} for ${formatDuration(node.soakMs)}`,
        async run() {
          const restarts = restartsSchema.parse(intent['restarts'] ?? {})
          await watch(context, { bootId: String(intent['bootId']), restarts })
        },
      },
    ]
  },
}

interface Begun {
  readonly bootId: string
  /** Of each container, at the beginning. */
  readonly restarts: Readonly<Record<string, number>>
}

async function watch(context: StepContext, begun: Begun): Promise<void> {
  const { clock, node } = context
  const endMs = clock.monotonicMs() + node.soakMs
  const worstMs = endMs + (node.steps.find(({ id }) => id === 'soak')?.timeoutMs ?? 0) - node.soakMs
  let failures = 0
  for (;;) {
    const trouble = await look(context, begun)
    failures = trouble === undefined ? 0 : failures + 1
    const nowMs = clock.monotonicMs()
    // It ends with a good look: time alone proves nothing.
    if (nowMs >= endMs && trouble === undefined) return
    if (failures >= patience || nowMs >= worstMs)
      throw new MigrateError(`${node.name} does not stay well after its move: ${trouble ?? 'unknown'}`, {
        exitCode: exitCode.postCheckFailed,
        hint: `kubectl describe node ${node.name}; when it is well: k3os-migrate resume ${context.runId}`,
      })
    if (trouble !== undefined) context.progress(`${trouble} (${failures} of ${patience} looks)`)
    await pause(context, Math.max(1, Math.min(everyMs, nowMs < endMs ? endMs - nowMs : everyMs)))
  }
}

async function look(context: StepContext, begun: Begun): Promise<string | undefined> {
  try {
    return await troubleOf(context, begun)
  } catch (error) {
    // Not to be able to look is trouble too, and may pass like any other.
    if (error instanceof MigrateError && error.transient) return error.message
    throw error
  }
}

async function troubleOf(context: StepContext, { bootId, restarts }: Begun): Promise<string | undefined> {
  const now = await readNode(context)
  if (now.bootId !== bootId) return 'it has rebooted'
  if (!now.ready) return 'it is not Ready'
  const age = await context.kube.heartbeatAgeSeconds(context.node.name, context.signal)
  if (age === null || age > heartbeatLimitSeconds) return `its last heartbeat is ${age ?? 'unknown'} s old`
  return (
    (await missingWorkloads(context)) ??
    (await unboundClaim(context)) ??
    (await restarting(context, restarts))
  )
}

import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { refusals } from '../../core/drain.ts'
import { drainNode } from '../drain.ts'
import { classifyNode, type DrainAllowance } from '../drain-classify.ts'
import { drainSentence, podName } from '../drain-events.ts'
import type { Step, StepContext } from '../step.ts'
import { stopped } from '../wait.ts'
import { readNode } from './check.ts'
import { stepTimeout } from './rebuilt.ts'

const podSchema = z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() })
const intentSchema = z.object({ evict: z.array(podSchema), keep: z.array(podSchema) })

/** Moves the pods away. What it evicts is journaled first: no pod that came later is ever touched. */
export const drain: Step = {
  id: 'drain',
  async intent(context) {
    const { kube, node, signal } = context
    const { evict, keep, refuse } = await classifyNode(kube, node.name, allowance(context), signal)
    if (refuse.length > 0) {
      const reasons = refuse.map(({ pod, reason }) => `${podName(pod)} ${refusals[reason]}`)
      throw new MigrateError(`${node.name} cannot be drained: ${reasons.join('; ')}`, {
        exitCode: exitCode.blocked,
        hint: 'move these pods away, or allow it in the plan: k3os-migrate plan --delete-emptydir-data, --abandon-pod NAMESPACE/NAME',
      })
    }
    const reference = ({ namespace, name, uid }: { namespace: string; name: string; uid: string }) => ({
      namespace,
      name,
      uid,
    })
    return { evict: evict.map(({ pod }) => reference(pod)), keep: keep.map(({ pod }) => reference(pod)) }
  },
  async actions(context, intent) {
    const { evict } = intentSchema.parse(intent)
    const { node } = context
    if (evict.length === 0) return []
    return [
      {
        describe: `drain ${node.name}: evict ${evict.map(podName).join(', ')}`,
        async run(signal) {
          await readNode(context)
          await drainOrSay(
            context,
            evict.map(({ uid }) => uid),
            signal,
          )
        },
      },
    ]
  },
  async observe(context) {
    const { kube, node, signal } = context
    const { evict, refuse } = await classifyNode(kube, node.name, allowance(context), signal)
    if (evict.length > 0 || refuse.length > 0) return 'not-started'
    return (await kube.attachedVolumes(node.name, signal)).length === 0 ? 'done' : 'in-progress'
  },
}

async function drainOrSay(context: StepContext, uids: readonly string[], signal: AbortSignal): Promise<void> {
  const { kube, clock, node, stop } = context
  try {
    const outcome = await drainNode({
      kube,
      clock,
      node: node.name,
      timeoutMs: stepTimeout(context, 'drain'),
      allow: allowance(context),
      uids,
      onEvent(event) {
        const sentence = drainSentence(event)
        if (sentence !== null) context.progress(sentence)
      },
      signal: AbortSignal.any([signal, stop]),
    })
    if (outcome.status === 'drained') return
    const pods = outcome.pods.map(({ message }) => message).join('; ')
    throw new MigrateError(pods === '' ? outcome.reason : `${outcome.reason}: ${pods}`, {
      exitCode: exitCode.blocked,
      hint: outcome.pods[0]?.next ?? `kubectl get pods -A --field-selector spec.nodeName=${node.name}`,
    })
  } catch (error) {
    if (stop.aborted) throw stopped(stop, node.name)
    throw error
  }
}

function allowance({ plan }: StepContext): DrainAllowance {
  return { deleteEmptyDir: plan.policy.deleteEmptyDir, force: plan.policy.abandonPods }
}

import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { refusals } from '../../core/drain.ts'
import { drainNode, type DrainOutcome, type DrainRequest } from '../drain.ts'
import { classifyNode, type DrainAllowance } from '../drain-classify.ts'
import { type DrainEvent, drainSentence, podName, podNews } from '../drain-events.ts'
import { drainLikeKubectl } from '../drain-kubectl.ts'
import { kubectlDefaults } from '../drain-kubectl-pods.ts'
import { onlyPods } from '../drain-kubectl-view.ts'
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
  const { clock, node, plan, stop } = context
  const onEvent = (event: DrainEvent): void => {
    const news = podNews(event)
    const sentence = drainSentence(event)
    if (news !== null) context.podNews(news)
    else if (sentence !== null) context.progress(sentence, event.type === 'heartbeat')
  }
  const request = { clock, onEvent, signal: AbortSignal.any([signal, stop]) }
  try {
    const outcome =
      plan.policy.drainMode === 'kubectl'
        ? await inTheMannerOfKubectl(context, uids, request)
        : await drainNode({
            ...request,
            kube: context.kube,
            node: node.name,
            timeoutMs: stepTimeout(context, 'drain'),
            allow: allowance(context),
            budgets: async (within) => context.reader.budgets(within),
            uids,
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

/** Which pods go was settled and journaled before; all flags that let kubectl take others are of no effect here. */
async function inTheMannerOfKubectl(
  context: StepContext,
  uids: readonly string[],
  request: Pick<DrainRequest, 'clock' | 'onEvent' | 'signal'>,
): Promise<DrainOutcome> {
  const { kube, clock, node } = context
  const [drained] = await drainLikeKubectl({
    ...request,
    kube: onlyPods(kube, clock, node.name, uids),
    nodes: [node.name],
    flags: {
      ...kubectlDefaults,
      force: true,
      ignoreDaemonSets: true,
      deleteEmptyDir: true,
      timeoutMs: stepTimeout(context, 'drain'),
    },
  })
  if (drained === undefined) throw new Error(`nothing was said about ${node.name}`)
  return drained.outcome
}

function allowance({ plan }: StepContext): DrainAllowance {
  return { deleteEmptyDir: plan.policy.deleteEmptyDir, force: plan.policy.abandonPods }
}

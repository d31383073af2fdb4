import { z } from 'zod'
import type { KubeNode } from '../../core/inventory.ts'
import { softTaint } from '../../core/plan-fingerprint.ts'
import type { Plan } from '../../core/plan.ts'
import type { Action, Step, StepContext } from '../step.ts'

const intentSchema = z.object({ nodes: z.array(z.string()) })

/**
 * Before the first cordon every node that is still to move gets a taint that makes the scheduler rather take others: pods
 * that are evicted land on nodes that are done, and move once. `restore` takes it off again when a node's turn is over
 * (the idea is that of kubernetes/kops pkg/instancegroups taintAllNeedUpdate).
 */
export const steer: Step = {
  id: 'steer',
  async intent(context) {
    return { nodes: (await untainted(context)).map(({ name }) => name) }
  },
  async actions(context, intent) {
    const names = new Set(intentSchema.parse(intent).nodes)
    const nodes = (await untainted(context)).filter(({ name }) => names.has(name))
    if (nodes.length === 0) return []
    return [
      {
        describe: `ask the scheduler to rather not use ${list(nodes)}, which ${nodes.length === 1 ? 'is' : 'are'} still to move`,
        async run(signal) {
          for (const node of nodes) {
            const taints = [
              ...node.taints,
              { key: softTaint, value: context.runId, effect: 'PreferNoSchedule' },
            ]
            await context.kube.patchNode(node.name, { taints }, signal)
          }
        },
      },
    ]
  },
  async observe(context) {
    return (await untainted(context)).length === 0 ? 'done' : 'not-started'
  },
  /** The node is as before and so is the cluster: the next attempt asks again. */
  async undo(context) {
    return removeSoftTaints(context)
  },
}

/** Takes the taint of this run off all nodes of the plan; those of other runs stay. */
async function removeSoftTaints(
  context: Pick<StepContext, 'plan' | 'reader' | 'kube' | 'runId' | 'signal'>,
): Promise<Action[]> {
  const planned = plannedNodes(context.plan, await context.reader.nodes(context.signal))
  const nodes = planned.filter(({ taints }) => taints.some((taint) => isOurs(taint, context.runId)))
  if (nodes.length === 0) return []
  return [
    {
      describe: `let the scheduler use ${list(nodes)} again`,
      async run(signal) {
        for (const { name, taints } of nodes) {
          const others = taints.filter((taint) => !isOurs(taint, context.runId))
          await context.kube.patchNode(name, { taints: others }, signal)
        }
      },
    },
  ]
}

/** Nodes whose turn comes after this one and that do not have the taint; the node itself is about to be cordoned. */
async function untainted(context: StepContext): Promise<KubeNode[]> {
  const { plan, node } = context
  const later = plan.nodes.slice(plan.nodes.findIndex(({ name }) => name === node.name) + 1)
  if (later.length === 0) return []
  const nodes = plannedNodes({ nodes: later }, await context.reader.nodes(context.signal))
  return nodes.filter(({ taints }) => !taints.some(({ key }) => key === softTaint))
}

/** By UID: another Node object under a planned name is nobody's business here, its own turn says so. */
function plannedNodes({ nodes }: Pick<Plan, 'nodes'>, found: readonly KubeNode[]): KubeNode[] {
  const uids = new Set(nodes.map(({ fingerprint }) => fingerprint.nodeUid))
  return found.filter(({ uid }) => uids.has(uid))
}

function isOurs({ key, value }: KubeNode['taints'][number], runId: string): boolean {
  return key === softTaint && value === runId
}

function list(nodes: readonly KubeNode[]): string {
  const names = nodes.map(({ name }) => name)
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
}

import { parseBundle } from '../../core/bundle.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { nodeFacts } from '../../core/facts.ts'
import type { KubeNode } from '../../core/inventory.ts'
import {
  clusterChanges,
  configDigests,
  machineChanges,
  stalePlan,
  stateDiskSerial,
} from '../../core/plan-fingerprint.ts'
import type { Step, StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'

/** Annotation on the Node while this run works on it: `<run id>/<attempt>`. Undo touches nothing without it. */
export const marker = 'k3os-migrate/run'

export function markerValue(context: Pick<StepContext, 'runId' | 'attempt'>): string {
  return `${context.runId}/${context.attempt}`
}

/**
 * The planned Node object as it is now. Another one under its name, as in another cluster, is never looked at or touched:
 * a resumed run may have been given another kubeconfig.
 */
export async function readNode(context: StepContext): Promise<KubeNode> {
  const node = await readAnyNode(context)
  if (node.uid === context.node.fingerprint.nodeUid) return node
  throw new MigrateError(`${node.name} in ${context.kube.where} is another Node object than planned`, {
    exitCode: exitCode.stalePlan,
    hint: 'is it the cluster of the plan? See --kubeconfig and --context',
  })
}

/** Whatever Node object has the name; a node that is not there is a failure, not an answer. */
export async function readAnyNode(context: StepContext): Promise<KubeNode> {
  const node = await context.kube.node(context.node.name, context.signal)
  if (node !== undefined) return node
  throw new MigrateError(`${context.node.name}: the cluster ${context.kube.where} has no such node`, {
    exitCode: exitCode.stalePlan,
    hint: 'take a new inventory and make a new plan: k3os-migrate inventory && k3os-migrate plan',
  })
}

/**
 * The gates that must hold at the moment a node's turn comes: same cluster, same machine, same configuration, nothing new
 * that a gate would have to look at, healthy, nobody else's.
 */
export const check: Step = {
  id: 'check',
  async intent(context) {
    const { plan, node, reader, files, signal } = context
    const sha256 = (content: string | Uint8Array) => files.sha256(content)
    // Whose node it is comes first: what another run has changed on it makes the plan look stale.
    await refuseOtherRun(context)
    const changes = clusterChanges(plan, node, await reader.read(signal), sha256)
    if (changes.length > 0) throw stalePlan([[node.name, changes]])
    const now = await readNode(context)
    if (!now.ready) {
      throw new MigrateError(`${node.name} is not Ready; a sick node is repaired first, then moved`, {
        exitCode: exitCode.blocked,
        hint: `kubectl describe node ${node.name}`,
      })
    }
    await untilMovedNodesAreReady(context)
    const machine = await machineNow(context)
    if (machine.changes.length > 0) throw stalePlan([[node.name, machine.changes]])
    return { nodeUid: now.uid, systemUuid: now.systemUuid, diskSerial: machine.diskSerial }
  },
  actions: async () => [],
}

/** How long nodes that are done may be away before the next one is not touched: an API server that restarts forgets them. */
const movedPatienceMs = 2 * 60_000

/** A node that is done may have died since it was watched, hours ago where each node is a job of its own. */
async function untilMovedNodesAreReady(context: StepContext): Promise<void> {
  const { plan, node, reader, runId, signal } = context
  const moved = plan.nodes.slice(
    0,
    plan.nodes.findIndex(({ name }) => name === node.name),
  )
  if (moved.length === 0) return
  const uids = new Set(moved.map(({ fingerprint }) => fingerprint.nodeUid))
  await waitUntil(context, {
    until: 'all nodes that are done are Ready',
    timeoutMs: movedPatienceMs,
    everyMs: 5_000,
    exit: exitCode.blocked,
    hint: `kubectl get nodes; when they are well again: k3os-migrate resume ${runId}`,
    async check() {
      const sick = (await reader.nodes(signal)).filter(({ uid, ready }) => uids.has(uid) && !ready)
      return sick.length === 0 ? undefined : `not Ready: ${sick.map(({ name }) => name).join(', ')}`
    },
  })
}

async function refuseOtherRun(context: StepContext): Promise<void> {
  const { name } = context.node
  const other = (await context.kube.node(name, context.signal))?.annotations[marker]
  if (other === undefined || other.startsWith(`${context.runId}/`)) return
  throw new MigrateError(`${name} is marked as the work of another run (${other})`, {
    exitCode: exitCode.locked,
    hint: `if that run is over: kubectl annotate node ${name} ${marker}-`,
  })
}

/** Asks the machine itself again: its disk, and the configuration that was translated. */
async function machineNow(
  context: StepContext,
): Promise<{ readonly diskSerial: string | null; readonly changes: readonly string[] }> {
  const { node, host, files, signal } = context
  const archive = await host.collect({ name: node.name, ...node.address }, signal)
  const bundle = parseBundle(archive, `bundle of ${node.name}`)
  const facts = nodeFacts(bundle)
  const config = configDigests(bundle, (content) => files.sha256(content))
  return { diskSerial: stateDiskSerial(facts), changes: machineChanges(node, facts, config) }
}

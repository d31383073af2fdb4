import { classifyPods, refusals, type Classified, type EvictReason } from './drain.ts'
import { exitCode, MigrateError } from './errors.ts'
import { compareText } from './findings.ts'
import type { ClusterFacts, Pod } from './inventory.ts'
import { forwardFrom, forwardMs } from './methods.ts'
import { stepsMs, type Plan, type PlanNode, type StepId } from './plan.ts'
import { budgetGuards } from './selector.ts'

/** Everything that will happen to one node of a plan, from what the inventory shows. */
export interface NodeExplanation {
  readonly node: string
  readonly role: 'server' | 'agent'
  readonly place: number
  readonly of: number
  readonly why: string
  readonly steps: readonly StepExplanation[]
  readonly pods: readonly PodExplanation[]
  readonly volumes: readonly VolumeExplanation[]
  /** At worst, in ms: before the first write to the disk, from there until it takes pods again, and watched. */
  readonly worst: { readonly undoableMs: number; readonly forwardMs: number; readonly soakMs: number }
}

export interface StepExplanation {
  readonly id: StepId
  readonly title: string
  readonly timeoutMs: number
  readonly undone: boolean
}

export interface PodExplanation {
  readonly pod: string
  readonly fate: 'moves' | 'stays' | 'ends' | 'is lost' | 'stops the drain'
  readonly because: string
  /** Budgets the API server asks before it goes. */
  readonly budgets: readonly string[]
}

export interface VolumeExplanation {
  readonly volume: string
  readonly pod: string | null
  readonly fate: 'stays on the disk' | 'is deleted' | 'is not on this node'
  readonly because: string
}

/** Throws (exit 64) when the plan has no such node. */
export function explainNode(plan: Plan, name: string, cluster: ClusterFacts): NodeExplanation {
  const node = plan.nodes.find((one) => one.name === name)
  if (node === undefined)
    throw new MigrateError(`the plan has no node ${name}`, {
      exitCode: exitCode.usage,
      hint: `it has ${plan.nodes.map((one) => one.name).join(', ')}`,
    })
  const here = cluster.pods.filter((pod) => pod.node === name)
  const forward = node.steps.findIndex(({ id }) => id === forwardFrom(node))
  const before = forward === -1 ? node.steps : node.steps.slice(0, forward)
  return {
    node: name,
    role: node.role,
    place: plan.nodes.indexOf(node) + 1,
    of: plan.nodes.length,
    why: node.why,
    steps: node.steps.map(({ id, title, timeoutMs }, place) => ({
      id,
      title,
      timeoutMs,
      undone: forward === -1 || place < forward,
    })),
    pods: podsOf(here, plan, cluster),
    volumes: volumesOf(node, here, plan, cluster),
    worst: { undoableMs: stepsMs(before), forwardMs: forwardMs(node), soakMs: node.soakMs },
  }
}

function podsOf(here: readonly Pod[], { policy }: Plan, cluster: ClusterFacts): PodExplanation[] {
  const { evict, keep, refuse } = classifyPods(here, {
    daemonSetExists: (namespace, name) =>
      cluster.daemonSets.some((one) => one.namespace === namespace && one.name === name),
    deleteEmptyDir: policy.deleteEmptyDir,
    force: policy.abandonPods,
  })
  const named = (pod: Pod) => ({ pod: `${pod.namespace}/${pod.name}` })
  return [
    ...evict.map((one) => ({ ...named(one.pod), ...fateOf(one), budgets: budgetsOf(one.pod, cluster) })),
    ...keep.map(({ pod, reason }) => ({
      ...named(pod),
      fate: 'stays' as const,
      because: reason === 'daemonset' ? 'its DaemonSet runs it on every node' : 'the kubelet itself runs it',
      budgets: [],
    })),
    ...refuse.map(({ pod, reason }) => ({
      ...named(pod),
      fate: 'stops the drain' as const,
      because: `it ${refusals[reason]}`,
      budgets: [],
    })),
  ]
}

function fateOf({ pod, reason }: Classified<EvictReason>): Pick<PodExplanation, 'fate' | 'because'> {
  const owner = pod.controller === null ? '' : `${pod.controller.kind} ${pod.controller.name}`
  switch (reason) {
    case 'managed':
    case 'empty-dir':
      return { fate: 'moves', because: `its ${owner} starts another one elsewhere` }
    case 'finished':
      return { fate: 'ends', because: 'it has done its work' }
    case 'terminating':
      return { fate: 'ends', because: 'it is being deleted already' }
    case 'unmanaged':
    case 'daemonset-missing':
      return { fate: 'is lost', because: 'nothing brings it back, and the plan gives it up by name' }
  }
}

function budgetsOf(pod: Pod, { pdbs }: ClusterFacts): string[] {
  return pdbs
    .filter((budget) => budgetGuards(budget, pod))
    .map(({ namespace, name, disruptionsAllowed, expectedPods }) => {
      const allowance = `${disruptionsAllowed} of ${expectedPods} may be away`
      return `${namespace}/${name} (${allowance})`
    })
}

function volumesOf(
  node: PlanNode,
  here: readonly Pod[],
  plan: Plan,
  cluster: ClusterFacts,
): VolumeExplanation[] {
  const users = (claim: { readonly namespace: string; readonly name: string } | null): string | null =>
    here
      .filter(
        (pod) => pod.namespace === claim?.namespace && pod.volumes.some((one) => one.claim === claim.name),
      )
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .join(', ') || null
  const persistent = cluster.persistentVolumes
    .filter(
      ({ name, nodes, claim }) =>
        name in node.fingerprint.volumes || (nodes.length === 0 && users(claim) !== null),
    )
    .map(({ name, claim, path }): VolumeExplanation => {
      const volume = claim === null ? name : `${claim.namespace}/${claim.name}`
      if (!(name in node.fingerprint.volumes))
        return {
          volume,
          pod: users(claim),
          fate: 'is not on this node',
          because: 'it goes where its pod goes',
        }
      const kept = path !== null && node.keptData.includes(path)
      return {
        volume,
        pod: users(claim),
        fate: kept ? 'stays on the disk' : 'is deleted',
        because: kept ? `${path} is compared before k3s may start` : 'a waiver accepts it',
      }
    })
  const emptied = here.flatMap((pod) =>
    pod.volumes
      .filter(({ type }) => type === 'emptyDir')
      .map(({ name }): VolumeExplanation => ({
        volume: `emptyDir ${name}`,
        pod: `${pod.namespace}/${pod.name}`,
        fate: 'is deleted',
        because: plan.policy.deleteEmptyDir
          ? 'it goes with its pod'
          : 'it goes with its pod, unless that stays',
      })),
  )
  const own = node.keptData
    .filter((path) => !cluster.persistentVolumes.some((volume) => volume.path === path))
    .map((path): VolumeExplanation => ({
      volume: path,
      pod: null,
      fate: 'stays on the disk',
      because: 'it is compared before k3s may start',
    }))
  return [...persistent, ...own, ...emptied].toSorted((a, b) => compareText(a.volume, b.volume))
}

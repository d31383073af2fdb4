import { type Classified, owningDaemonSet } from '../core/drain.ts'
import { classifyLikeKubectl, type KubectlClassification } from '../core/drain-kubectl.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { KubeNode, Pod } from '../core/inventory.ts'
import { parseLabelSelector } from '../core/label-selector.ts'
import { type LabelSelector, matchesSelector } from '../core/selector.ts'
import type { DrainOutcome } from './drain.ts'
import { failureOf, isOlder, type KubectlDrainRequest, KubectlEvictions } from './drain-kubectl-pods.ts'
import { leavingPod, podRef } from './drain-pods.ts'
import { describeLeaving, describeRefused } from './drain-report.ts'
import type { KubectlKube } from './ports.ts'

export interface KubectlDrained {
  readonly node: string
  /** Why the node could not be cordoned. Its pods were evicted all the same. */
  readonly notCordoned: MigrateError | null
  /** Pods that are left (`daemonset`) or that nothing brings back (`unmanaged`). */
  readonly warnings: readonly Classified<'daemonset' | 'unmanaged'>[]
  readonly outcome: DrainOutcome
}

/**
 * Drains as `kubectl drain` of 1.35 does (kubernetes/kubectl pkg/drain, pkg/cmd/drain), for people who want exactly that:
 * a cordon that fails stops nothing, all pods are evicted at once, nothing is looked at again at the end, and a request
 * that fails is a pod that fails. One thing is never copied: a pod that took the name of another is not evicted in its
 * place (kubernetes/kubernetes issue 138229). Throws before anything is sent when nodes or selector are wrong.
 */
export async function drainLikeKubectl(request: KubectlDrainRequest): Promise<KubectlDrained[]> {
  const selector = parseLabelSelector(request.flags.podSelector)
  if (request.nodes.length === 0)
    throw new MigrateError('there is no node to drain', { exitCode: exitCode.usage })
  const nodes: KubeNode[] = []
  for (const name of request.nodes) nodes.push(await existing(request, name))
  const failures = new Map<string, MigrateError>()
  for (const node of nodes) await cordon(request, node, failures)
  const drained: KubectlDrained[] = []
  for (const { name } of nodes) {
    const notCordoned = failures.get(name) ?? null
    drained.push({ node: name, notCordoned, ...(await drainOne(request, name, selector)) })
  }
  return drained
}

async function existing({ kube, signal }: KubectlDrainRequest, name: string): Promise<KubeNode> {
  const node = await kube.node(name, signal)
  if (node !== undefined) return node
  throw new MigrateError(`the cluster ${kube.where} has no node ${name}`, {
    exitCode: exitCode.badInput,
    hint: 'kubectl get nodes',
  })
}

async function cordon(
  { kube, flags, signal }: KubectlDrainRequest,
  node: KubeNode,
  failures: Map<string, MigrateError>,
): Promise<void> {
  if (node.unschedulable || flags.dryRun === 'client') return
  try {
    await kube.patchNode(node.name, { unschedulable: true }, signal, { dryRun: flags.dryRun === 'server' })
  } catch (error) {
    failures.set(node.name, failureOf(error, signal))
  }
}

async function drainOne(
  request: KubectlDrainRequest,
  node: string,
  selector: LabelSelector,
): Promise<Pick<KubectlDrained, 'warnings' | 'outcome'>> {
  const { kube, clock, flags, signal, onEvent } = request
  let found: KubectlClassification
  let byEviction: boolean
  try {
    found = await classifyNodeLikeKubectl(request, node, selector)
    byEviction = !flags.disableEviction && (await kube.servesEviction(signal))
  } catch (error) {
    const { message } = failureOf(error, signal)
    return { warnings: [], outcome: { status: 'blocked', reason: message, pods: [], evicted: [] } }
  }
  const { evict, keep, refuse } = found
  if (refuse.length > 0) {
    const reason = 'nothing was evicted, because some pods may not be'
    const pods = refuse.map(describeRefused)
    return { warnings: [], outcome: { status: 'blocked', reason, pods, evicted: [] } }
  }
  onEvent({
    type: 'listed',
    evict: evict.map(({ pod }) => podRef(pod)),
    keep: keep.map(({ pod }) => podRef(pod)),
  })
  const warnings = warningsOf(found)
  if (flags.dryRun === 'client') return { warnings, outcome: { status: 'drained', evicted: [] } }
  const entries = evict.map(({ pod }) => leavingPod(pod, clock.monotonicMs()))
  const evictions = new KubectlEvictions(request, entries)
  await (byEviction ? evictions.evictAll() : evictions.deleteAll())
  const evicted = entries.filter(({ gone, endingSinceMs }) => gone || endingSinceMs !== null)
  const uids = evicted.map(({ pod }) => pod.uid)
  const [reason] = evictions.failures
  if (reason === undefined) return { warnings, outcome: { status: 'drained', evicted: uids } }
  const left = entries.filter(({ gone }) => !gone)
  const pods = left.map((entry) => describeLeaving(entry, clock.monotonicMs()))
  return { warnings, outcome: { status: 'blocked', reason, pods, evicted: uids } }
}

async function classifyNodeLikeKubectl(
  { kube, clock, flags, signal }: KubectlDrainRequest,
  node: string,
  selector: LabelSelector,
): Promise<KubectlClassification> {
  const pods = (await kube.podsOnNode(node, signal)).filter(({ labels }) => matchesSelector(labels, selector))
  const daemonSets = new Map<string, 'exists' | 'missing' | 'unknown'>()
  const endingForLong = new Set<Pod>()
  for (const pod of pods) {
    const name = owningDaemonSet(pod)
    if (name !== null) {
      const key = `${pod.namespace}/${name}`
      daemonSets.set(key, daemonSets.get(key) ?? (await lookUp(kube, pod.namespace, name, signal)))
    }
    if (flags.skipEndingForSeconds > 0 && pod.terminating) {
      const deletionAt = (await kube.pod(pod.namespace, pod.name, signal))?.deletionAt ?? null
      if (isOlder(deletionAt, flags.skipEndingForSeconds, clock.now())) endingForLong.add(pod)
    }
  }
  return classifyLikeKubectl(pods, {
    ...flags,
    daemonSet: (namespace, name) => daemonSets.get(`${namespace}/${name}`) ?? 'unknown',
    endingForLong: (pod) => endingForLong.has(pod),
  })
}

async function lookUp(
  kube: KubectlKube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<'exists' | 'missing' | 'unknown'> {
  try {
    return (await kube.daemonSetExists(namespace, name, signal)) ? 'exists' : 'missing'
  } catch (error) {
    failureOf(error, signal)
    return 'unknown'
  }
}

/** The message of each pod's last filter only: kubectl says nothing about emptyDir or missing DaemonSets. */
function warningsOf({ evict, keep }: KubectlClassification): KubectlDrained['warnings'] {
  const warnings: Classified<'daemonset' | 'unmanaged'>[] = []
  for (const { pod, reason } of keep) if (reason === 'daemonset') warnings.push({ pod, reason })
  for (const { pod, reason } of evict) if (reason === 'unmanaged') warnings.push({ pod, reason })
  return warnings
}

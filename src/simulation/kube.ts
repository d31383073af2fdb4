import { exitCode, MigrateError } from '../core/errors.ts'
import type { ClusterFacts, Pod } from '../core/inventory.ts'
import type {
  BudgetReader,
  ClusterReader,
  Ending,
  Eviction,
  KubectlKube,
  NodeLister,
  WorkloadState,
} from '../migrate/ports.ts'
import { controllerKey, simControllerState, switchSimController } from './controllers.ts'
import type { World } from './world.ts'

/** The Kubernetes API of the simulated cluster. */
export function simulatedKube(world: World): KubectlKube & ClusterReader & NodeLister & BudgetReader {
  const answer = (verb: string): void => {
    if (world.apiIsUp) return
    throw new MigrateError(`${verb}: the API server does not answer`, {
      exitCode: exitCode.blocked,
      hint: 'wait until the server is back',
      transient: true,
    })
  }
  return {
    where: 'simulation',
    async node(name) {
      answer(`get node ${name}`)
      const node = world.node(name)
      return node === undefined ? undefined : world.kubeNode(node)
    },
    async podsOnNode(name) {
      answer('list pods')
      return structuredClone(world.pods.filter((pod) => pod.node === name))
    },
    async restarts(name) {
      answer('list pods')
      return world.pods
        .filter((pod) => pod.node === name)
        .map(({ namespace, name: pod, uid }) => {
          const restarts = world.trouble.restarts.get(uid) ?? 0
          return { namespace, pod, uid, container: 'main', restarts, reason: restarts === 0 ? null : 'Error' }
        })
    },
    async daemonSetExists(namespace, name) {
      answer('get daemonset')
      return world.source.daemonSets.some((one) => one.namespace === namespace && one.name === name)
    },
    async patchNode(name, patch, _signal, how) {
      answer(`patch node ${name}`)
      const node = world.node(name)
      if (node === undefined)
        throw new MigrateError(`there is no node ${name}`, { exitCode: exitCode.badInput })
      if (how?.dryRun === true) return
      const { kube } = node
      if (patch.unschedulable !== undefined) kube.unschedulable = patch.unschedulable
      if (patch.taints !== undefined) kube.taints = structuredClone([...patch.taints])
      merge(kube.labels, patch.labels)
      merge(kube.annotations, patch.annotations)
      world.schedule()
    },
    async evict(target, _signal, how) {
      answer('evict pod')
      const pod = world.pods.find(({ uid }) => uid === target.uid)
      if (pod === undefined) return { status: 'gone' }
      if (pod.terminating) return { status: 'accepted' }
      return evict(world, pod, how)
    },
    async pod(namespace, name) {
      answer('get pod')
      const pod = world.pods.find((one) => one.namespace === namespace && one.name === name)
      if (pod === undefined) return undefined
      return { uid: pod.uid, deletionAt: pod.terminating ? world.clock.now() : null }
    },
    async deletePod(target, _signal, how) {
      answer('delete pod')
      const pod = world.pods.find(({ uid }) => uid === target.uid)
      if (pod === undefined) return 'gone'
      if (!pod.terminating && how?.dryRun !== true) world.remove(pod)
      return 'accepted'
    },
    async servesEviction() {
      answer('get /api/v1')
      return true
    },
    async heartbeatAgeSeconds(name) {
      answer('get lease')
      const silentSince = world.node(name)?.silentSinceMs
      if (silentSince === undefined) return null
      return silentSince === null ? 0 : (world.clock.monotonicMs() - silentSince) / 1000
    },
    async attachedVolumes() {
      answer('list volumeattachments')
      return []
    },
    async clusterUid() {
      answer('get namespace kube-system')
      return world.source.uid
    },
    async controller(object) {
      answer('get a controller')
      const found = world.controllers.get(controllerKey(object))
      return found === undefined ? undefined : simControllerState(found, world.podsOf(found).length)
    },
    async switchController(...change) {
      answer('patch a controller')
      const found = world.controllers.get(controllerKey(change[0]))
      if (found === undefined)
        throw new MigrateError(`there is no ${controllerKey(change[0])}`, { exitCode: exitCode.badInput })
      switchSimController(found, change)
      if (found.spec.replicas !== undefined) world.scaleTo(found, found.spec.replicas)
    },
    async nodes() {
      answer('list nodes')
      return [...world.nodes.values()].map((node) => world.kubeNode(node))
    },
    async workloads() {
      answer('list workloads')
      return workloadStates(world)
    },
    async claims() {
      answer('list persistentvolumeclaims')
      const { persistentVolumeClaims } = world.source.others(world.pods, world.clock.now())
      return persistentVolumeClaims.map((claim) =>
        world.trouble.lostClaims.has(`${claim.namespace}/${claim.name}`)
          ? { ...claim, phase: 'Lost' }
          : claim,
      )
    },
    async budgets() {
      answer('list poddisruptionbudgets')
      return world.budgets()
    },
    async read(): Promise<ClusterFacts> {
      answer('read the cluster')
      return world.facts()
    },
  }
}

/** Each controller with its pods; one on a node whose kubelet is silent is not ready. */
function workloadStates(world: World): WorkloadState[] {
  const states = new Map<string, { -readonly [key in keyof WorkloadState]: WorkloadState[key] }>()
  for (const { namespace, controller, ready, terminating, node } of world.pods) {
    if (controller === null || terminating) continue
    const kind =
      controller.kind === 'DaemonSet' || controller.kind === 'StatefulSet' ? controller.kind : 'Deployment'
    const key = `${kind} ${namespace}/${controller.name}`
    const state = states.get(key) ?? { kind, namespace, name: controller.name, desired: 0, ready: 0 }
    const silent = node !== null && (world.node(node)?.silentSinceMs ?? null) !== null
    state.desired += 1
    state.ready += ready && !silent ? 1 : 0
    states.set(key, state)
  }
  return [...states.values()]
}

/** kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go: more than one budget is an error, none is a yes. */
function evict(world: World, pod: Pod, how: Ending | undefined): Eviction {
  const budgets = pod.ready ? world.budgetsOf(pod) : []
  const [budget, second] = budgets
  if (second !== undefined) {
    return { status: 'impossible', message: 'This pod has more than one PodDisruptionBudget' }
  }
  if (budget !== undefined && budget.disruptionsAllowed < 1) {
    const message = `The disruption budget ${budget.name} needs ${budget.desiredHealthy} healthy pods and has ${budget.currentHealthy} currently`
    return { status: 'blocked', budget: budget.name, message, retryAfterMs: null }
  }
  if (how?.dryRun !== true) world.remove(pod)
  return { status: 'accepted' }
}

function merge(
  into: Record<string, string>,
  changes: Readonly<Record<string, string | null>> | undefined,
): void {
  for (const [key, value] of Object.entries(changes ?? {})) {
    if (value === null) delete into[key]
    else into[key] = value
  }
}

import type { KubeNode, PersistentVolume, Pod, PodDisruptionBudget, UpgradePlan } from '../core/inventory.ts'
import { budgetGuards } from '../core/selector.ts'
import { localVolumePath, type Scenario, type ScenarioNode, type ScenarioWorkload } from './scenario.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One simulated machine. `system` is what runs on it now. */
export interface SimNode {
  readonly spec: ScenarioNode
  readonly kube: KubeNode
  system: 'k3os' | 'rebooting' | 'new'
  bootId: string
  /** Files of the new system; k3OS's own come from the scenario. */
  files: ReadonlyMap<string, string>
  /** Since when its kubelet is silent; null while it lives. */
  silentSinceMs: number | null
}

/** Seconds things take in the simulated world; near what the lab's machines needed. */
export const pace = { podStart: 4, podStop: 2, nodeLost: 40, reimage: 210, k3sStart: 25 } as const

/** The state of the simulated cluster and its controllers: what an API server, a scheduler and kubelets would do. */
export class World {
  readonly scenario: Scenario
  readonly clock: VirtualClock
  readonly nodes: ReadonlyMap<string, SimNode>
  pods: Pod[] = []
  #made = 0

  constructor(scenario: Scenario, clock: VirtualClock) {
    this.scenario = scenario
    this.clock = clock
    this.nodes = new Map(scenario.nodes.map((spec) => [spec.name, this.#node(spec)]))
    for (const workload of scenario.workloads) {
      const places = workload.kind === 'DaemonSet' ? scenario.nodes.map(({ name }) => name) : workload.on
      for (const place of places)
        this.pods.push({ ...this.#pod(workload, place), ready: true, phase: 'Running' })
    }
  }

  /** An identifier that is the same in every run of the same scenario. */
  id(): string {
    this.#made += 1
    return `00000000-0000-4000-8000-${this.#made.toString(16).padStart(12, '0')}`
  }

  node(name: string): SimNode | undefined {
    return this.nodes.get(name)
  }

  /** A single server is the API: while its machine is away, nobody answers. */
  get apiIsUp(): boolean {
    const servers = [...this.nodes.values()].filter(({ spec }) => spec.role === 'server')
    return servers.some((server) => server.silentSinceMs === null)
  }

  /** The Node object as the API server shows it now. */
  kubeNode(node: SimNode): KubeNode {
    const silentMs = node.silentSinceMs === null ? 0 : this.clock.monotonicMs() - node.silentSinceMs
    const taints = node.kube.taints.filter(({ key }) => key !== 'node.kubernetes.io/unschedulable')
    if (node.kube.unschedulable)
      taints.push({ key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' })
    return structuredClone({ ...node.kube, taints, ready: silentMs < pace.nodeLost * 1000 })
  }

  budgets(): PodDisruptionBudget[] {
    return this.scenario.budgets.map((budget) => {
      const selector = { matchLabels: budget.matchLabels, matchExpressions: [] }
      const guard = { namespace: budget.namespace, apiVersion: 'policy/v1beta1', selector }
      const guarded = this.pods.filter((pod) => budgetGuards(guard, pod))
      const currentHealthy = guarded.filter((pod) => pod.ready && !pod.terminating).length
      return {
        ...guard,
        name: budget.name,
        minAvailable: budget.minAvailable,
        maxUnavailable: null,
        disruptionsAllowed: Math.max(0, currentHealthy - budget.minAvailable),
        currentHealthy,
        desiredHealthy: budget.minAvailable,
        expectedPods: guarded.length,
      }
    })
  }

  persistentVolumes(): PersistentVolume[] {
    return this.scenario.localVolumes.map((volume) => ({
      name: volume.name,
      storageClass: 'local-path',
      type: 'hostPath',
      path: localVolumePath(volume),
      nodes: [volume.node],
      reclaimPolicy: 'Delete',
      claim: { namespace: volume.namespace, name: volume.claim },
      capacity: `${Math.ceil(volume.bytes / 2 ** 20)}Mi`,
    }))
  }

  upgradePlans(): UpgradePlan[] {
    if (!this.scenario.upgradePlan) return []
    // As of v0.21.5-k3s2r1: rancher/k3os overlay/share/rancher/k3s/server/manifests/system-upgrade-plans/k3os-latest.yaml
    const matchExpressions = [
      { key: 'k3os.io/mode', operator: 'Exists', values: [] },
      { key: 'k3os.io/mode', operator: 'NotIn', values: ['live'] },
    ]
    return [
      {
        namespace: 'k3os-system',
        name: 'k3os-latest',
        image: 'rancher/k3os',
        nodeSelector: { matchLabels: { 'k3os.io/upgrade': 'latest' }, matchExpressions },
      },
    ]
  }

  /** An accepted eviction: the pod ends after its grace, its controller makes another one elsewhere. */
  remove(pod: Pod): void {
    pod.terminating = true
    pod.ready = false
    const { clock } = this
    clock.at(clock.monotonicMs() + Math.min(pod.graceSeconds, pace.podStop) * 1000, () => {
      this.pods = this.pods.filter((other) => other.uid !== pod.uid)
    })
    const workload = this.#workloadOf(pod)
    if (workload === undefined || workload.kind === 'DaemonSet' || workload.kind === 'Pod') return
    this.#start(this.#pod(workload, null))
  }

  /** Adds one pod to a Deployment, as `kubectl scale` would. */
  scaleUp(namespace: string, name: string): void {
    const workload = this.scenario.workloads.find((one) => one.namespace === namespace && one.name === name)
    if (workload === undefined) throw new Error(`the scenario has no workload ${namespace}/${name}`)
    this.#start(this.#pod(workload, null))
  }

  /** Places pods that wait for a node; called whenever a node takes pods again. */
  schedule(): void {
    for (const pod of this.pods.filter(({ node, terminating }) => node === null && !terminating)) {
      const place = this.#placeFor(pod)
      if (place === undefined) continue
      pod.node = place
      const { clock } = this
      clock.at(clock.monotonicMs() + pace.podStart * 1000, () => {
        pod.phase = 'Running'
        pod.ready = true
      })
    }
  }

  #start(pod: Pod): void {
    this.pods.push(pod)
    this.schedule()
  }

  #placeFor(pod: Pod): string | undefined {
    const claims = pod.volumes.map(({ claim }) => claim).filter((claim) => claim !== null)
    const pinned = this.scenario.localVolumes.find(
      (volume) => volume.namespace === pod.namespace && claims.includes(volume.claim),
    )
    const candidates = [...this.nodes.values()]
      .map((node) => this.kubeNode(node))
      .filter(({ ready, unschedulable, taints }) => ready && !unschedulable && taints.length === 0)
      .filter(({ name }) => pinned === undefined || pinned.node === name)
      .map(({ name }) => name)
    const load = (name: string) => this.pods.filter(({ node }) => node === name).length
    return candidates.toSorted((a, b) => load(a) - load(b) || (a < b ? -1 : 1))[0]
  }

  #workloadOf(pod: Pod): ScenarioWorkload | undefined {
    return this.scenario.workloads.find(
      ({ namespace, name, kind }) =>
        namespace === pod.namespace && (kind === 'Pod' ? pod.name === name : pod.name.startsWith(`${name}-`)),
    )
  }

  #pod(workload: ScenarioWorkload, node: string | null): Pod {
    const uid = this.id()
    const { namespace, name, kind } = workload
    const controller = {
      Deployment: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-7c9d` },
      StatefulSet: { apiVersion: 'apps/v1', kind: 'StatefulSet', name },
      DaemonSet: { apiVersion: 'apps/v1', kind: 'DaemonSet', name },
      Pod: null,
    }[kind]
    return {
      namespace,
      name: kind === 'Pod' ? name : kind === 'StatefulSet' ? `${name}-0` : `${name}-7c9d-${uid.slice(-4)}`,
      uid,
      node,
      phase: 'Pending',
      ready: false,
      terminating: false,
      labels: workload.labels,
      controller,
      mirror: false,
      priority: workload.priority,
      graceSeconds: workload.graceSeconds,
      requests: workload.requests,
      volumes: workload.volumes.map((volume) => {
        const none = { path: null, claim: null, readOnly: false }
        if ('emptyDir' in volume) return { ...none, name: volume.emptyDir, type: 'emptyDir' }
        if ('hostPath' in volume) return { ...none, name: 'host', type: 'hostPath', path: volume.hostPath }
        return { ...none, name: 'data', type: 'persistentVolumeClaim', claim: volume.claim }
      }),
    }
  }

  #node(spec: ScenarioNode): SimNode {
    const bootId = this.id()
    const roleLabels: Record<string, string> =
      spec.role === 'server' ? { 'node-role.kubernetes.io/master': 'true' } : {}
    const architecture = 'amd64'
    return {
      spec,
      system: 'k3os',
      bootId,
      files: new Map(),
      silentSinceMs: null,
      kube: {
        name: spec.name,
        uid: this.id(),
        labels: {
          'kubernetes.io/hostname': spec.name,
          'kubernetes.io/arch': architecture,
          'kubernetes.io/os': 'linux',
          'k3os.io/mode': 'local',
          'k3os.io/version': spec.k3os,
          ...roleLabels,
          ...spec.labels,
        },
        annotations: {},
        taints: spec.taints,
        unschedulable: false,
        ready: true,
        podCidr: `10.42.${this.scenario.nodes.indexOf(spec)}.0/24`,
        addresses: [
          { type: 'InternalIP', address: spec.address },
          { type: 'Hostname', address: spec.name },
        ],
        bootId,
        machineId: bootId.replaceAll('-', ''),
        systemUuid: spec.machine.uuid,
        osImage: `k3OS ${spec.k3os}`,
        kernelVersion: spec.kernel,
        kubeletVersion: spec.k3s,
        architecture,
        allocatable: { cpu: String(spec.machine.cores), memory: `${spec.machine.memoryMib}Mi`, pods: '110' },
      },
    }
  }
}

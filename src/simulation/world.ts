import type { ClusterFacts, KubeNode, Pod, PodDisruptionBudget } from '../core/inventory.ts'
import { budgetGuards } from '../core/selector.ts'
import { countBudget, workloadKey } from './budgets.ts'
import { isPodOf, type SimController, simControllers, withSwitches } from './controllers.ts'
import { emptyDisk, type SimDisk } from './in-place.ts'
import { placeFor } from './placement.ts'
import type { MachineSource, WorldSource } from './source.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One simulated machine. `system` is what runs on it now. */
export interface SimNode {
  readonly spec: MachineSource
  readonly kube: KubeNode
  system: 'k3os' | 'rebooting' | 'new'
  bootId: string
  /** Files of the new system; k3OS's own come from the source. */
  files: ReadonlyMap<string, string>
  /** What a move in place has laid beside k3OS. */
  readonly disk: SimDisk
  /** Nonce of the probe reboot that started this k3OS. */
  probe: string | null
  /** k3s was stopped under k3OS. */
  k3sStopped: boolean
  /** Since when its kubelet is silent; null while it lives. */
  silentSinceMs: number | null
}

/** Seconds things take in the simulated world. */
export interface Pace {
  readonly podStart: number
  readonly podStop: number
  /** Silence after which a node counts as not Ready. */
  readonly nodeLost: number
  /** From the hook's end until the new system answers. */
  readonly reimage: number
  readonly k3sStart: number
  /** From a restart until the machine answers again. */
  readonly restart: number
}

/** Near what the lab's machines needed. */
export const pace: Pace = { podStart: 4, podStop: 2, nodeLost: 40, reimage: 210, k3sStart: 25, restart: 60 }

/** The state of the simulated cluster and its controllers: what an API server, a scheduler and kubelets would do. */
export class World {
  readonly source: WorldSource
  readonly clock: VirtualClock
  readonly pace: Pace
  readonly nodes: ReadonlyMap<string, SimNode>
  /** By `Kind namespace/name`. */
  readonly controllers: ReadonlyMap<string, SimController>
  pods: Pod[]
  /** What goes wrong on purpose, by name of the node. */
  readonly trouble: {
    readonly neverReturns: Set<string>
    readonly losesData: Set<string>
    readonly turnsSick: Set<string>
    /** Claims whose volume is gone, as `namespace/name`. */
    readonly lostClaims: Set<string>
    /** How often the container of a pod was restarted, by UID. */
    readonly restarts: Map<string, number>
    /** Nobody answers before this moment of the clock. */
    apiDownUntilMs: number
  } = {
    neverReturns: new Set(),
    losesData: new Set(),
    turnsSick: new Set(),
    lostClaims: new Set(),
    restarts: new Map(),
    apiDownUntilMs: 0,
  }
  /** Placements so far, by workload: how often pods were moved about. */
  readonly moves = new Map<string, number>()
  readonly #replicas = new Map<string, number>()
  /** Pods of workloads that were scaled down, in case they are scaled up again. */
  readonly #scaledDown: Pod[] = []
  /** Pods a budget expects and that the source does not have. */
  readonly #missing = new Map<string, number>()
  /** Uids of pods that were not well at the beginning; their successors are not either. */
  readonly #unwell = new Set<string>()
  readonly #taken: ReadonlySet<string>
  #made = 0

  constructor(source: WorldSource, clock: VirtualClock, times: Pace = pace) {
    this.source = source
    this.clock = clock
    this.pace = times
    this.nodes = new Map(source.machines.map((spec) => [spec.name, simNode(spec)]))
    this.pods = structuredClone([...source.pods])
    const { workloads } = source.others(this.pods, clock.now())
    this.controllers = simControllers(workloads, source.daemonSets)
    this.#taken = new Set(this.pods.map(({ uid }) => uid))
    for (const pod of this.pods) {
      const key = workloadKey(pod)
      this.#replicas.set(key, (this.#replicas.get(key) ?? 0) + 1)
      if (!pod.ready && pod.phase !== 'Succeeded' && pod.node !== null) this.#unwell.add(pod.uid)
    }
    for (const budget of source.budgets) {
      const { expectedPods } = countBudget(budget, this.pods, this.#replicas, 0)
      this.#missing.set(nameOf(budget), Math.max(0, budget.expectedPods - expectedPods))
    }
  }

  /** An identifier that is the same in every run of the same source. */
  id(): string {
    for (;;) {
      this.#made += 1
      const id = `00000000-0000-4000-9000-${this.#made.toString(16).padStart(12, '0')}`
      // A source may itself come from a simulation.
      if (!this.#taken.has(id)) return id
    }
  }

  node(name: string): SimNode | undefined {
    return this.nodes.get(name)
  }

  /** A single server is the API: while its machine is away, nobody answers. */
  get apiIsUp(): boolean {
    if (this.clock.monotonicMs() < this.trouble.apiDownUntilMs) return false
    const servers = [...this.nodes.values()].filter(({ spec }) => spec.role === 'server')
    return servers.length === 0 || servers.some((server) => server.silentSinceMs === null)
  }

  /** The Node object as the API server shows it now. */
  kubeNode(node: SimNode): KubeNode {
    const silentMs = node.silentSinceMs === null ? 0 : this.clock.monotonicMs() - node.silentSinceMs
    const taints = node.kube.taints.filter(({ key }) => key !== 'node.kubernetes.io/unschedulable')
    if (node.kube.unschedulable)
      taints.push({ key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' })
    const ready = node.kube.ready && silentMs < this.pace.nodeLost * 1000
    const { labels, annotations } = node.kube
    return { ...node.kube, taints, ready, labels: { ...labels }, annotations: { ...annotations } }
  }

  budgets(): PodDisruptionBudget[] {
    return this.source.budgets.map((budget) => this.#counted(budget))
  }

  /** Those that guard this pod. */
  budgetsOf(pod: Pod): PodDisruptionBudget[] {
    return this.source.budgets
      .filter((budget) => budgetGuards(budget, pod))
      .map((budget) => this.#counted(budget))
  }

  /** The whole cluster as the API server shows it now. */
  facts(): ClusterFacts {
    const { server, uid, version, daemonSets, persistentVolumes, upgradePlans } = this.source
    const others = this.source.others(this.pods, this.clock.now())
    return {
      ...others,
      workloads: withSwitches(others.workloads, this.controllers),
      server,
      uid,
      version,
      nodes: [...this.nodes.values()].map((node) => this.kubeNode(node)),
      pods: this.pods.map((pod) => ({ ...pod })),
      pdbs: this.budgets(),
      persistentVolumes,
      daemonSets,
      upgradePlans,
      failures: [],
    }
  }

  /** An accepted eviction: the pod ends after its grace, its controller makes another one. */
  remove(pod: Pod): void {
    const finished = pod.phase === 'Succeeded' || pod.phase === 'Failed'
    const heir =
      finished || pod.controller === null || pod.controller.kind === 'DaemonSet' ? null : this.#heir(pod)
    this.#end(pod, heir)
  }

  #end(pod: Pod, heir: Pod | null): void {
    // A StatefulSet waits for the end of the old one, which has the same name.
    const waits = pod.controller?.kind === 'StatefulSet'
    pod.terminating = true
    pod.ready = false
    this.#unwell.delete(pod.uid)
    const { clock } = this
    clock.at(clock.monotonicMs() + Math.min(pod.graceSeconds, this.pace.podStop) * 1000, () => {
      this.pods = this.pods.filter((other) => other.uid !== pod.uid)
      if (heir !== null && waits) this.#start(heir)
    })
    if (heir !== null && !waits) this.#start(heir)
  }

  /** Adds one pod to a Deployment, as `kubectl scale` would. */
  scaleUp(namespace: string, name: string): void {
    const like = this.pods.find((pod) => pod.namespace === namespace && pod.name.startsWith(`${name}-`))
    if (like === undefined) throw new Error(`there is no workload ${namespace}/${name}`)
    const key = workloadKey(like)
    this.#replicas.set(key, (this.#replicas.get(key) ?? 0) + 1)
    this.#start(this.#heir(like))
  }

  /** What its controller does when its replicas are changed: pods go, or come back as they were. */
  scaleTo({ object }: SimController, replicas: number): void {
    const own = this.pods.filter((pod) => isPodOf(pod, object) && !pod.terminating)
    for (const pod of own.slice(replicas)) {
      this.#scaledDown.push(structuredClone(pod))
      this.#end(pod, null)
    }
    for (let missing = replicas - own.length; missing > 0; missing -= 1) {
      const like = this.#scaledDown.find((pod) => isPodOf(pod, object))
      if (like === undefined) return
      this.#scaledDown.splice(this.#scaledDown.indexOf(like), 1)
      this.#start(this.#heir(like))
    }
  }

  podsOf({ object }: SimController): Pod[] {
    return this.pods.filter((pod) => isPodOf(pod, object) && !pod.terminating)
  }

  /** Places pods that wait for a node; called whenever a node takes pods again. */
  schedule(): void {
    const waiting = this.pods.filter(
      ({ node, terminating, phase }) => node === null && !terminating && phase === 'Pending',
    )
    if (waiting.length === 0) return
    const nodes = [...this.nodes.values()].map((node) => this.kubeNode(node))
    for (const pod of waiting) {
      const place = placeFor(pod, {
        nodes,
        pods: this.pods,
        persistentVolumes: this.source.persistentVolumes,
      })
      if (place === undefined) continue
      pod.node = place
      const key = workloadKey(pod)
      this.moves.set(key, (this.moves.get(key) ?? 0) + 1)
      if (this.#unwell.has(pod.uid)) continue
      this.clock.at(this.clock.monotonicMs() + this.pace.podStart * 1000, () => {
        pod.phase = 'Running'
        pod.ready = !pod.terminating
      })
    }
  }

  #counted(budget: PodDisruptionBudget): PodDisruptionBudget {
    return countBudget(budget, this.pods, this.#replicas, this.#missing.get(nameOf(budget)) ?? 0)
  }

  #start(pod: Pod): void {
    this.pods.push(pod)
    this.schedule()
  }

  #heir(pod: Pod): Pod {
    const uid = this.id()
    if (this.#unwell.has(pod.uid)) this.#unwell.add(uid)
    const keepsName = pod.controller?.kind === 'StatefulSet'
    return {
      ...structuredClone(pod),
      uid,
      name: keepsName ? pod.name : `${pod.controller?.name ?? pod.name}-${uid.slice(-4)}`,
      node: null,
      phase: 'Pending',
      ready: false,
      terminating: false,
    }
  }
}

function nameOf({ namespace, name }: PodDisruptionBudget): string {
  return `${namespace}/${name}`
}

function simNode(spec: MachineSource): SimNode {
  return {
    spec,
    system: 'k3os',
    bootId: spec.node.bootId,
    files: new Map(),
    disk: emptyDisk(),
    probe: null,
    k3sStopped: false,
    silentSinceMs: null,
    kube: structuredClone(spec.node),
  }
}

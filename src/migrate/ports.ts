import type { ControllerObject } from '../core/competing.ts'
import type { ControllerState, ControllerSwitch, PausedMark } from '../core/controller-switch.ts'
import type { PersistentVolumeClaim } from '../core/cluster-objects.ts'
import type { FoundPlan, LeftoverObject } from '../core/finalize.ts'
import type { ClusterFacts, KubeNode, Pod, PodDisruptionBudget } from '../core/inventory.ts'
import type { Permission, RbacRule } from '../core/rbac.ts'

/**
 * The smallest interfaces that reading and steps need. Adapters implement them against the world, the simulation against
 * a scenario. Every method that waits takes a signal; every failure is a MigrateError (exit code, hint), never "empty".
 */

export interface Clock {
  now(): Date
  /** Milliseconds that only ever grow; for durations. */
  monotonicMs(): number
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Aborts after this time: the bound of one action. */
  timeout(ms: number): AbortSignal
}

/** Answer to one eviction request. What is not listed throws. */
export type Eviction =
  | { readonly status: 'accepted' }
  /** The pod (with this UID) does not exist any more. */
  | { readonly status: 'gone' }
  /** 429 with a disruption budget as cause; `budget` is null where a namespace that is being deleted is in the way. */
  | {
      readonly status: 'blocked'
      readonly budget: string | null
      readonly message: string
      readonly retryAfterMs: number | null
    }
  /** 429 without that cause, or 5xx with a time to come back: the server is busy, back off altogether. */
  | { readonly status: 'throttled'; readonly message: string; readonly retryAfterMs: number | null }
  /** 500: more than one budget matches; it can never pass. */
  | { readonly status: 'impossible'; readonly message: string }

/** A pod to act on; one of the same name with another UID is never meant. */
export interface PodTarget {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface NodePatch {
  readonly unschedulable?: boolean
  /** null removes. */
  readonly labels?: Readonly<Record<string, string | null>>
  readonly annotations?: Readonly<Record<string, string | null>>
  /** The whole list: taints have no keys to patch by. */
  readonly taints?: KubeNode['taints']
}

/** How often kubelet has started a container again. */
export interface ContainerRestarts {
  readonly namespace: string
  readonly pod: string
  /** Of the pod. */
  readonly uid: string
  readonly container: string
  readonly restarts: number
  /** Why it ended last: `OOMKilled`, `Error`; null when nobody says. */
  readonly reason: string | null
}

/** How a change is sent. */
export interface Sending {
  /** The server checks everything and changes nothing. */
  readonly dryRun?: boolean
}

export interface Ending extends Sending {
  /** Instead of the pod's own grace period. */
  readonly graceSeconds?: number | null
}

/** The Kubernetes API as steps use it. */
export interface Kube {
  /** Name of context and server, for sentences. */
  readonly where: string
  node(name: string, signal: AbortSignal): Promise<KubeNode | undefined>
  /** All pods whose `spec.nodeName` is this node, fresh, all pages. */
  podsOnNode(name: string, signal: AbortSignal): Promise<Pod[]>
  /** Of each container of the pods on this node. */
  restarts(name: string, signal: AbortSignal): Promise<ContainerRestarts[]>
  daemonSetExists(namespace: string, name: string, signal: AbortSignal): Promise<boolean>
  patchNode(name: string, patch: NodePatch, signal: AbortSignal, how?: Sending): Promise<void>
  evict(pod: PodTarget, signal: AbortSignal, how?: Ending): Promise<Eviction>
  /** Seconds since the node's kubelet renewed its Lease; null when there is none. */
  heartbeatAgeSeconds(name: string, signal: AbortSignal): Promise<number | null>
  /** Names of the node's VolumeAttachments that are still attached. */
  attachedVolumes(name: string, signal: AbortSignal): Promise<string[]>
  /** UID of the namespace kube-system. */
  clusterUid(signal: AbortSignal): Promise<string>
  /** undefined when there is no such object. */
  controller(object: ControllerObject, signal: AbortSignal): Promise<ControllerState | undefined>
  /** One request for the switch and the mark that says how it was; null takes the mark away. */
  switchController(
    object: ControllerObject,
    to: ControllerSwitch,
    mark: PausedMark | null,
    signal: AbortSignal,
  ): Promise<void>
}

/** What a drain in kubectl's manner needs besides: steps have no way to go past a disruption budget. */
export interface KubectlKube extends Kube {
  /** undefined when there is no pod of this name. `deletionAt` is the end of the grace period of a pod that is ending. */
  pod(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly uid: string; readonly deletionAt: Date | null } | undefined>
  /** Deletes without asking any budget. */
  deletePod(pod: PodTarget, signal: AbortSignal, how?: Ending): Promise<'accepted' | 'gone'>
  /** Whether the server knows evictions at all. */
  servesEviction(signal: AbortSignal): Promise<boolean>
}

/** What a controller says of its pods. */
export interface WorkloadState {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  readonly namespace: string
  readonly name: string
  /** Pods it wants now; of a DaemonSet: nodes it wants to be on. */
  readonly desired: number
  readonly ready: number
}

/** Fresh, all pages: for what concerns more than one node. */
export interface NodeLister {
  nodes(signal: AbortSignal): Promise<KubeNode[]>
  workloads(signal: AbortSignal): Promise<WorkloadState[]>
  claims(signal: AbortSignal): Promise<PersistentVolumeClaim[]>
}

/** Disruption budgets, fresh, all pages. */
export interface BudgetReader {
  budgets(signal: AbortSignal): Promise<PodDisruptionBudget[]>
}

/** Reading a whole cluster once, for the inventory. Parts that cannot be read are `failures` in the answer. */
export interface ClusterReader {
  /**
   * `helmReleases` asks for Secrets, which takes a right that nothing else needs; `appliedKinds` for two dozen kinds more,
   * only to see in which versions they were applied.
   */
  read(
    signal: AbortSignal,
    also?: { readonly helmReleases?: boolean; readonly appliedKinds?: boolean },
  ): Promise<ClusterFacts>
}

/** An object of the cluster that k3OS or a run has left behind. */
export type LeftoverName = Pick<LeftoverObject, 'resource' | 'namespace' | 'name'>

/** Finds and removes such objects. */
export interface LeftoverStore {
  /** Plans of the system-upgrade-controller; none where it is not installed. */
  upgradePlans(signal: AbortSignal): Promise<FoundPlan[]>
  /** undefined only when the server says that there is no such object. What it holds is not read. */
  uidOf(name: LeftoverName, signal: AbortSignal): Promise<string | undefined>
  /** Only the object with this UID; one that is gone is no error. */
  remove(object: LeftoverName & { readonly uid: string }, signal: AbortSignal): Promise<void>
}

/** The Lease (coordination.k8s.io) that locks a cluster for one run, as the API server keeps it. */
export interface LeaseState {
  /** Names this very state: a change of any other one is refused. */
  readonly version: string
  /** null: nobody has it. */
  readonly holder: string | null
  readonly durationSeconds: number
  /** RFC 3339. */
  readonly acquiredAt: string | null
  readonly renewedAt: string | null
  /** Grows with every new holder. */
  readonly transitions: number
  readonly annotations: Readonly<Record<string, string>>
}

/** What is left out stays as it is. */
export interface LeaseChange {
  readonly holder?: string | null
  readonly durationSeconds?: number
  readonly acquiredAt?: string
  readonly renewedAt?: string
  readonly transitions?: number
  /** null removes. */
  readonly annotations?: Readonly<Record<string, string | null>>
}

export interface LeaseStore {
  /** Name of context and server, for sentences. */
  readonly where: string
  /** undefined when there is none yet. */
  read(signal: AbortSignal): Promise<LeaseState | undefined>
  /** undefined when somebody else made it first. */
  create(change: LeaseChange, signal: AbortSignal): Promise<LeaseState | undefined>
  /** undefined when this version is not the newest any more. */
  update(version: string, change: LeaseChange, signal: AbortSignal): Promise<LeaseState | undefined>
}

/** What the account may do in the cluster, as the API server itself says it. */
export interface AccessReviewer {
  /** Name of context and server, for sentences. */
  readonly where: string
  /** What these rules name and the account may not do. */
  missing(rules: readonly RbacRule[], signal: AbortSignal): Promise<Permission[]>
}

/** How to reach one node over SSH. */
export interface HostAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
}

export interface Host {
  /** Runs the collector and returns its archive. */
  collect(address: HostAddress, signal: AbortSignal): Promise<Uint8Array>
  /** A small file as root, undefined when it does not exist. Fails when the pinned host key does not match. */
  readFile(address: HostAddress, path: string, signal: AbortSignal): Promise<string | undefined>
}

/** What a move does on a node besides reading: the little that is needed to prove and to release it. */
export interface HostControl {
  /** Writes a small file as root, in place of an older one; parent directories are made. */
  writeFile(address: HostAddress, path: string, content: string, signal: AbortSignal): Promise<void>
  /**
   * One digest per directory over the sorted list of (path, type, size, mode, uid, gid, mtime in seconds, SHA-256 of the
   * content); `absent` for a directory that does not exist. Taken twice on quiet data it is equal.
   */
  fingerprint(
    address: HostAddress,
    directories: readonly string[],
    signal: AbortSignal,
  ): Promise<Record<string, string>>
  /** A command of `templates/in-place/node.sh` that only reads, as root: what it prints. */
  askInPlace(address: HostAddress, words: readonly string[], signal: AbortSignal): Promise<string>
  /** One that changes something. `input` reaches it as it comes. */
  actInPlace(
    address: HostAddress,
    words: readonly string[],
    input: string | Uint8Array | AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<string>
}

/** Archives of root trees, on this computer. */
export interface RootTrees {
  /** Reads all of it: its own digest, and `sha256sum -c` lines for each file in it. */
  digests(file: string, signal: AbortSignal): Promise<{ readonly sha256: string; readonly lines: string }>
  /** The plain tar, decompressed if need be. */
  open(file: string, signal: AbortSignal): AsyncIterable<Uint8Array>
}

export interface HookResult {
  readonly exitCode: number | null
  /** Last lines of its output, scrubbed of secrets by the caller before printing. */
  readonly tail: string
}

/** The user's own program of the method `command`. Never a shell string. */
export interface Hook {
  run(
    argv: readonly string[],
    options: {
      readonly environment: Readonly<Record<string, string>>
      readonly onLine: (line: string) => void
      /** File for its output while it runs; it stays when the process that follows it is killed. */
      readonly output: string
      readonly signal: AbortSignal
    },
  ): Promise<HookResult>
}

/** Files of one run, in the state directory (0700). Writing is atomic and durable. */
export interface RunFiles {
  readonly directory: string
  write(
    path: string,
    content: string | Uint8Array,
    mode: 0o600 | 0o644 | 0o755,
    signal?: AbortSignal,
  ): Promise<void>
  read(path: string): Promise<string | undefined>
  /** SHA-256 of the bytes, which need not be text; undefined when there is no such file. */
  digest(path: string): Promise<string | undefined>
  /** Removes a file or a whole folder below the run's directory; a missing one is no error. */
  remove(path: string): Promise<void>
  sha256(text: string | Uint8Array): string
  randomHex(bytes: number): string
}

/** The journal's medium: each append returns after fsync. */
export interface JournalSink {
  append(line: string): Promise<void>
}

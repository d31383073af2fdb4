import type { ClusterFacts, KubeNode, Pod } from '../core/inventory.ts'

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
}

/** Answer to one eviction request. What is not listed throws. */
export type Eviction =
  | { readonly status: 'accepted' }
  /** The pod (with this UID) does not exist any more. */
  | { readonly status: 'gone' }
  /** 429 with a disruption budget as cause. */
  | {
      readonly status: 'blocked'
      readonly budget: string | null
      readonly message: string
      readonly retryAfterMs: number | null
    }
  /** 429 without that cause: the server is busy, back off altogether. */
  | { readonly status: 'throttled'; readonly message: string; readonly retryAfterMs: number | null }
  /** 500: more than one budget matches; it can never pass. */
  | { readonly status: 'impossible'; readonly message: string }

export interface NodePatch {
  readonly unschedulable?: boolean
  /** null removes. */
  readonly labels?: Readonly<Record<string, string | null>>
  readonly annotations?: Readonly<Record<string, string | null>>
  /** The whole list: taints have no keys to patch by. */
  readonly taints?: KubeNode['taints']
}

/** The Kubernetes API as steps use it. */
export interface Kube {
  /** Name of context and server, for sentences. */
  readonly where: string
  node(name: string, signal: AbortSignal): Promise<KubeNode | undefined>
  /** All pods whose `spec.nodeName` is this node, fresh, all pages. */
  podsOnNode(name: string, signal: AbortSignal): Promise<Pod[]>
  daemonSetExists(namespace: string, name: string, signal: AbortSignal): Promise<boolean>
  patchNode(name: string, patch: NodePatch, signal: AbortSignal): Promise<void>
  evict(pod: { namespace: string; name: string; uid: string }, signal: AbortSignal): Promise<Eviction>
  /** Seconds since the node's kubelet renewed its Lease; null when there is none. */
  heartbeatAgeSeconds(name: string, signal: AbortSignal): Promise<number | null>
  /** Names of the node's VolumeAttachments that are still attached. */
  attachedVolumes(name: string, signal: AbortSignal): Promise<string[]>
  /** UID of the namespace kube-system. */
  clusterUid(signal: AbortSignal): Promise<string>
}

/** Reading a whole cluster once, for the inventory. Parts that cannot be read are `failures` in the answer. */
export interface ClusterReader {
  read(signal: AbortSignal): Promise<ClusterFacts>
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
  sha256(text: string | Uint8Array): string
  randomHex(bytes: number): string
}

/** The journal's medium: each append returns after fsync. */
export interface JournalSink {
  append(line: string): Promise<void>
}

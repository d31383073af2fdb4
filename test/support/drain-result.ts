import type { StubCluster } from './stub-cluster.ts'

/** What a drain came to, whoever ran it: everything in it is sorted and free of wording. */
export interface DrainResult {
  readonly exit: 'ok' | 'failed'
  /** The set of requests to change something: `cordon n1`, `evict shop/a grace 30 dry-run`, `delete shop/a`. */
  readonly changes: readonly string[]
  /** Pods that are no longer there. */
  readonly gone: readonly string[]
  /** Pods that were asked to go, and are still there when the drain ends. */
  readonly ending: readonly string[]
  /** Pods that the drain tried to move in vain. */
  readonly failed: readonly string[]
  /** Pods that nobody asked to go. */
  readonly kept: readonly string[]
  /** `daemonset shop/a`, `unmanaged shop/a`. */
  readonly warnings: readonly string[]
  /** Pods of which was said that their eviction is tried again. */
  readonly retried: readonly string[]
  /** `empty-dir shop/a`, `timeout shop/a`, `failed shop/a`, `cordon n1`, `list`, `timeout`, `usage`, `no-node`. */
  readonly errors: readonly string[]
  /** Nodes that are cordoned at the end. */
  readonly cordoned: readonly string[]
}

/** What the drain said, by code. */
export interface Said {
  readonly exit: 'ok' | 'failed'
  readonly warnings: readonly string[]
  readonly retried: readonly string[]
  readonly errors: readonly string[]
}

export function resultOf(cluster: StubCluster, said: Said): DrainResult {
  const { accepted, ever } = cluster.pods
  const after = cluster.pods.present()
  const asked = new Set(
    cluster.changes.filter((change) => !change.endsWith(' dry-run')).map((change) => change.split(' ')[1]),
  )
  const left = after.filter((pod) => !accepted.has(pod))
  return {
    exit: said.exit,
    changes: unique(cluster.changes),
    gone: unique(ever).filter((pod) => !after.includes(pod)),
    ending: unique(after).filter((pod) => accepted.has(pod)),
    failed: unique(left).filter((pod) => asked.has(pod)),
    kept: unique(left).filter((pod) => !asked.has(pod)),
    warnings: unique(said.warnings),
    retried: unique(said.retried),
    errors: unique(said.errors),
    cordoned: unique(cluster.cordoned),
  }
}

function unique(list: Iterable<string>): string[] {
  return [...new Set(list)].toSorted()
}

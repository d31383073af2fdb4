import { kubectlDefaults, type KubectlFlags } from '../../../src/migrate/drain-kubectl-pods.ts'
import type { DrainResult } from '../drain-result.ts'
import type { DrainOrder, KubectlAge } from '../kubectl.ts'
import type { ClusterScript, Refusal } from '../stub-cluster.ts'
import type { ScriptedPod } from '../stub-pods.ts'

/** Where a drain differs from the newest kubectl on purpose. */
export interface Difference {
  readonly because: string
  readonly instead: Partial<DrainResult>
}

export interface Variation {
  readonly name: string
  readonly script: ClusterScript
  readonly order: DrainOrder
  /** What the newest kubectl does. */
  readonly expected: DrainResult
  /** What older ones do. */
  readonly older: readonly (Difference & { readonly ages: readonly KubectlAge[] })[]
  readonly compatible: Difference | undefined
  /** A text: why our own drain cannot be asked for this. */
  readonly strict: Difference | string | undefined
}

export interface DrainCase {
  readonly number: number
  readonly title: string
  readonly variations: readonly Variation[]
}

/** What is expected, pods without their namespace; what is left out follows from the rest. */
export interface Expected {
  readonly gone?: readonly string[]
  readonly ending?: readonly string[]
  readonly failed?: readonly string[]
  readonly kept?: readonly string[]
  readonly warnings?: readonly string[]
  readonly retried?: readonly string[]
  readonly errors?: readonly string[]
  readonly exit?: 'ok' | 'failed'
  readonly changes?: readonly string[]
  readonly cordoned?: readonly string[]
  /** After each eviction: ` grace 30`. */
  readonly how?: string
}

export function expectation(is: Expected): DrainResult {
  const { gone = [], ending = [], failed = [], kept = [], errors = [], how = '' } = is
  const evictions = [...gone, ...ending, ...failed].map((name) => `evict ${inShop(name)}${how}`)
  return {
    exit: is.exit ?? (errors.length === 0 ? 'ok' : 'failed'),
    changes: is.changes?.toSorted() ?? ['cordon n1', ...evictions].toSorted(),
    gone: all(gone),
    ending: all(ending),
    failed: all(failed),
    kept: all(kept),
    warnings: all(is.warnings ?? []),
    retried: all(is.retried ?? []),
    errors: all(errors),
    cordoned: is.cordoned ?? ['n1'],
  }
}

function inShop(name: string): string {
  return `shop/${name}`
}

/** `a` and `timeout a` alike. */
function all(names: readonly string[]): string[] {
  const whole = ['list', 'usage', 'no-node', 'eviction', 'timeout']
  return names
    .map((name) => {
      if (whole.includes(name) || name.startsWith('cordon ')) return name
      const [last = '', ...before] = name.split(' ').toReversed()
      return [...before.toReversed(), inShop(last)].join(' ')
    })
    .toSorted()
}

export function variation(
  name: string,
  script: ClusterScript | readonly ScriptedPod[],
  flags: Partial<KubectlFlags>,
  expected: Expected,
  more: Partial<Pick<Variation, 'older' | 'compatible' | 'strict'>> & Partial<Omit<DrainOrder, 'flags'>> = {},
): Variation {
  const { older = [], compatible, strict, ...order } = more
  return {
    name,
    script: 'pods' in script ? script : { pods: script },
    order: { nodes: ['n1'], flags: { ...kubectlDefaults, ...flags }, ...order },
    expected: expectation(expected),
    older,
    compatible,
    strict,
  }
}

/** Our own drain puts a node back when it fails: what it cordoned it uncordons. */
export function undone(result: DrainResult): DrainResult {
  const undo = result.cordoned.map((node) => `uncordon ${node}`)
  return { ...result, changes: [...result.changes, ...undo].toSorted(), cordoned: [] }
}

/** 429 of a disruption budget. */
export function held(more: Partial<Extract<Refusal, { code: number }>> = {}, details: object = {}): Refusal {
  const message = 'The disruption budget web needs 2 healthy pods and has 2 currently'
  const causes = [{ reason: 'DisruptionBudget', message }]
  return {
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes, ...details },
    ...more,
  }
}

export function forbidden(message: string): Refusal {
  return { code: 403, reason: 'Forbidden', message, forever: true }
}

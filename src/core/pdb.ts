import { owningDaemonSet } from './drain.ts'
import type { Pod, PodDisruptionBudget } from './inventory.ts'
import { budgetGuards } from './selector.ts'

/**
 * `ok`: passes, in `rounds` rounds. `temporary`: would pass if all its pods were healthy. `structural`: cannot pass
 * even then. `never-refills`: starts, and stops for good, because pods that nothing replaces use it up.
 * `two-budgets`: the API server refuses for ever to evict a pod that several budgets guard.
 */
type BudgetVerdictKind = 'ok' | 'temporary' | 'structural' | 'never-refills' | 'two-budgets'

export interface BudgetVerdict {
  readonly pdb: PodDisruptionBudget
  /** The other budgets that guard the same pods; empty except for `two-budgets`. */
  readonly others: readonly PodDisruptionBudget[]
  readonly verdict: BudgetVerdictKind
  /** Pods of the node that this is about. */
  readonly pods: readonly Pod[]
  /** Pods among them that an eviction takes out of the budget. */
  readonly healthy: number
  /** `status.disruptionsAllowed`. */
  readonly allowed: number
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly expectedPods: number
  /** How many of `pods` use the budget when they leave. */
  readonly leaving: number
  /** Those of them that no pod takes the place of while the node is away. */
  readonly notRefilled: readonly Pod[]
  /** How often the drain waits for replacements, counting the first evictions; 0 unless `ok`. */
  readonly rounds: number
}

export interface BudgetOptions {
  /** Pods that nothing replaces while the node is away: not made again, or without a place; none when left out. */
  readonly staysAway?: (pod: Pod) => boolean
}

/**
 * What each budget will say to a drain of the node. `pods` may be those of the whole cluster. Budgets that guard none
 * of the node's evictable pods have no verdict. One entry per budget, then one per set of budgets that share a pod.
 */
export function budgetVerdicts(
  node: string,
  pods: readonly Pod[],
  pdbs: readonly PodDisruptionBudget[],
  options: BudgetOptions = {},
): BudgetVerdict[] {
  const staysAway = options.staysAway ?? (() => false)
  const single = new Map<PodDisruptionBudget, Pod[]>()
  const shared = new Map<string, { budgets: readonly PodDisruptionBudget[]; pods: Pod[] }>()
  for (const pod of pods.filter((one) => one.node === node && asksBudgets(one))) {
    const guards = pdbs.filter((pdb) => budgetGuards(pdb, pod))
    const [first] = guards
    if (first === undefined) continue
    if (guards.length === 1) single.set(first, [...(single.get(first) ?? []), pod])
    else {
      const key = guards.map(({ namespace, name }) => `${namespace}/${name}`).join(' ')
      shared.set(key, { budgets: guards, pods: [...(shared.get(key)?.pods ?? []), pod] })
    }
  }
  return [
    ...pdbs.flatMap((pdb) => {
      const own = single.get(pdb)
      return own === undefined ? [] : [verdictOf(pdb, own, staysAway)]
    }),
    ...[...shared.values()].flatMap(({ budgets: [pdb, ...others], pods: own }) =>
      pdb === undefined
        ? []
        : [
            {
              ...numbersOf(pdb, own),
              pdb,
              others,
              verdict: 'two-budgets' as const,
              leaving: own.length,
              notRefilled: [],
              rounds: 0,
            },
          ],
    ),
  ]
}

/**
 * Pods that a drain evicts and whose budget the server then looks at: not those it deletes without asking
 * (kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go canIgnorePDB).
 */
function asksBudgets(pod: Pod): boolean {
  const stays = pod.mirror || owningDaemonSet(pod) !== null
  return !stays && !pod.terminating && !['Pending', 'Succeeded', 'Failed'].includes(pod.phase)
}

function verdictOf(
  pdb: PodDisruptionBudget,
  pods: readonly Pod[],
  staysAway: (pod: Pod) => boolean,
): BudgetVerdict {
  const numbers = numbersOf(pdb, pods)
  const { healthy, allowed } = numbers
  // Pods that are not ready leave without using the budget, as long as the others are enough (same file, IsPodReady).
  const unreadyPass = pdb.currentHealthy >= pdb.desiredHealthy && pdb.desiredHealthy > 0
  const counting = unreadyPass ? pods.filter(({ ready }) => ready) : pods
  const notRefilled = counting.filter(staysAway)
  const base = { ...numbers, pdb, others: [], leaving: counting.length, notRefilled, rounds: 0 }
  if (healthy === 0 && unreadyPass) return { ...base, verdict: 'ok', rounds: 1 }
  if (allowed <= 0) return { ...base, verdict: isStructural(pdb) ? 'structural' : 'temporary' }
  // Such a pod gives nothing back to the budget while the node is cordoned, and may be among the first to leave.
  if (counting.length > allowed && notRefilled.length >= allowed) return { ...base, verdict: 'never-refills' }
  return { ...base, verdict: 'ok', rounds: Math.ceil(counting.length / allowed) }
}

function numbersOf(pdb: PodDisruptionBudget, pods: readonly Pod[]) {
  return {
    pods,
    healthy: pods.filter(({ ready }) => ready).length,
    allowed: pdb.disruptionsAllowed,
    currentHealthy: pdb.currentHealthy,
    desiredHealthy: pdb.desiredHealthy,
    expectedPods: pdb.expectedPods,
  }
}

/** Nothing may go even when every pod is healthy; the status counts only what the controller has already seen. */
function isStructural(pdb: PodDisruptionBudget): boolean {
  const { minAvailable, maxUnavailable, desiredHealthy, expectedPods } = pdb
  if (maxUnavailable !== null) {
    if (/^0+%?$/.test(String(maxUnavailable))) return true
  } else if (typeof minAvailable === 'string' && /^0*[1-9]\d{2,}%$/.test(minAvailable)) return true
  return expectedPods > 0 && desiredHealthy >= expectedPods
}

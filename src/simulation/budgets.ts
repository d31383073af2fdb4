import type { Pod, PodDisruptionBudget } from '../core/inventory.ts'
import { budgetGuards } from '../core/selector.ts'

/** Pods each workload is to have, by namespace, kind and name. */
export type Replicas = ReadonlyMap<string, number>

export function workloadKey({ namespace, name, controller }: Pod): string {
  return controller === null
    ? `${namespace}/Pod/${name}`
    : `${namespace}/${controller.kind}/${controller.name}`
}

/** What the disruption controller would write into the status (kubernetes/kubernetes pkg/controller/disruption). */
export function countBudget(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  replicas: Replicas,
  missing: number,
): PodDisruptionBudget {
  const guarded = pods.filter((pod) => budgetGuards(budget, pod))
  const workloads = new Set(guarded.map(workloadKey))
  const expectedPods = [...workloads].reduce((sum, key) => sum + (replicas.get(key) ?? 0), 0) + missing
  const currentHealthy = guarded.filter(({ ready, terminating }) => ready && !terminating).length
  const desiredHealthy = desiredOf(budget, expectedPods)
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  return { ...budget, expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed }
}

function desiredOf({ minAvailable, maxUnavailable }: PodDisruptionBudget, expected: number): number {
  if (maxUnavailable !== null) return Math.max(0, expected - share(maxUnavailable, expected))
  return minAvailable === null ? 0 : share(minAvailable, expected)
}

/** Percentages are rounded up, for both. */
function share(value: string | number, of: number): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  return percent === undefined ? Number(value) : Math.ceil((Number(percent) * of) / 100)
}

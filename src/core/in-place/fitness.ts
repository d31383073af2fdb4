import type { NodeFacts } from '../inventory.ts'
import type { PlanTree } from '../plan.ts'
import { neededFree } from './gates.ts'

/**
 * Why a node cannot be moved in place, as far as its inventory says; null when nothing speaks against it. The node itself is asked
 * once more before anything is put on its disk (`inPlaceGates`).
 */
export function unfitInPlace(facts: NodeFacts, tree: PlanTree): string | null {
  const { install, k3s, markers, ownConfiguration, components, os, state } = facts
  if (install !== 'disk')
    return install === 'unknown'
      ? 'whether k3OS is installed on a disk of its own is not known'
      : `k3OS is not installed on a disk of its own (${install})`
  if (k3s.datastore === 'etcd' || k3s.datastore === 'dqlite')
    return `servers with embedded ${k3s.datastore} are not moved in place yet`
  if (markers.length > 0) return `k3OS acts on ${markers.join(', ')} at its next boot, which is the way back`
  if (ownConfiguration === 'rejected')
    return 'k3OS rejects its configuration, and would boot without it on the way back'
  const next = components['k3os']?.current ?? null
  if (next !== null && os.version !== null && next !== os.version)
    return `k3OS ${os.version} runs, and the next boot, which is the way back, starts ${next}`
  const { freeMib, totalMib } = state
  if (freeMib !== null && totalMib !== null && freeMib < neededFree(totalMib, tree.mib))
    return `${freeMib} MiB are free on its disk, and the new system with its margin needs ${neededFree(totalMib, tree.mib)}`
  return null
}

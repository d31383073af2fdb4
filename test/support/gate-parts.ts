import type { Workload } from '../../src/core/cluster-objects.ts'
import type { Inventory } from '../../src/core/inventory.ts'
import { cluster, inventory, kubeNode, machine } from '../unit/core/assess/builders.ts'

export function workloadOf(kind: Workload['kind'], name: string, changes: Partial<Workload> = {}): Workload {
  return {
    kind,
    namespace: 'shop',
    name,
    desired: 2,
    ready: 2,
    selector: null,
    controller: null,
    paused: false,
    ...changes,
  }
}

/** Two boards with the constant of their factory. */
export function sharedUuid(): Inventory {
  const same = { systemUuid: '03000200-0400-0500-0006-000700080009' }
  return inventory(cluster({ nodes: [kubeNode('s1', same), kubeNode('a1', same)] }), [
    machine('s1', same),
    machine('a1', same),
  ])
}

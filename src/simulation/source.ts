import type { ClusterFacts, KubeNode, Pod } from '../core/inventory.ts'

/**
 * What a simulated world is filled with: from a scenario file (`scenario-source.ts`) or from somebody's own inventory
 * (`inventory-source.ts`). The world itself does not know the difference.
 */
export interface WorldSource {
  readonly server: string
  readonly uid: string
  readonly version: string
  readonly machines: readonly MachineSource[]
  /** At the beginning; those that wait for a place have none. */
  readonly pods: readonly Pod[]
  /** Their status is counted anew from the pods. */
  readonly budgets: ClusterFacts['pdbs']
  readonly daemonSets: ClusterFacts['daemonSets']
  readonly persistentVolumes: ClusterFacts['persistentVolumes']
  readonly upgradePlans: ClusterFacts['upgradePlans']
  others(pods: readonly Pod[], now: Date): OtherObjects
}

/** Parts of the cluster that a move reads and that do not change by it. */
export type OtherObjects = Pick<
  ClusterFacts,
  | 'apiGroups'
  | 'persistentVolumeClaims'
  | 'storageClasses'
  | 'workloads'
  | 'webhooks'
  | 'leases'
  | 'addons'
  | 'helmCharts'
  | 'customResources'
  | 'lastApplied'
  | 'namespaces'
  | 'webhookServices'
>

/** One machine as k3OS leaves it. */
export interface MachineSource {
  /** Of its Node. */
  readonly name: string
  readonly role: 'server' | 'agent'
  readonly node: KubeNode
  /** What k3s asks for when the node comes back under its name; null when it has none. */
  readonly nodePassword: string | null
  /** Text of a small file of the running k3OS. */
  file(path: string): string | undefined
  /** The archive the collector sends. */
  archive(bootId: string, now: Date): Uint8Array
}

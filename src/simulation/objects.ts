import type { Workload } from '../core/cluster-objects.ts'
import type { Pod } from '../core/inventory.ts'
import type { Scenario } from './scenario.ts'
import type { OtherObjects } from './source.ts'

/** What a small k3s cluster of 2021 has besides nodes, pods, budgets and volumes. */
export function otherObjects(scenario: Scenario, pods: readonly Pod[], now: Date): OtherObjects {
  return {
    apiGroups: { apps: ['v1'], batch: ['v1', 'v1beta1'], policy: ['v1', 'v1beta1'] },
    persistentVolumeClaims: scenario.localVolumes.map(({ namespace, claim, name, bytes }) => ({
      namespace,
      name: claim,
      phase: 'Bound',
      storageClass: 'local-path',
      volume: name,
      accessModes: ['ReadWriteOnce'],
      requested: `${Math.ceil(bytes / 2 ** 20)}Mi`,
    })),
    storageClasses: [
      {
        name: 'local-path',
        provisioner: 'rancher.io/local-path',
        isDefault: true,
        reclaimPolicy: 'Delete',
        bindingMode: 'WaitForFirstConsumer',
      },
    ],
    workloads: workloadsOf(scenario, pods),
    webhooks: [],
    leases: scenario.nodes.map(({ name }) => ({
      namespace: 'kube-node-lease',
      name,
      holder: name,
      renewedAt: now.toISOString(),
    })),
    addons: [],
    helmCharts: [],
    customResources: scenario.upgradePlan
      ? [{ name: 'plans.upgrade.cattle.io', servedVersions: ['v1'] }]
      : [],
    lastApplied: [],
    namespaces: [...new Set(['kube-system', ...pods.map(({ namespace }) => namespace)])]
      .toSorted()
      .map((name) => ({ name, labels: {} })),
    webhookServices: [],
  }
}

function workloadsOf(scenario: Scenario, pods: readonly Pod[]): Workload[] {
  return scenario.workloads.flatMap(({ kind, namespace, name, labels, on }): Workload[] => {
    if (kind !== 'Deployment' && kind !== 'StatefulSet') return []
    const own = pods.filter((pod) => pod.namespace === namespace && pod.name.startsWith(`${name}-`))
    const common = {
      namespace,
      desired: on.length,
      ready: own.filter(({ ready }) => ready).length,
      selector: { matchLabels: labels, matchExpressions: [] },
      paused: false,
    }
    const owner: Workload = { ...common, kind, name, controller: null }
    if (kind === 'StatefulSet') return [owner]
    return [owner, { ...common, kind: 'ReplicaSet', name: `${name}-7c9d`, controller: `Deployment/${name}` }]
  })
}

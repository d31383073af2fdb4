import { groups, listOf, ok, type ApiStub, type StubAnswer } from './api-stub.ts'

const since117 = {
  'apiregistration.k8s.io': ['v1', 'v1beta1'],
  extensions: ['v1beta1'],
  apps: ['v1'],
  'events.k8s.io': ['v1beta1'],
  autoscaling: ['v1', 'v2beta1', 'v2beta2'],
  batch: ['v1', 'v1beta1'],
  'certificates.k8s.io': ['v1beta1'],
  'networking.k8s.io': ['v1', 'v1beta1'],
  policy: ['v1beta1'],
  'rbac.authorization.k8s.io': ['v1', 'v1beta1'],
  'storage.k8s.io': ['v1', 'v1beta1'],
  'admissionregistration.k8s.io': ['v1', 'v1beta1'],
  'apiextensions.k8s.io': ['v1', 'v1beta1'],
  'scheduling.k8s.io': ['v1', 'v1beta1'],
  'coordination.k8s.io': ['v1', 'v1beta1'],
  'node.k8s.io': ['v1beta1'],
  'discovery.k8s.io': ['v1beta1'],
}
const since119 = {
  ...since117,
  'events.k8s.io': ['v1', 'v1beta1'],
  'certificates.k8s.io': ['v1', 'v1beta1'],
}

/** The groups that API servers of the k3OS era offer, as far as a reader looks at them. */
export const kubeGroups: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '1.17': since117,
  '1.18': since117,
  '1.19': since119,
  '1.21': { ...since119, policy: ['v1', 'v1beta1'] },
}

/** What k3s itself brings. */
export const k3sGroups = {
  'helm.cattle.io': ['v1'],
  'k3s.cattle.io': ['v1'],
  'metrics.k8s.io': ['v1beta1'],
  'upgrade.cattle.io': ['v1'],
}

/** Makes the stub an API server with these groups, that has no object of any kind the inventory reads. */
export function anEmptyCluster(
  stub: ApiStub,
  offered: Readonly<Record<string, readonly string[]>>,
  version = 'v1.20.15+k3s1',
): void {
  stub.on('GET /version', ok({ gitVersion: version }))
  stub.on('GET /apis', groups(offered))
  stub.on('GET /api/v1/namespaces/kube-system', ok({ metadata: { name: 'kube-system', uid: 'cluster-uid' } }))
  for (const plural of [
    'nodes',
    'pods',
    'persistentvolumes',
    'persistentvolumeclaims',
    'namespaces',
    'services',
    'endpoints',
  ])
    stub.on(`GET /api/v1/${plural}`, none)
  for (const [group, plurals] of Object.entries(read))
    for (const version of offered[group] ?? [])
      // 1.17 to 1.20 have CronJobs in v1beta1 only, although the group has a v1.
      for (const plural of plurals.filter((one) => one !== 'cronjobs' || version === 'v1beta1'))
        stub.on(`GET /apis/${group}/${version}/${plural}`, none)
}

const none: StubAnswer = listOf('Any', [])

const read: Readonly<Record<string, readonly string[]>> = {
  policy: ['poddisruptionbudgets'],
  apps: ['daemonsets', 'deployments', 'statefulsets', 'replicasets'],
  batch: ['jobs', 'cronjobs'],
  'storage.k8s.io': ['storageclasses'],
  'networking.k8s.io': ['ingresses'],
  autoscaling: ['horizontalpodautoscalers'],
  'coordination.k8s.io': ['leases'],
  'admissionregistration.k8s.io': ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
  'apiextensions.k8s.io': ['customresourcedefinitions'],
  'upgrade.cattle.io': ['plans'],
  'k3s.cattle.io': ['addons'],
  'helm.cattle.io': ['helmcharts', 'helmchartconfigs'],
}

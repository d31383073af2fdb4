import { CoreV1Api, VersionApi } from '@kubernetes/client-node'
import { z } from 'zod'
import { MigrateError } from '../../core/errors.ts'
import { compareText } from '../../core/findings.ts'
import { helmRelease } from '../../core/helm-release.ts'
import type { ClusterFacts, PodDisruptionBudget } from '../../core/inventory.ts'
import {
  daemonSet,
  kubeNode,
  persistentVolume,
  podDisruptionBudget,
  upgradePlan,
} from '../../core/kube-objects.ts'
import { apiEnd } from '../../core/k3s/ladder.ts'
import { pod } from '../../core/kube-pod.ts'
import { parseObject, text } from '../../core/kube-raw.ts'
import {
  addon,
  customResource,
  daemonSetState,
  helmChart,
  lease,
  namespaceOf,
  persistentVolumeClaim,
  storageClass,
  webhooks,
  webhookServices,
  workload,
} from '../../core/kube-workloads.ts'
import { lastApplied } from '../../core/last-applied.ts'
import type { ManifestObject } from '../../core/manifest-objects.ts'
import type { BudgetReader, ClusterReader, NodeLister } from '../../migrate/ports.ts'
import type { Api } from './api.ts'
import { readAppliedKinds } from './applied-kinds.ts'
import { clusterUid } from './cluster.ts'
import { type ApiCall, callSentence } from './failure.ts'
import { groupsCall, readGroups } from './groups.ts'
import { listCall, type ListedKind, listKind } from './lists.ts'

/**
 * Reads what the inventory wants to know. The first request decides whether there is a cluster to read at all; after it,
 * each part that cannot be read is a failure that names verb and resource.
 */
export function readerOf(api: Api): ClusterReader & NodeLister & BudgetReader {
  return {
    nodes: async (signal) => listNodes(api, signal),

    async workloads(signal) {
      const groups = readGroups(api, signal)
      const all = async <T>(kind: ListedKind, read: (raw: unknown) => T): Promise<T[]> =>
        (await listKind(api, groups, kind, signal))?.items.map(read) ?? []
      const found = await Promise.all([
        all(kinds.deployments, (raw) => ({ ...workload(raw, 'Deployment'), kind: 'Deployment' as const })),
        all(kinds.statefulSets, (raw) => ({ ...workload(raw, 'StatefulSet'), kind: 'StatefulSet' as const })),
        all(kinds.daemonSets, daemonSetState),
      ])
      return found.flat()
    },

    claims: async (signal) => listClaims(api, signal),

    async budgets(signal) {
      const found = await listKind(api, readGroups(api, signal), kinds.budgets, signal)
      return found?.items.map((item) => budget(item, found.version)) ?? []
    },

    async read(signal, also = {}) {
      const version = await readVersion(api, signal)
      const failures: ClusterFacts['failures'] = []
      async function part<T>(call: ApiCall, read: Promise<T>, otherwise: T): Promise<T> {
        try {
          return await read
        } catch (error) {
          if (!(error instanceof MigrateError)) throw error
          failures.push({ what: callSentence(call), reason: error.message })
          return otherwise
        }
      }

      const applied: NonNullable<ClusterFacts['lastApplied']> = []
      const noteApplied = (item: unknown): void => {
        const given = lastApplied(item)
        if (given !== null && apiEnd(given.apiVersion, given.kind) !== null) applied.push(given)
      }

      const groups = readGroups(api, signal)
      /** Each object of a kind, turned into facts. */
      async function all<T>(kind: ListedKind, read: (raw: unknown, version: string) => T): Promise<T[]> {
        const listing = listKind(api, groups, kind, signal).then((found) => {
          const items = found?.items ?? []
          for (const item of items) noteApplied(item)
          return items.map((item) => read(item, found?.version ?? ''))
        })
        return part(listCall(kind), listing, [])
      }

      const [uid, nodes, pods, rawVolumes, apiGroups] = await Promise.all([
        part(calls.namespace, clusterUid(api, signal), ''),
        part(calls.nodes, listNodes(api, signal), []),
        part(calls.pods, listPods(api, signal), []),
        part(calls.volumes, listVolumes(api, signal), []),
        part(groupsCall, groups.then(Object.fromEntries<readonly string[]>), {}),
      ])
      const [pdbs, daemonSets, upgradePlans, persistentVolumeClaims, storageClasses, leases] =
        await Promise.all([
          all(kinds.budgets, budget),
          all(kinds.daemonSets, daemonSet),
          all(kinds.plans, upgradePlan),
          part(calls.claims, listClaims(api, signal), []),
          all(kinds.storageClasses, storageClass),
          all(kinds.leases, lease),
        ])
      const workloads = await Promise.all([
        all(kinds.deployments, (raw) => workload(raw, 'Deployment')),
        all(kinds.statefulSets, (raw) => workload(raw, 'StatefulSet')),
        all(kinds.replicaSets, (raw) => workload(raw, 'ReplicaSet')),
        all(kinds.jobs, (raw) => workload(raw, 'Job')),
        all(kinds.cronJobs, (raw) => workload(raw, 'CronJob')),
      ])
      const [validating, mutating, addons, charts, chartConfigs, customResources] = await Promise.all([
        all(kinds.validatingWebhooks, (raw) => webhooks(raw, 'ValidatingWebhookConfiguration')),
        all(kinds.mutatingWebhooks, (raw) => webhooks(raw, 'MutatingWebhookConfiguration')),
        all(kinds.addons, addon),
        all(kinds.helmCharts, (raw) => helmChart(raw, 'HelmChart')),
        all(kinds.helmChartConfigs, (raw) => helmChart(raw, 'HelmChartConfig')),
        all(kinds.customResources, customResource),
      ])
      const [namespaces, services, endpoints] = await Promise.all([
        part(calls.namespaces, listNamespaces(api, signal), undefined),
        part(calls.services, listServices(api, signal), undefined),
        part(calls.endpoints, listEndpoints(api, signal), undefined),
      ])
      // Looked at for how they were applied; what they say is not kept.
      await Promise.all([all(kinds.ingresses, () => null), all(kinds.autoscalers, () => null)])
      const unread =
        also.appliedKinds === true
          ? await groups.then(
              async (offered) => readAppliedKinds(api, offered, noteApplied, signal),
              // That the groups are not known is a failure already.
              () => [],
            )
          : undefined
      const hooks = [...validating, ...mutating].flat()
      return {
        server: api.place.server,
        uid,
        version,
        nodes,
        pods,
        pdbs,
        persistentVolumes: rawVolumes.map((raw) => persistentVolume(raw, nodes)),
        daemonSets,
        upgradePlans,
        apiGroups: Object.fromEntries(
          Object.entries(apiGroups).map(([group, versions]) => [group, [...versions]]),
        ),
        persistentVolumeClaims,
        storageClasses,
        workloads: workloads.flat(),
        webhooks: hooks,
        ...(services === undefined || endpoints === undefined
          ? {}
          : { webhookServices: webhookServices(hooks, services, endpoints) }),
        ...(namespaces === undefined ? {} : { namespaces }),
        leases: leases.filter(({ namespace }) => leaseNamespaces.includes(namespace)),
        addons,
        helmCharts: [...charts, ...chartConfigs],
        customResources,
        lastApplied: applied.toSorted((a, b) => compareText(keyOf(a), keyOf(b))),
        ...(unread === undefined ? {} : { lastAppliedUnread: unread }),
        ...(also.helmReleases === true ? { helmReleases: await readReleases(api, signal) } : {}),
        failures: failures.toSorted((a, b) => (a.what < b.what ? -1 : 1)),
      }
    },
  }
}

const calls = {
  version: { verb: 'get', resource: '/version' },
  namespace: { verb: 'get', resource: 'namespaces', name: 'kube-system' },
  nodes: { verb: 'list', resource: 'nodes' },
  pods: { verb: 'list', resource: 'pods' },
  volumes: { verb: 'list', resource: 'persistentvolumes' },
  claims: { verb: 'list', resource: 'persistentvolumeclaims' },
  namespaces: { verb: 'list', resource: 'namespaces' },
  services: { verb: 'list', resource: 'services' },
  endpoints: { verb: 'list', resource: 'endpoints' },
  secrets: { verb: 'list', resource: 'secrets' },
} as const satisfies Record<string, ApiCall>

/** Where kubelets and the control plane say that they live. */
const leaseNamespaces = ['kube-node-lease', 'kube-system']

const webhookKind = { group: 'admissionregistration.k8s.io', versions: ['v1', 'v1beta1'] }
/** `optional`: what k3s and its add-ons define; a cluster need not have them. */
const kinds = {
  // Kubernetes before 1.21 knows only `policy/v1beta1`, since 1.25 only `policy/v1`.
  budgets: { group: 'policy', versions: ['v1', 'v1beta1'], plural: 'poddisruptionbudgets' },
  daemonSets: { group: 'apps', versions: ['v1'], plural: 'daemonsets' },
  deployments: { group: 'apps', versions: ['v1'], plural: 'deployments' },
  statefulSets: { group: 'apps', versions: ['v1'], plural: 'statefulsets' },
  replicaSets: { group: 'apps', versions: ['v1'], plural: 'replicasets' },
  jobs: { group: 'batch', versions: ['v1'], plural: 'jobs' },
  // The group had a `v1` long before 1.21 had CronJobs in it: where both are offered the older one is right for both.
  cronJobs: { group: 'batch', versions: ['v1beta1', 'v1'], plural: 'cronjobs' },
  // The same holds for Ingress, which its group has had in `v1` since 1.19.
  ingresses: { group: 'networking.k8s.io', versions: ['v1beta1', 'v1'], plural: 'ingresses' },
  autoscalers: { group: 'autoscaling', versions: ['v1'], plural: 'horizontalpodautoscalers' },
  storageClasses: { group: 'storage.k8s.io', versions: ['v1'], plural: 'storageclasses' },
  leases: { group: 'coordination.k8s.io', versions: ['v1'], plural: 'leases' },
  validatingWebhooks: { ...webhookKind, plural: 'validatingwebhookconfigurations' },
  mutatingWebhooks: { ...webhookKind, plural: 'mutatingwebhookconfigurations' },
  customResources: {
    group: 'apiextensions.k8s.io',
    versions: ['v1', 'v1beta1'],
    plural: 'customresourcedefinitions',
  },
  plans: { group: 'upgrade.cattle.io', versions: ['v1'], plural: 'plans', optional: true },
  addons: { group: 'k3s.cattle.io', versions: ['v1'], plural: 'addons', optional: true },
  helmCharts: { group: 'helm.cattle.io', versions: ['v1'], plural: 'helmcharts', optional: true },
  helmChartConfigs: { group: 'helm.cattle.io', versions: ['v1'], plural: 'helmchartconfigs', optional: true },
} as const satisfies Record<string, ListedKind>

async function readVersion(api: Api, signal: AbortSignal): Promise<string> {
  const answer = await api.call(calls.version, signal, (configuration) =>
    new VersionApi(configuration).getCode(),
  )
  return parseObject('version', z.object({ gitVersion: text }), answer).gitVersion
}

async function listNodes(api: Api, signal: AbortSignal): Promise<ClusterFacts['nodes']> {
  const raw = await api.list(calls.nodes, signal, (configuration, page) =>
    new CoreV1Api(configuration).listNode(page),
  )
  return raw.map(kubeNode)
}

async function listPods(api: Api, signal: AbortSignal): Promise<ClusterFacts['pods']> {
  const raw = await api.list(calls.pods, signal, (configuration, page) =>
    new CoreV1Api(configuration).listPodForAllNamespaces(page),
  )
  return raw.map(pod)
}

async function listVolumes(api: Api, signal: AbortSignal): Promise<unknown[]> {
  return api.list(calls.volumes, signal, (configuration, page) =>
    new CoreV1Api(configuration).listPersistentVolume(page),
  )
}

async function listClaims(api: Api, signal: AbortSignal): Promise<ClusterFacts['persistentVolumeClaims']> {
  const raw = await api.list(calls.claims, signal, (configuration, page) =>
    new CoreV1Api(configuration).listPersistentVolumeClaimForAllNamespaces(page),
  )
  return raw.map(persistentVolumeClaim)
}

function keyOf({ apiVersion, kind, namespace, name }: ManifestObject): string {
  return [apiVersion, kind, namespace ?? '', name].join(' ')
}

/** The newest revision of each release that is in use; one that cannot be read makes all of them unknown. */
async function readReleases(
  api: Api,
  signal: AbortSignal,
): Promise<NonNullable<ClusterFacts['helmReleases']>> {
  try {
    const raw = await api.list(calls.secrets, signal, (configuration, page) =>
      new CoreV1Api(configuration).listSecretForAllNamespaces({
        ...page,
        fieldSelector: 'type=helm.sh/release.v1',
        labelSelector: 'owner=helm,status=deployed',
      }),
    )
    const releases = raw.map((secret) => {
      const { objects, ...release } = helmRelease(secret)
      return { ...release, objects: [...objects] }
    })
    return {
      status: 'read',
      releases: releases.toSorted(
        (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name),
      ),
    }
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    return { status: 'error', reason: error.message }
  }
}

async function listNamespaces(api: Api, signal: AbortSignal): Promise<ClusterFacts['namespaces']> {
  const raw = await api.list(calls.namespaces, signal, (configuration, page) =>
    new CoreV1Api(configuration).listNamespace(page),
  )
  return raw.map(namespaceOf)
}

async function listServices(api: Api, signal: AbortSignal): Promise<unknown[]> {
  return api.list(calls.services, signal, (configuration, page) =>
    new CoreV1Api(configuration).listServiceForAllNamespaces(page),
  )
}

/** Every Kubernetes has them; their successor, EndpointSlices, is served by some of 1.17 without anybody filling it. */
async function listEndpoints(api: Api, signal: AbortSignal): Promise<unknown[]> {
  return api.list(calls.endpoints, signal, (configuration, page) =>
    new CoreV1Api(configuration).listEndpointsForAllNamespaces(page),
  )
}

function budget(raw: unknown, version: string): PodDisruptionBudget {
  return podDisruptionBudget(raw, version === 'v1' ? 'policy/v1' : 'policy/v1beta1')
}

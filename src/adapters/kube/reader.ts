import {
  ApisApi,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  PolicyV1Api,
  VersionApi,
} from '@kubernetes/client-node'
import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { ClusterFacts, PodDisruptionBudget, UpgradePlan } from '../../core/inventory.ts'
import {
  daemonSet,
  kubeNode,
  persistentVolume,
  podDisruptionBudget,
  upgradePlan,
} from '../../core/kube-objects.ts'
import { pod } from '../../core/kube-pod.ts'
import { parseObject, text } from '../../core/kube-raw.ts'
import type { ClusterReader } from '../../migrate/ports.ts'
import type { Api } from './api.ts'
import { clusterUid } from './cluster.ts'
import { type ApiCall, callSentence } from './failure.ts'

/** API groups the server offers, with their versions. */
type Groups = ReadonlyMap<string, readonly string[]>

/**
 * Reads what the inventory wants to know. The first request decides whether there is a cluster to read at all; after it,
 * each part that cannot be read is a failure that names verb and resource.
 */
export function readerOf(api: Api): ClusterReader {
  return {
    async read(signal) {
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

      const groups = api.call(calls.groups, signal, async (configuration) =>
        groupsOf(await new ApisApi(configuration).getAPIVersions()),
      )
      const [uid, nodes, pods, pdbs, rawVolumes, daemonSets, upgradePlans] = await Promise.all([
        part(calls.namespace, clusterUid(api, signal), ''),
        part(calls.nodes, listNodes(api, signal), []),
        part(calls.pods, listPods(api, signal), []),
        part(calls.budgets, listBudgets(api, groups, signal), []),
        part(calls.volumes, listVolumes(api, signal), []),
        part(calls.daemonSets, listDaemonSets(api, signal), []),
        part(calls.plans, listUpgradePlans(api, groups, signal), []),
      ])
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
        failures: failures.toSorted((a, b) => (a.what < b.what ? -1 : 1)),
      }
    },
  }
}

const calls = {
  version: { verb: 'get', resource: '/version' },
  groups: { verb: 'get', resource: '/apis' },
  namespace: { verb: 'get', resource: 'namespaces', name: 'kube-system' },
  nodes: { verb: 'list', resource: 'nodes' },
  pods: { verb: 'list', resource: 'pods' },
  budgets: { verb: 'list', resource: 'poddisruptionbudgets.policy' },
  volumes: { verb: 'list', resource: 'persistentvolumes' },
  daemonSets: { verb: 'list', resource: 'daemonsets.apps' },
  plans: { verb: 'list', resource: 'plans.upgrade.cattle.io' },
} as const satisfies Record<string, ApiCall>

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

async function listDaemonSets(api: Api, signal: AbortSignal): Promise<ClusterFacts['daemonSets']> {
  const raw = await api.list(calls.daemonSets, signal, (configuration, page) =>
    new AppsV1Api(configuration).listDaemonSetForAllNamespaces(page),
  )
  return raw.map(daemonSet)
}

/** Kubernetes before 1.21 knows only `policy/v1beta1`, since 1.25 only `policy/v1`. */
async function listBudgets(
  api: Api,
  groups: Promise<Groups>,
  signal: AbortSignal,
): Promise<PodDisruptionBudget[]> {
  const versions = (await groups).get('policy') ?? []
  if (versions.includes('v1')) {
    const raw = await api.list(calls.budgets, signal, (configuration, page) =>
      new PolicyV1Api(configuration).listPodDisruptionBudgetForAllNamespaces(page),
    )
    return raw.map((one) => podDisruptionBudget(one, 'policy/v1'))
  }
  if (!versions.includes('v1beta1'))
    throw new MigrateError('the server offers no version of poddisruptionbudgets.policy that is known', {
      exitCode: exitCode.unexpected,
    })
  const kind = { group: 'policy', version: 'v1beta1', plural: 'poddisruptionbudgets' }
  const raw = await api.list(calls.budgets, signal, (configuration, page) =>
    new CustomObjectsApi(configuration).listClusterCustomObject({ ...kind, ...page }),
  )
  return raw.map((one) => podDisruptionBudget(one, 'policy/v1beta1'))
}

/** A cluster without system-upgrade-controller does not have the group; only then are there surely no Plans. */
async function listUpgradePlans(
  api: Api,
  groups: Promise<Groups>,
  signal: AbortSignal,
): Promise<UpgradePlan[]> {
  const kind = { group: 'upgrade.cattle.io', version: 'v1', plural: 'plans' }
  if (!(await groups).has(kind.group)) return []
  const raw = await api.list(calls.plans, signal, (configuration, page) =>
    new CustomObjectsApi(configuration).listClusterCustomObject({ ...kind, ...page }),
  )
  return raw.map(upgradePlan)
}

const rawGroups = z.object({
  groups: z.array(z.object({ name: text, versions: z.array(z.object({ version: text })) })),
})

function groupsOf(raw: unknown): Groups {
  const { groups } = parseObject('list of API groups', rawGroups, raw)
  return new Map(groups.map(({ name, versions }) => [name, versions.map(({ version }) => version)]))
}

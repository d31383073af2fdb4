import {
  AppsV1Api,
  type Configuration,
  CoordinationV1Api,
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  StorageV1Api,
  type V1DeleteOptions,
} from '@kubernetes/client-node'
import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { kubeNode } from '../../core/kube-objects.ts'
import { containerRestarts, pod } from '../../core/kube-pod.ts'
import { parseObject, text } from '../../core/kube-raw.ts'
import type { Ending, KubectlKube, NodePatch, Sending } from '../../migrate/ports.ts'
import type { Api } from './api.ts'
import { controllersOf } from './controllers.ts'
import { evictionAnswer, saysGone } from './eviction.ts'
import { type ApiCall, saysNotFound } from './failure.ts'

/** The port of the migration steps against a real API server. */
export function kubeOf(api: Api): KubectlKube {
  /** undefined only when the API server itself says that there is no such object. */
  async function find<T>(
    what: ApiCall,
    signal: AbortSignal,
    send: (configuration: Configuration) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await api.call(what, signal, send)
    } catch (error) {
      if (saysNotFound(error)) return undefined
      throw error
    }
  }

  async function rawPodsOn(node: string, signal: AbortSignal): Promise<unknown[]> {
    const fieldSelector = `spec.nodeName=${node}`
    return api.list({ verb: 'list', resource: 'pods' }, signal, (configuration, page) =>
      new CoreV1Api(configuration).listPodForAllNamespaces({ fieldSelector, ...page }),
    )
  }

  return {
    ...controllersOf(api),

    where: `${api.place.context} (${api.place.server})`,

    async node(name, signal) {
      const found = await find({ verb: 'get', resource: 'nodes', name }, signal, (configuration) =>
        new CoreV1Api(configuration).readNode({ name }),
      )
      return found === undefined ? undefined : kubeNode(found)
    },

    async podsOnNode(name, signal) {
      return (await rawPodsOn(name, signal)).map(pod)
    },

    async restarts(name, signal) {
      return (await rawPodsOn(name, signal)).flatMap(containerRestarts)
    },

    async daemonSetExists(namespace, name, signal) {
      const what = { verb: 'get', resource: 'daemonsets.apps', namespace, name } as const
      const found = await find(what, signal, (configuration) =>
        new AppsV1Api(configuration).readNamespacedDaemonSet({ namespace, name }),
      )
      return found !== undefined
    },

    async patchNode(name, patch, signal, how) {
      await api.call({ verb: 'patch', resource: 'nodes', name }, signal, (configuration) =>
        new CoreV1Api(configuration).patchNode(
          { name, body: patchBody(patch), ...dryRunQuery(how) },
          setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
        ),
      )
    },

    async evict({ namespace, name, uid }, signal, how) {
      const what = { verb: 'create', resource: 'pods/eviction', namespace, name } as const
      // Without apiVersion and kind: 1.20 refuses policy/v1, 1.35 refuses policy/v1beta1, both take neither.
      const body = { metadata: { namespace, name }, deleteOptions: deleteOptions(uid, how) }
      try {
        await api.call(
          what,
          signal,
          (configuration) =>
            new CoreV1Api(configuration).createNamespacedPodEviction({ namespace, name, body }),
          'once',
        )
        return { status: 'accepted' }
      } catch (error) {
        const answer = evictionAnswer(error)
        if (answer === undefined) throw error
        return answer
      }
    },

    async heartbeatAgeSeconds(name, signal) {
      const namespace = 'kube-node-lease'
      const what = { verb: 'get', resource: 'leases.coordination.k8s.io', namespace, name } as const
      const found = await find(what, signal, (configuration) =>
        new CoordinationV1Api(configuration).readNamespacedLeaseWithHttpInfo({ namespace, name }),
      )
      if (found === undefined) return null
      // Typed as a date, sent as a text.
      const renewed = found.data.spec?.renewTime
      if (renewed === undefined || renewed === null) return null
      return ageSeconds(String(renewed), found.headers['date'])
    },

    async attachedVolumes(name, signal) {
      const what = { verb: 'list', resource: 'volumeattachments.storage.k8s.io' } as const
      const raw = await api.list(what, signal, (configuration, page) =>
        new StorageV1Api(configuration).listVolumeAttachment(page),
      )
      return (
        raw
          .map((one) => parseObject('VolumeAttachment', rawAttachment, one))
          // Without a status nobody has said yet that it is not attached.
          .filter(({ spec, status }) => spec.nodeName === name && status?.attached !== false)
          .map(({ metadata }) => metadata.name)
      )
    },

    async clusterUid(signal) {
      return clusterUid(api, signal)
    },

    async pod(namespace, name, signal) {
      const found = await find({ verb: 'get', resource: 'pods', namespace, name }, signal, (configuration) =>
        new CoreV1Api(configuration).readNamespacedPod({ namespace, name }),
      )
      if (found === undefined) return undefined
      const { uid, deletionTimestamp } = parseObject('Pod', rawPodNow, found).metadata
      return { uid, deletionAt: deletionTimestamp ?? null }
    },

    async deletePod({ namespace, name, uid }, signal, how) {
      const what = { verb: 'delete', resource: 'pods', namespace, name } as const
      const body = deleteOptions(uid, how)
      try {
        await api.call(what, signal, (configuration) =>
          new CoreV1Api(configuration).deleteNamespacedPod({ namespace, name, body }),
        )
        return 'accepted'
      } catch (error) {
        if (saysGone(error)) return 'gone'
        throw error
      }
    },

    async servesEviction(signal) {
      const found = await api.call({ verb: 'get', resource: '/api/v1' }, signal, (configuration) =>
        new CoreV1Api(configuration).getAPIResources(),
      )
      return found.resources.some(({ name, kind }) => name === 'pods/eviction' && kind === 'Eviction')
    },
  }
}

/** UID of the namespace kube-system, which lives as long as the cluster. */
export async function clusterUid(api: Api, signal: AbortSignal): Promise<string> {
  const name = 'kube-system'
  const found = await api.call({ verb: 'get', resource: 'namespaces', name }, signal, (configuration) =>
    new CoreV1Api(configuration).readNamespace({ name }),
  )
  return parseObject('Namespace', rawNamespace, found).metadata.uid
}

const rawNamespace = z.object({ metadata: z.object({ uid: text }) })
const rawPodNow = z.object({ metadata: z.object({ uid: text, deletionTimestamp: z.date().nullish() }) })
const rawAttachment = z.object({
  metadata: z.object({ name: text }),
  spec: z.object({ nodeName: text }),
  status: z.object({ attached: z.boolean().nullish() }).nullish(),
})

function deleteOptions(uid: string, how: Ending = {}): V1DeleteOptions {
  return {
    preconditions: { uid },
    ...(how.graceSeconds === undefined || how.graceSeconds === null
      ? {}
      : { gracePeriodSeconds: how.graceSeconds }),
    ...(how.dryRun === true ? { dryRun: ['All'] } : {}),
  }
}

function dryRunQuery(how: Sending = {}): { dryRun?: string } {
  return how.dryRun === true ? { dryRun: 'All' } : {}
}

function patchBody({ unschedulable, labels, annotations, taints }: NodePatch): object {
  return {
    metadata: { labels, annotations },
    spec: {
      unschedulable,
      taints: taints?.map(({ key, value, effect }) =>
        value === '' ? { key, effect } : { key, value, effect },
      ),
    },
  }
}

/** The server's clock is nearer to the kubelet's than ours, and a wrong clock here must not make a node look alive. */
function ageSeconds(renewTime: string, serverDate: string | undefined): number {
  const renewedMs = Date.parse(renewTime)
  const nowMs = serverDate === undefined ? Date.now() : Date.parse(serverDate)
  if (!Number.isFinite(renewedMs) || !Number.isFinite(nowMs))
    throw new MigrateError(`the node's lease carries a time that cannot be read`, {
      exitCode: exitCode.unexpected,
    })
  return Math.max(0, Math.round((nowMs - renewedMs) / 1000))
}

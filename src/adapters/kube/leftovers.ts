import {
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  setHeaderOptions,
  type Configuration,
} from '@kubernetes/client-node'
import { z } from 'zod'
import { canonicalJson } from '../../core/canonical.ts'
import { upgradePlan } from '../../core/kube-objects.ts'
import { parseObject, text } from '../../core/kube-raw.ts'
import type { LeftoverStore } from '../../migrate/ports.ts'
import { sha256 } from '../files.ts'
import type { Api } from './api.ts'
import { saysNotFound, type ApiCall } from './failure.ts'
import { readGroups } from './groups.ts'
import { listKind } from './lists.ts'

const plans = { group: 'upgrade.cattle.io', versions: ['v1'], plural: 'plans', optional: true } as const
const rawMetadata = z.object({ metadata: z.object({ uid: text }) })
const rawSpec = z.object({ metadata: z.object({ uid: text }), spec: z.unknown() })

/** Only the metadata: what a Secret holds is not even sent. */
const onlyMetadata = setHeaderOptions(
  'Accept',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
)

/** Leftovers of k3OS and of runs in a real cluster. */
export function leftoverStoreOf(api: Api): LeftoverStore {
  const names = {
    plans: 'plans.upgrade.cattle.io',
    secrets: 'secrets',
    leases: 'leases.coordination.k8s.io',
  } as const

  return {
    async upgradePlans(signal) {
      const found = await listKind(api, readGroups(api, signal), plans, signal)
      return (found?.items ?? []).map((raw) => {
        const { metadata, spec } = parseObject('Plan', rawSpec, raw)
        return {
          uid: metadata.uid,
          sha256: sha256(canonicalJson(JSON.parse(JSON.stringify(spec ?? null)))),
          plan: upgradePlan(raw),
        }
      })
    },

    async uidOf({ resource, namespace, name }, signal) {
      const what: ApiCall = { verb: 'get', resource: names[resource], namespace, name }
      const one = { namespace, name }
      const send = async (configuration: Configuration): Promise<unknown> => {
        switch (resource) {
          case 'plans':
            return new CustomObjectsApi(configuration).getNamespacedCustomObject({ ...planPath, ...one })
          case 'secrets':
            return new CoreV1Api(configuration).readNamespacedSecret(one, onlyMetadata)
          case 'leases':
            return new CoordinationV1Api(configuration).readNamespacedLease(one, onlyMetadata)
        }
      }
      try {
        return parseObject(resource, rawMetadata, await api.call(what, signal, send)).metadata.uid
      } catch (error) {
        if (saysNotFound(error)) return undefined
        throw error
      }
    },

    async remove({ resource, namespace, name, uid }, signal) {
      const what: ApiCall = { verb: 'delete', resource: names[resource], namespace, name }
      const one = { namespace, name, body: { preconditions: { uid } } }
      const send = async (configuration: Configuration): Promise<unknown> => {
        switch (resource) {
          case 'plans':
            return new CustomObjectsApi(configuration).deleteNamespacedCustomObject({ ...planPath, ...one })
          case 'secrets':
            return new CoreV1Api(configuration).deleteNamespacedSecret(one)
          case 'leases':
            return new CoordinationV1Api(configuration).deleteNamespacedLease(one)
        }
      }
      try {
        await api.call(what, signal, send)
      } catch (error) {
        if (!saysNotFound(error)) throw error
      }
    },
  }
}

const planPath = { group: plans.group, version: plans.versions[0], plural: plans.plural }

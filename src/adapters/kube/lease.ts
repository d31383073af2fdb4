import { CoordinationV1Api, PatchStrategy, setHeaderOptions, V1MicroTime } from '@kubernetes/client-node'
import { z } from 'zod'
import { parseObject, text } from '../../core/kube-raw.ts'
import type { LeaseChange, LeaseState, LeaseStore } from '../../migrate/ports.ts'
import type { Api } from './api.ts'
import { ApiFailure, saysNotFound } from './failure.ts'

const namespace = 'kube-system'
const name = 'k3os-migrate'

/** The Lease `kube-system/k3os-migrate`. */
export function leaseStoreOf(api: Api): LeaseStore {
  const call = <V extends 'get' | 'create' | 'patch'>(verb: V) =>
    ({ verb, resource: 'leases.coordination.k8s.io', namespace, name }) as const

  return {
    where: `${api.place.context} (${api.place.server})`,

    async read(signal) {
      try {
        return leaseState(
          await api.call(call('get'), signal, (configuration) =>
            new CoordinationV1Api(configuration).readNamespacedLease({ namespace, name }),
          ),
        )
      } catch (error) {
        if (saysNotFound(error)) return undefined
        throw error
      }
    },

    async create(change, signal) {
      const { holder, durationSeconds, acquiredAt, renewedAt, transitions } = change
      const body = {
        metadata: { name, annotations: definite(change.annotations) },
        spec: {
          ...(typeof holder === 'string' && { holderIdentity: holder }),
          ...(durationSeconds !== undefined && { leaseDurationSeconds: durationSeconds }),
          ...(acquiredAt !== undefined && { acquireTime: new V1MicroTime(acquiredAt) }),
          ...(renewedAt !== undefined && { renewTime: new V1MicroTime(renewedAt) }),
          ...(transitions !== undefined && { leaseTransitions: transitions }),
        },
      }
      return unlessConflict(async () =>
        api.call(call('create'), signal, (configuration) =>
          new CoordinationV1Api(configuration).createNamespacedLease({ namespace, body }),
        ),
      )
    },

    async update(version, change, signal) {
      // A patch that names the version is refused when it is not the newest, and leaves alone what we do not know.
      const metadata = { resourceVersion: version, annotations: change.annotations }
      const body = { metadata, spec: leaseSpec(change) }
      return unlessConflict(async () =>
        api.call(call('patch'), signal, (configuration) =>
          new CoordinationV1Api(configuration).patchNamespacedLease(
            { namespace, name, body },
            setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
          ),
        ),
      )
    },
  }
}

async function unlessConflict(send: () => Promise<unknown>): Promise<LeaseState | undefined> {
  try {
    return leaseState(await send())
  } catch (error) {
    const lost = error instanceof ApiFailure && error.answer?.status === 409
    if (lost || saysNotFound(error)) return undefined
    throw error
  }
}

const rawLease = z.object({
  metadata: z.object({ resourceVersion: text, annotations: z.record(z.string(), z.string()).nullish() }),
  // Times are typed as dates and sent as texts.
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      acquireTime: z.unknown(),
      renewTime: z.unknown(),
      leaseTransitions: z.number().nullish(),
    })
    .nullish(),
})

function leaseState(raw: unknown): LeaseState {
  const { metadata, spec } = parseObject('Lease', rawLease, raw)
  return {
    version: metadata.resourceVersion,
    holder: spec?.holderIdentity || null,
    durationSeconds: spec?.leaseDurationSeconds ?? 0,
    acquiredAt: time(spec?.acquireTime),
    renewedAt: time(spec?.renewTime),
    transitions: spec?.leaseTransitions ?? 0,
    annotations: metadata.annotations ?? {},
  }
}

function leaseSpec(change: LeaseChange) {
  return {
    holderIdentity: change.holder,
    leaseDurationSeconds: change.durationSeconds,
    acquireTime: sixDigits(change.acquiredAt),
    renewTime: sixDigits(change.renewedAt),
    leaseTransitions: change.transitions,
  }
}

/** The API takes these times with microseconds and nothing else (kubernetes/apimachinery pkg/apis/meta/v1/micro_time.go). */
function sixDigits(iso: string | undefined): string | undefined {
  return iso?.replace(/\.(\d{3})Z$/, '.$1000Z')
}

function time(raw: unknown): string | null {
  if (raw === undefined || raw === null) return null
  const ms = typeof raw === 'string' ? Date.parse(raw) : raw instanceof Date ? raw.getTime() : Number.NaN
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null
}

function definite(annotations: LeaseChange['annotations'] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

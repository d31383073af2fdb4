import { CustomObjectsApi } from '@kubernetes/client-node'
import { z } from 'zod'
import { appliedKinds, type AppliedKind } from '../../core/applied-kinds.ts'
import { MigrateError } from '../../core/errors.ts'
import type { ClusterFacts } from '../../core/inventory.ts'
import { parseObject } from '../../core/kube-raw.ts'
import type { Api } from './api.ts'
import { type ApiCall, callSentence } from './failure.ts'
import { type Groups, listCall, listMetadata } from './lists.ts'

type Gap = NonNullable<ClusterFacts['lastAppliedUnread']>[number]

/** Lists at a time: none of them is large, and the server has other things to do. */
const lanes = 4

/**
 * Shows `note` every object of the kinds that nothing else reads, metadata only. What the server does not serve has no
 * objects; what it does not let us read comes back as a gap.
 */
export async function readAppliedKinds(
  api: Api,
  groups: Groups,
  note: (item: unknown) => void,
  signal: AbortSignal,
): Promise<Gap[]> {
  const gaps = new Map<string, Gap>()
  const served = new Map<string, Promise<ReadonlySet<string>>>()
  const resourcesOf = async (group: string, version: string): Promise<ReadonlySet<string>> => {
    const key = `${group}/${version}`
    const asked = served.get(key) ?? listable(api, key, signal)
    served.set(key, asked)
    return asked
  }

  async function read({ group, plural, versions }: AppliedKind): Promise<void> {
    for (const version of versions.filter((one) => groups.get(group)?.includes(one) === true)) {
      const resources = await unlessRefused(discovery(`${group}/${version}`), resourcesOf(group, version))
      if (resources?.has(plural) !== true) continue
      const call = listCall({ group, plural })
      const items = await unlessRefused(call, listMetadata(api, { group, version, plural }, signal))
      for (const item of items ?? []) note(item)
      return
    }
  }

  async function unlessRefused<T>(call: ApiCall, answer: Promise<T>): Promise<T | null> {
    try {
      return await answer
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      const what = callSentence(call)
      gaps.set(what, { what, reason: error.message })
      return null
    }
  }

  const left = [...appliedKinds]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let kind = left.shift(); kind !== undefined; kind = left.shift()) await read(kind)
    }),
  )
  return [...gaps.values()].toSorted((a, b) => (a.what < b.what ? -1 : 1))
}

function discovery(groupVersion: string): ApiCall {
  return { verb: 'get', resource: `/apis/${groupVersion}` }
}

const rawResources = z.object({
  resources: z.array(z.object({ name: z.string(), verbs: z.array(z.string()) })),
})

/** Plural names of what can be listed in one version of one group. */
async function listable(api: Api, groupVersion: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const [group = '', version = ''] = groupVersion.split('/')
  const answer = await api.call(discovery(groupVersion), signal, (configuration) =>
    new CustomObjectsApi(configuration).getAPIResources({ group, version }),
  )
  const { resources } = parseObject('APIResourceList', rawResources, answer)
  return new Set(resources.filter(({ verbs }) => verbs.includes('list')).map(({ name }) => name))
}

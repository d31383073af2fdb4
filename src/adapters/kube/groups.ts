import { ApisApi } from '@kubernetes/client-node'
import { z } from 'zod'
import { parseObject, text } from '../../core/kube-raw.ts'
import type { Api } from './api.ts'
import type { ApiCall } from './failure.ts'
import type { Groups } from './lists.ts'

export const groupsCall: ApiCall = { verb: 'get', resource: '/apis' }

/** API groups the server offers. */
export async function readGroups(api: Api, signal: AbortSignal): Promise<Groups> {
  return api.call(groupsCall, signal, async (configuration) =>
    groupsOf(await new ApisApi(configuration).getAPIVersions()),
  )
}

const rawGroups = z.object({
  groups: z.array(z.object({ name: text, versions: z.array(z.object({ version: text })) })),
})

function groupsOf(raw: unknown): Groups {
  const { groups } = parseObject('list of API groups', rawGroups, raw)
  return new Map(groups.map(({ name, versions }) => [name, versions.map(({ version }) => version)]))
}

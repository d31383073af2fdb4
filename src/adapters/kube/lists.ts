import { CustomObjectsApi, setHeaderOptions } from '@kubernetes/client-node'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { Api } from './api.ts'
import type { ApiCall } from './failure.ts'

/** API groups the server offers, with their versions. */
export type Groups = ReadonlyMap<string, readonly string[]>

/** A kind of object as it is asked for: the first of these versions that the server offers. */
export interface ListedKind {
  readonly group: string
  readonly plural: string
  readonly versions: readonly string[]
  /** Belongs to something that need not be installed: without the group there are surely no objects of it. */
  readonly optional?: true
}

/** `deployments.apps`, as RBAC and `kubectl` call it. */
export function listCall({ plural, group }: Pick<ListedKind, 'plural' | 'group'>): ApiCall {
  return { verb: 'list', resource: `${plural}.${group}` }
}

/** All objects of a kind as the API sends them, with the version they were asked in; null for a kind that is not installed. */
export async function listKind(
  api: Api,
  groups: Promise<Groups>,
  kind: ListedKind,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly items: unknown[] } | null> {
  const { group, plural } = kind
  const offered = (await groups).get(group)
  if (offered === undefined && kind.optional === true) return null
  const version = kind.versions.find((wanted) => offered?.includes(wanted) === true)
  if (version === undefined)
    throw new MigrateError(`the server offers no version of ${plural}.${group} that is known`, {
      exitCode: exitCode.unexpected,
    })
  // The typed classes of the library know one version of a kind each; a path is a path.
  const items = await api.list(listCall(kind), signal, (configuration, page) =>
    new CustomObjectsApi(configuration).listClusterCustomObject({ group, version, plural, ...page }),
  )
  return { version, items }
}

/** Objects without spec and status; an API server that cannot leave them out (before 1.15) sends whole ones. */
const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'

/** All objects of a kind, of which only the metadata counts. */
export async function listMetadata(
  api: Api,
  kind: { readonly group: string; readonly version: string; readonly plural: string },
  signal: AbortSignal,
): Promise<unknown[]> {
  return api.list(listCall(kind), signal, (configuration, page) =>
    new CustomObjectsApi(configuration).listClusterCustomObject(
      { ...kind, ...page },
      setHeaderOptions('Accept', metadataOnly),
    ),
  )
}

import { compareText } from '../findings.ts'
import type { AssessContext, Machine } from './context.ts'
import { bytesOf, usersOf, volumesOn } from './local-volumes.ts'
import { emptyDirsOf, evictedPods, writtenHostPaths } from './workloads.ts'

/**
 * Data that is on the disk of one machine and nowhere else. `orphan`: a volume directory that no PersistentVolume names;
 * `emptyDir` goes with its pod whatever the target is.
 */
export const dataKinds = ['datastore', 'volume', 'hostPath', 'emptyDir', 'orphan'] as const
export type DataKind = (typeof dataKinds)[number]

export interface DataItem {
  readonly kind: DataKind
  /** On the machine; null for what the API does not tell. */
  readonly path: string | null
  /** The PersistentVolume, or the name of the volume in its pod. */
  readonly volume: string | null
  /** `namespace/name` */
  readonly claim: string | null
  /** `namespace/name`, sorted. */
  readonly pods: readonly string[]
  /** Null when nobody has measured it. */
  readonly bytes: number | null
  readonly reclaimPolicy: string | null
}

const nothing = { path: null, volume: null, claim: null, pods: [], bytes: null, reclaimPolicy: null }

/** Everything a wiped disk would take with it, kind by kind. */
export function dataOf(machine: Machine, context: AssessContext): DataItem[] {
  return [
    ...datastoreOf(machine),
    ...volumesOn(machine, context).map((volume): DataItem => ({
      kind: 'volume',
      path: volume.path,
      volume: volume.name,
      claim: volume.claim === null ? null : `${volume.claim.namespace}/${volume.claim.name}`,
      pods: usersOf(volume, machine),
      bytes: bytesOf(volume, machine),
      reclaimPolicy: volume.reclaimPolicy,
    })),
    ...[...writtenHostPaths(machine)].map(([path, pods]): DataItem => ({
      ...nothing,
      kind: 'hostPath',
      path,
      pods,
      bytes: machine.facts?.usage[path] ?? null,
    })),
    ...emptyDirs(machine, context),
    ...orphansOn(machine, context),
  ]
}

function datastoreOf({ facts }: Machine): DataItem[] {
  if (facts === null || facts.k3s.role !== 'server' || facts.k3s.datastore === 'external') return []
  const path = '/var/lib/rancher/k3s/server/db'
  return [{ ...nothing, kind: 'datastore', path, bytes: facts.usage[path] ?? null }]
}

function emptyDirs(machine: Machine, context: AssessContext): DataItem[] {
  return evictedPods(machine, context)
    .flatMap((pod) =>
      emptyDirsOf(pod, machine).map(({ name, path, bytes }): DataItem => ({
        ...nothing,
        kind: 'emptyDir',
        path,
        volume: name,
        pods: [`${pod.namespace}/${pod.name}`],
        bytes,
      })),
    )
    .toSorted((a, b) => compareText(a.pods.join(' '), b.pods.join(' ')))
}

function orphansOn({ facts }: Machine, { cluster }: AssessContext): DataItem[] {
  if (facts === null || cluster === null) return []
  const known = new Set(cluster.persistentVolumes.map(({ path }) => path))
  return facts.localVolumes
    .filter(({ path }) => !known.has(path))
    .map(({ path, bytes }): DataItem => ({ ...nothing, kind: 'orphan', path, bytes }))
}

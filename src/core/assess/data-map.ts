import { compareText } from '../findings.ts'
import type { AssessContext, Machine } from './context.ts'
import { bytesOf, usersOf, volumesOn } from './local-volumes.ts'
import { emptyDirsOf, evictedPods, writtenHostPaths } from './workloads.ts'

/**
 * Data that a machine's pods and its k3s work with. `orphan`: a volume directory that no PersistentVolume names; `emptyDir`
 * goes with its pod whatever the target is.
 */
export const dataKinds = ['datastore', 'volume', 'hostPath', 'emptyDir', 'orphan'] as const
export type DataKind = (typeof dataKinds)[number]

/**
 * `disk`: of k3OS itself, which a new system may be written to. `other-disk`: one the move does not touch. `replicated`:
 * other members of etcd hold it as well. `network`: on none of the machine's disks.
 */
export const dataPlaces = ['disk', 'other-disk', 'replicated', 'network'] as const
export type DataPlace = (typeof dataPlaces)[number]

export interface DataItem {
  readonly kind: DataKind
  readonly place: DataPlace
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

/** Everything that has a fate when the machine moves, kind by kind. */
export function dataOf(machine: Machine, context: AssessContext): DataItem[] {
  return [
    ...datastoreOf(machine, context),
    ...volumesOn(machine, context).map((volume): DataItem => ({
      kind: 'volume',
      place: placeOf(volume.path, machine),
      path: volume.path,
      volume: volume.name,
      claim: volume.claim === null ? null : `${volume.claim.namespace}/${volume.claim.name}`,
      pods: usersOf(volume, machine),
      bytes: bytesOf(volume, machine),
      reclaimPolicy: volume.reclaimPolicy,
    })),
    ...networkVolumes(machine, context),
    ...[...writtenHostPaths(machine)].map(([path, pods]): DataItem => ({
      ...nothing,
      kind: 'hostPath',
      place: placeOf(path, machine),
      path,
      pods,
      bytes: machine.facts?.usage[path] ?? null,
    })),
    ...emptyDirs(machine, context),
    ...orphansOn(machine, context),
  ]
}

function datastoreOf({ facts }: Machine, { machines }: AssessContext): DataItem[] {
  if (facts === null || facts.k3s.role !== 'server') return []
  if (facts.k3s.datastore === 'external') return [{ ...nothing, kind: 'datastore', place: 'network' }]
  const path = '/var/lib/rancher/k3s/server/db'
  const members = machines.filter((other) => other.facts?.k3s.datastore === 'etcd').length
  const place = facts.k3s.datastore === 'etcd' && members > 1 ? 'replicated' : 'disk'
  return [{ ...nothing, kind: 'datastore', place, path, bytes: facts.usage[path] ?? null }]
}

/** Volumes that pods of the machine use and that lie on no disk of a node. */
function networkVolumes({ pods }: Machine, { cluster }: AssessContext): DataItem[] {
  const elsewhere = (cluster?.persistentVolumes ?? []).filter(
    ({ type, claim }) => type === 'other' && claim !== null,
  )
  if (elsewhere.length === 0) return []
  const users = new Map<string, string[]>()
  for (const pod of pods)
    for (const { claim } of pod.volumes)
      if (claim !== null) {
        const key = `${pod.namespace}/${claim}`
        users.set(key, [...(users.get(key) ?? []), `${pod.namespace}/${pod.name}`])
      }
  return elsewhere.flatMap(({ name, claim, reclaimPolicy }): DataItem[] => {
    const key = claim === null ? '' : `${claim.namespace}/${claim.name}`
    const own = users.get(key)
    if (own === undefined) return []
    const pods = own.toSorted()
    return [{ ...nothing, kind: 'volume', place: 'network', volume: name, claim: key, pods, reclaimPolicy }]
  })
}

/** By what is mounted there. A disk that is not known to be another one is taken for the one that may be written. */
function placeOf(path: string | null, { facts }: Machine): DataPlace {
  if (path === null || facts === null) return 'disk'
  const mount = facts.storage.extraMounts
    .filter((one) => path === one.path || path.startsWith(`${one.path.replace(/\/+$/, '')}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0]
  if (mount === undefined) return 'disk'
  if (mount.network) return 'network'
  const diskOf = (device: string): string | undefined => {
    const name = device.slice(device.lastIndexOf('/') + 1)
    return facts.disks.find(
      (disk) => disk.name === name || disk.partitions.some((partition) => partition.name === name),
    )?.name
  }
  const own = facts.storage.state === null ? undefined : diskOf(facts.storage.state.device)
  const other = diskOf(mount.device)
  return own !== undefined && other !== undefined && own !== other ? 'other-disk' : 'disk'
}

function emptyDirs(machine: Machine, context: AssessContext): DataItem[] {
  return evictedPods(machine, context)
    .flatMap((pod) =>
      emptyDirsOf(pod, machine).map(({ name, path, bytes }): DataItem => ({
        ...nothing,
        kind: 'emptyDir',
        place: 'disk',
        path,
        volume: name,
        pods: [`${pod.namespace}/${pod.name}`],
        bytes,
      })),
    )
    .toSorted((a, b) => compareText(a.pods.join(' '), b.pods.join(' ')))
}

function orphansOn(machine: Machine, { cluster }: AssessContext): DataItem[] {
  const { facts } = machine
  if (facts === null || cluster === null) return []
  const known = new Set(cluster.persistentVolumes.map(({ path }) => path))
  return facts.localVolumes
    .filter(({ path }) => !known.has(path))
    .map(({ path, bytes }): DataItem => ({
      ...nothing,
      kind: 'orphan',
      place: placeOf(path, machine),
      path,
      bytes,
    }))
}

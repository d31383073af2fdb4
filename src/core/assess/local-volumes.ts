import type { Finding } from '../findings.ts'
import type { PersistentVolume } from '../inventory.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'
import { isKept, toMove } from './workloads.ts'

/** Volumes whose data is on the disk of one node: the data that is lost most quietly. */
export const localVolumeChecks: readonly Check[] = [
  { rules: ['PRE-LOCALPV'], needs: ['cluster'], run: localVolumes },
  { rules: ['PRE-ORPHAN-VOLUME'], needs: ['cluster', 'machines'], run: orphans },
]

function localVolumes(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) =>
    volumesOn(machine, context).map((volume) => {
      const claim = volume.claim === null ? null : `${volume.claim.namespace}/${volume.claim.name}`
      const kept = volume.path !== null && isKept(volume.path, machine, context)
      return found(
        'PRE-LOCALPV',
        {
          node: machine.name,
          address: machine.address,
          volume: volume.name,
          claim,
          pods: usersOf(volume, machine),
          path: volume.path,
          bytes: bytesOf(volume, machine),
          reclaimPolicy: volume.reclaimPolicy,
          kept,
        },
        {
          subject: { kind: 'PersistentVolume', name: volume.name },
          // A volume without affinity can have data on several nodes.
          discriminator: machine.name,
          severity: kept ? 'info' : 'inhibitor',
        },
      )
    }),
  )
}

/** By affinity; a hostPath volume without one is where its directory or a pod that uses it is. */
export function volumesOn(machine: Machine, { cluster }: AssessContext): PersistentVolume[] {
  const own = machine.node?.labels['kubernetes.io/hostname'] ?? machine.name
  return (cluster?.persistentVolumes ?? []).filter((volume) => {
    if (volume.nodes.length > 0)
      return volume.type !== 'other' && (volume.nodes.includes(machine.name) || volume.nodes.includes(own))
    if (volume.type === 'other') return false
    return usersOf(volume, machine).length > 0 || bytesOf(volume, machine) !== null
  })
}

export function usersOf({ claim }: PersistentVolume, { pods }: Machine): string[] {
  if (claim === null) return []
  return pods
    .filter(
      (pod) => pod.namespace === claim.namespace && pod.volumes.some((volume) => volume.claim === claim.name),
    )
    .map((pod) => `${pod.namespace}/${pod.name}`)
}

export function bytesOf({ path }: PersistentVolume, { facts }: Machine): number | null {
  if (path === null || facts === null) return null
  return facts.localVolumes.find((volume) => volume.path === path)?.bytes ?? facts.usage[path] ?? null
}

function orphans(context: AssessContext): Finding[] {
  const known = new Set(context.cluster?.persistentVolumes.map(({ path }) => path))
  return toMove(context).flatMap((machine) =>
    (machine.facts?.localVolumes ?? [])
      .filter(({ path }) => !known.has(path))
      .map(({ path, bytes }) =>
        found(
          'PRE-ORPHAN-VOLUME',
          { node: machine.name, address: machine.address, path, bytes },
          { subject: aboutNode(machine), discriminator: path },
        ),
      ),
  )
}

import type { NodeFacts } from '../inventory.ts'
import type { Evidence } from './evidence.ts'
import { lookupOutput, lookupPresence } from './lookup.ts'
import { localPathDirectory, usagePaths, usageProbe } from './probes.ts'

/** Bytes below each path that exists; a path that could not be measured is a failure, not zero. */
export function readUsage(evidence: Evidence): NodeFacts['usage'] {
  const measured = usagePaths.flatMap((path) => {
    const presence = lookupPresence(evidence.bundle, path)
    if (presence.status === 'absent') return []
    const bytes = usedBytes(evidence, path)
    return bytes === null ? [] : [[path, bytes] as const]
  })
  return Object.fromEntries([...measured, ...readEmptyDirs(evidence)])
}

/** Below the kubelet's directory, wherever that is; kubernetes/kubernetes pkg/volume/emptydir/empty_dir.go. */
const emptyDirPath = /\/pods\/[^/]+\/volumes\/kubernetes\.io~empty-dir\/[^/]+$/

/**
 * Pods come and go while a node is read, and there may be hundreds of them: one that was not measured is no failure of its
 * own, its size is just not known.
 */
function readEmptyDirs(evidence: Evidence): (readonly [string, number])[] {
  const { bundle } = evidence
  const paths = [...bundle.dirs.keys()].filter((path) => emptyDirPath.test(path)).toSorted()
  const measured = paths.flatMap((path) => {
    const output = lookupOutput(bundle, usageProbe(path))
    const [, kib] = output.status === 'found' ? (/^(\d+)\s/.exec(output.value) ?? []) : []
    return kib === undefined ? [] : [[path, Number(kib) * 1024] as const]
  })
  const left = paths.length - measured.length
  if (left > 0) evidence.fail('du of emptyDir volumes', `${left} of ${paths.length} were not measured`)
  return measured
}

/** Volumes of local-path: one directory each, below the default path and wherever else the collector measured one. */
export function readLocalVolumes(evidence: Evidence): NodeFacts['localVolumes'] {
  const names = evidence.names(localPathDirectory) ?? []
  const below = names.map((name) => `${localPathDirectory}/${name}`)
  const elsewhere = [...evidence.bundle.dirs.keys()].filter((path) =>
    /\/pvc-[0-9a-f]{8}-[0-9a-f-]{27}[^/]*$/.test(path),
  )
  const paths = [...new Set([...below, ...elsewhere])].toSorted()
  return paths.map((path) => ({ path, bytes: usedBytes(evidence, path) }))
}

function usedBytes(evidence: Evidence, path: string): number | null {
  const probe = usageProbe(path)
  const output = lookupOutput(evidence.bundle, probe)
  if (output.status === 'unknown') return evidence.fail(probe, output.reason)
  const [, kib] = /^(\d+)\s/.exec(output.value) ?? []
  return kib === undefined ? evidence.fail(probe, 'the answer has an unknown form') : Number(kib) * 1024
}

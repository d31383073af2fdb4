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
  return Object.fromEntries(measured)
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

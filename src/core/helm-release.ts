import { Gunzip } from 'fflate'
import { z } from 'zod'
import { fromBase64 } from './base64.ts'
import { exitCode, MigrateError } from './errors.ts'
import { parseObject, text } from './kube-raw.ts'
import { manifestObjects, type ManifestObject } from './manifest-objects.ts'

/** What Helm 3 has installed, from the Secret it keeps of a release. Values, notes and hooks are never kept. */
interface HelmRelease {
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly objects: readonly ManifestObject[]
}

/** A Secret holds at most 1 MiB, and what it holds is packed: more than this is no release. */
const mostBytes = 32 * 1024 * 1024

const rawSecret = z.object({
  metadata: z.object({ name: text, namespace: text.nullish() }),
  data: z.object({ release: text }),
})
const rawRelease = z.object({ name: text, version: z.number(), manifest: text })

/**
 * The release of a Secret of type `helm.sh/release.v1`: base64 of the API around Helm's own base64 around gzip around JSON
 * (helm/helm pkg/storage/driver/util.go). Throws MigrateError, which names the Secret and nothing of what is in it.
 */
export function helmRelease(raw: unknown): HelmRelease {
  const { metadata, data } = parseObject('Secret', rawSecret, raw)
  const namespace = metadata.namespace ?? ''
  const unreadable = (what: string): MigrateError =>
    new MigrateError(`the Helm release in the Secret ${namespace}/${metadata.name} cannot be read: ${what}`, {
      exitCode: exitCode.unexpected,
    })
  const outer = fromBase64(data.release)
  const inner = outer === undefined ? undefined : fromBase64(new TextDecoder().decode(outer))
  if (inner === undefined) throw unreadable('it is not base64')
  // Helm read releases without gzip as well, from its own first days.
  const bytes = inner[0] === 0x1f && inner[1] === 0x8b ? unpacked(inner) : inner
  if (bytes === undefined) throw unreadable('it is not gzip, or unpacks to more than a release can be')
  const release = rawRelease.safeParse(jsonOf(bytes))
  if (!release.success) throw unreadable('it is not of the form that Helm 3 writes')
  const objects = manifestObjects(release.data.manifest)
  if (objects === undefined) throw unreadable('its manifest is not YAML')
  return { namespace, name: release.data.name, revision: release.data.version, objects }
}

/** Piece by piece, so that a small text that unpacks to gigabytes is noticed in time. */
function unpacked(packed: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let size = 0
  let ended = false
  const gunzip = new Gunzip((part, final) => {
    parts.push(part)
    size += part.length
    ended = final
  })
  const step = 4096
  try {
    for (let at = 0; at < packed.length && size <= mostBytes; at += step)
      gunzip.push(packed.subarray(at, at + step), at + step >= packed.length)
  } catch (error) {
    // fflate throws an Error with a code for what is not gzip.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
  if (!ended || size > mostBytes) return undefined
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** undefined for what is not JSON. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

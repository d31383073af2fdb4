import { z } from 'zod'
import type { ManifestObject } from './manifest-objects.ts'

const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
const rawObject = z.object({
  metadata: z.object({ annotations: z.object({ [annotation]: z.string() }) }),
})
const applied = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().nullish() }),
})

/**
 * The version in which `kubectl apply` was given an object, from the copy it leaves on it; null for what was not applied.
 * The server answers in the version it is asked for, so nothing else tells what lies in somebody's repository.
 */
export function lastApplied(raw: unknown): ManifestObject | null {
  const object = rawObject.safeParse(raw)
  if (!object.success) return null
  const copy = applied.safeParse(jsonOf(object.data.metadata.annotations[annotation]))
  if (!copy.success) return null
  const { apiVersion, kind, metadata } = copy.data
  return { apiVersion, kind, namespace: metadata.namespace ?? null, name: metadata.name }
}

/** undefined for what is not JSON: somebody wrote the annotation by hand. */
function jsonOf(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

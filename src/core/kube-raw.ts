import { z } from 'zod'
import { exitCode, MigrateError } from './errors.ts'
import type { LabelSelector } from './selector.ts'

/**
 * Shapes that several kinds of Kubernetes objects share, as the API sends them. Fields may be absent or null wherever
 * the API allows it; anything else that does not fit is an error, because a misread object is worse than none.
 */

export const text = z.string()
export const textMap = z.record(z.string(), z.string()).nullish()

export const metadata = z.object({
  name: text,
  namespace: text.nullish(),
  uid: text.nullish(),
  labels: textMap,
  annotations: textMap,
  // JSON has a text here, the client library a Date; only its presence counts.
  deletionTimestamp: z.unknown().optional(),
  ownerReferences: z
    .array(z.object({ apiVersion: text, kind: text, name: text, controller: z.boolean().nullish() }))
    .nullish(),
})

export const matchExpressions = z
  .array(z.object({ key: text, operator: text, values: z.array(text).nullish() }))
  .nullish()

export const rawSelector = z.object({ matchLabels: textMap, matchExpressions }).nullish()

export function selectorOf(raw: z.infer<typeof rawSelector>): LabelSelector | null {
  if (raw === null || raw === undefined) return null
  return {
    matchLabels: raw.matchLabels ?? {},
    matchExpressions: (raw.matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      operator,
      values: values ?? [],
    })),
  }
}

export const conditions = z.array(z.object({ type: text, status: text })).nullish()

export function conditionIsTrue(list: z.infer<typeof conditions>, type: string): boolean {
  return list?.some((condition) => condition.type === type && condition.status === 'True') ?? false
}

/** Names the kind and the field, never the value: an object may hold secrets. */
export function parseObject<T extends z.ZodType>(kind: string, shape: T, raw: unknown): z.infer<T> {
  const parsed = shape.safeParse(raw)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the object itself')
  throw new MigrateError(`the API server sent a ${kind} that cannot be read (${fields.join(', ')})`, {
    exitCode: exitCode.unexpected,
  })
}

import { z } from 'zod'
import { assessmentSchema, type Fit } from './assessment.ts'
import type { AssessedTarget } from './assess/context.ts'

const { targets, fit } = assessmentSchema.shape

/** The document `Targets`: which systems a node can move to, and with an inventory which node fits which. */
export const targetsSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Targets'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  targets,
  /** Systems that are asked for and are none, each with the reason. */
  refused: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  /** Null without an inventory. */
  fit: z.union([fit, z.null()]),
})

export interface Targets extends Pick<z.infer<typeof targetsSchema>, 'apiVersion' | 'kind' | 'metadata'> {
  readonly targets: readonly AssessedTarget[]
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  readonly fit: readonly Fit[] | null
}

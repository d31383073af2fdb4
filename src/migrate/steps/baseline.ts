import { z } from 'zod'
import type { StepContext } from '../step.ts'

const baselineSchema = z.object({
  labels: z.record(z.string(), z.string()),
  /** Those that people or their tools gave it. */
  annotations: z.record(z.string(), z.string()),
  taints: z.array(z.strictObject({ key: z.string(), value: z.string(), effect: z.string() })),
  unschedulable: z.boolean(),
  bootId: z.string(),
  systemUuid: z.string(),
  osImage: z.string(),
  kubeletVersion: z.string(),
  podCidr: z.string().nullable(),
  internalIps: z.array(z.string()),
  /** Ready pods of each controller, by `Kind namespace/name`. */
  workloads: z.record(z.string(), z.number()),
  /** Claims of its pods that were bound, as `namespace/name`; none in what older versions wrote down. */
  claims: z.array(z.string()).default([]),
})
export type Baseline = z.infer<typeof baselineSchema>

/** What the step `capture` of this attempt wrote down. */
export function baseline(context: StepContext): Baseline {
  return baselineSchema.parse(context.earlier('capture'))
}

const stagedSchema = z.object({ nonce: z.string(), files: z.record(z.string(), z.string()) })

/** What `stage` laid ready: this attempt's nonce and the digest of each file. */
export function staged(context: StepContext): z.infer<typeof stagedSchema> {
  return stagedSchema.parse(context.earlier('stage'))
}

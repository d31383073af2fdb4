import { z } from 'zod'
import { pausedNowSchema } from './paused-now.ts'

/** The document `Outcome`: always written at the end of a run, also after a failure. */
export const outcomeSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Outcome'),
  runId: z.string(),
  planDigest: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  exit: z.number(),
  /** `complete`: every node done; `paused`: resumable; `needs-operator`: someone must look first; `abandoned`: given up. */
  status: z.enum(['complete', 'partial', 'paused', 'needs-operator', 'abandoned']),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['pending', 'done', 'rolled-back', 'reverted', 'needs-operator', 'in-progress']),
      /** The last step with a result, or the one that failed. */
      step: z.string().nullable(),
      reason: z.string().nullable(),
      startedAt: z.string().nullable(),
      endedAt: z.string().nullable(),
      /** What proved the move: identity before and after. */
      proof: z
        .strictObject({
          nonce: z.string(),
          systemUuid: z.string(),
          bootIdBefore: z.string(),
          bootIdAfter: z.string(),
          osImageBefore: z.string(),
          osImageAfter: z.string(),
          kubeletVersion: z.string(),
        })
        .nullable(),
    }),
  ),
  reason: z.string().nullable(),
  /** Controllers of the cluster that stand still until the run is over. */
  paused: z.array(pausedNowSchema),
  /** The literal command to type next; null when nothing is left. */
  next: z.string().nullable(),
})
export type Outcome = z.infer<typeof outcomeSchema>

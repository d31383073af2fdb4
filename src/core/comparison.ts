import { z } from 'zod'
import { fates } from './fates.ts'
import { severities } from './findings.ts'

const place = z.strictObject({ file: z.string(), path: z.string().nullable() })

/** The document `Comparison`: what each target makes of each node, value by value. No values are in it, only their places. */
export const comparisonSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Comparison'),
  metadata: z.strictObject({ toolVersion: z.string() }),
  targets: z.array(z.strictObject({ id: z.string(), title: z.string(), rejoins: z.boolean() })),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      /** Why it could not be read; null when it was. */
      unread: z.string().nullable(),
      targets: z.array(
        z.strictObject({
          target: z.string(),
          counts: z.record(z.enum(fates), z.number()),
          values: z.array(
            z.strictObject({
              path: z.string(),
              fate: z.enum(fates),
              to: z.array(place),
              rules: z.array(z.string()),
            }),
          ),
        }),
      ),
    }),
  ),
  /** What would be missed or has to be done by hand, worst first; what is common is one. */
  losses: z.array(
    z.strictObject({
      targets: z.array(z.string()),
      nodes: z.array(z.string()),
      rule: z.string(),
      severity: z.enum(severities),
      summary: z.string(),
    }),
  ),
})
export type Comparison = z.infer<typeof comparisonSchema>

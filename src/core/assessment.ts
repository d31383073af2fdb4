import { z } from 'zod'
import { dataKinds, dataPlaces, type DataItem } from './assess/data-map.ts'
import { diskWays, fates, type DataFate } from './assess/data-fates.ts'
import type { Estimate } from './assess/estimate.ts'
import { results, severities, type Finding, type RuleId } from './findings.ts'
import { requirementsSchema } from './requirements.ts'

/** The document `Assessment`: everything that speaks against moving, and which target each node fits. No secrets. */

const nullable = <T extends z.ZodType>(type: T) => type.nullable()

const findingSchema = z.strictObject({
  /** Stable across versions and wording; what a waiver names. */
  key: z.string(),
  rule: z.templateLiteral([z.enum(['CFG', 'PRE', 'FIT', 'TRN', 'INV']), '-', z.string()]),
  severity: z.enum(severities),
  result: z.enum(results),
  title: z.string(),
  summary: z.string(),
  diagnosis: z.string(),
  subject: z.strictObject({
    kind: z.string(),
    namespace: nullable(z.string()),
    name: nullable(z.string()),
    uid: nullable(z.string()),
  }),
  nodes: z.array(z.string()),
  location: nullable(
    z.strictObject({
      file: z.string(),
      line: nullable(z.number()),
      column: nullable(z.number()),
      endLine: nullable(z.number()),
      endColumn: nullable(z.number()),
      path: nullable(z.string()),
    }),
  ),
  evidence: z.array(z.strictObject({ source: z.string(), digest: nullable(z.string()) })),
  remediations: z.array(z.strictObject({ type: z.enum(['hint', 'command', 'patch']), text: z.string() })),
  links: z.array(z.string()),
  waiver: nullable(
    z.strictObject({
      reason: z.string(),
      approvedBy: z.string(),
      expires: nullable(z.string()),
      ticket: nullable(z.string()),
    }),
  ),
})

/** `unknown`: a fact the answer depends on could not be read. */
const fitVerdicts = ['fits', 'fits with changes', 'does not fit', 'unknown'] as const
export type FitVerdict = (typeof fitVerdicts)[number]

const nodeSchema = z.strictObject({
  name: z.string(),
  /** False: nobody could read the machine; what follows is what the cluster alone tells. */
  read: z.boolean(),
  role: z.enum(['server', 'agent', 'none', 'unknown']),
  /** Pods a drain moves away. */
  evictions: z.number(),
  estimate: z.strictObject({
    seconds: z.number(),
    parts: z.array(z.strictObject({ what: z.string(), seconds: z.number(), because: z.string() })),
  }),
  /** Data that its pods and its k3s work with; what becomes of it is in `dataMap`, by kind and place. */
  data: z.array(
    z.strictObject({
      kind: z.enum(dataKinds),
      place: z.enum(dataPlaces),
      path: nullable(z.string()),
      volume: nullable(z.string()),
      claim: nullable(z.string()),
      pods: z.array(z.string()),
      bytes: nullable(z.number()),
      reclaimPolicy: nullable(z.string()),
    }),
  ),
})

export const assessmentSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Assessment'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  /** SHA-256 of the files it was made from, hex; `waivers` is null without a file. */
  inventory: z.strictObject({ sha256: z.string() }),
  waivers: nullable(z.strictObject({ sha256: z.string() })),
  summary: z.strictObject({
    /** Machines of the inventory, and how many of them were read. */
    nodes: z.number(),
    nodesRead: z.number(),
    /** Without waiver; checks that could not run are counted here too. */
    inhibitors: z.number(),
    high: z.number(),
    medium: z.number(),
    low: z.number(),
    info: z.number(),
    waived: z.number(),
  }),
  findings: z.array(findingSchema),
  /** One row per rule, so that "nothing found" and "not looked at" are told apart. */
  checks: z.array(
    z.strictObject({
      rule: z.string(),
      title: z.string(),
      result: z.enum(results),
      findings: z.number(),
      reason: nullable(z.string()),
      /** Where it could not look, by node: "nothing found" says nothing there. */
      blind: z.union([z.literal('everywhere'), z.array(z.string())]),
    }),
  ),
  targets: z.array(z.strictObject({ id: z.string(), title: z.string(), requires: requirementsSchema })),
  fit: z.array(
    z.strictObject({
      node: z.string(),
      target: z.string(),
      verdict: z.enum(fitVerdicts),
      reasons: z.array(z.strictObject({ rule: z.string(), text: z.string() })),
    }),
  ),
  /** What becomes of the data of the nodes: one row for each kind and place, what happens to the disk, and alike targets. */
  dataMap: z.array(
    z.strictObject({
      kind: z.enum(dataKinds),
      place: z.enum(dataPlaces),
      way: z.enum(diskWays),
      targets: z.array(z.string()),
      fate: z.enum(fates),
      because: z.string(),
    }),
  ),
  /** The machines to move, in the order of the inventory. */
  nodes: z.array(nodeSchema),
})

/** As read back from a file; `assess()` makes one with the narrower types of `Finding`. */
export type AssessmentDocument = z.infer<typeof assessmentSchema>

export interface RuleOutcome {
  readonly rule: RuleId
  readonly title: string
  readonly result: 'pass' | 'fail' | 'error' | 'skip'
  readonly findings: number
  readonly reason: string | null
  readonly blind: 'everywhere' | readonly string[]
}

export interface Fit {
  readonly node: string
  readonly target: string
  readonly verdict: FitVerdict
  readonly reasons: readonly { readonly rule: RuleId; readonly text: string }[]
}

export interface AssessedNode {
  readonly name: string
  readonly read: boolean
  readonly role: 'server' | 'agent' | 'none' | 'unknown'
  readonly evictions: number
  readonly estimate: Estimate
  readonly data: readonly DataItem[]
}

export interface Assessment extends Omit<
  AssessmentDocument,
  'findings' | 'checks' | 'fit' | 'dataMap' | 'nodes'
> {
  readonly nodes: readonly AssessedNode[]
  readonly findings: readonly Finding[]
  readonly checks: readonly RuleOutcome[]
  readonly fit: readonly Fit[]
  readonly dataMap: readonly DataFate[]
}

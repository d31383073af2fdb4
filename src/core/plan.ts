import { z } from 'zod'

/** The document `Plan`: what will be done to which node, in which order. Contains no secrets. */

export const stepIds = [
  'check',
  'capture',
  'stage',
  'cordon',
  'drain',
  'fingerprint',
  'reimage',
  'compare',
  'release',
  'join',
  'restore',
  'uncordon',
] as const
export type StepId = (typeof stepIds)[number]

/** What each step is called in plans, progress and reports, and how long it may take unless the plan says otherwise. */
export const stepDefaults: Readonly<Record<StepId, { readonly title: string; readonly timeoutMs: number }>> = {
  check: { title: 'check that it is still the machine of the plan', timeoutMs: minutes(5) },
  capture: { title: 'write down labels, taints and identity', timeoutMs: minutes(1) },
  stage: { title: 'render the target configuration', timeoutMs: minutes(5) },
  cordon: { title: 'cordon', timeoutMs: minutes(1) },
  drain: { title: 'drain', timeoutMs: minutes(30) },
  fingerprint: { title: 'take fingerprints of the data that stays', timeoutMs: minutes(30) },
  reimage: { title: 'reimage', timeoutMs: minutes(50) },
  compare: { title: 'compare the data with its fingerprints', timeoutMs: minutes(30) },
  release: { title: 'let k3s start', timeoutMs: minutes(10) },
  join: { title: 'prove that it rejoined', timeoutMs: minutes(10) },
  restore: { title: 'restore labels and taints', timeoutMs: minutes(1) },
  uncordon: { title: 'uncordon', timeoutMs: minutes(1) },
}

function minutes(count: number): number {
  return count * 60_000
}

/** From this step on there is no undo, only forward (rolling-migration R2; methods that declare one). */
export const pointOfNoReturn: StepId = 'reimage'

export const waiverSchema = z.strictObject({
  /** The stable key of a finding, as `assess -o json` prints it. */
  key: z.string(),
  reason: z.string().min(1),
  approvedBy: z.string().min(1),
  /** ISO date; after it the waiver is itself an inhibitor. */
  expires: z.string().nullable(),
})

export const planNodeSchema = z.strictObject({
  name: z.string(),
  role: z.enum(['server', 'agent']),
  address: z.strictObject({ host: z.string(), port: z.number(), user: z.string() }),
  /** Why it stands at this place. */
  why: z.string(),
  /** What must still be true when its turn comes; done nodes do not invalidate a plan. */
  fingerprint: z.strictObject({
    nodeUid: z.string(),
    systemUuid: z.string(),
    /** SHA-256 of the node's bundle. */
    bundleSha256: z.string(),
    /** SHA-256 over the translated files without this attempt's nonce. */
    translationSha256: z.string(),
  }),
  bundleFile: z.string(),
  /** Absolute paths whose data stays and is compared before k3s may start. */
  keptData: z.array(z.string()),
  evictions: z.number(),
  steps: z.array(z.strictObject({ id: z.enum(stepIds), title: z.string(), timeoutMs: z.number() })),
})

export const planSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Plan'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  cluster: z.strictObject({ server: z.string(), uid: z.string(), version: z.string() }),
  inventory: z.strictObject({ file: z.string(), sha256: z.string() }),
  target: z.string(),
  method: z.strictObject({
    kind: z.literal('command'),
    argv: z.array(z.string()).min(1),
    /** The user's promise that the hook leaves `/var/lib/rancher` as it is; proven by fingerprints. */
    keepsData: z.boolean(),
    hasPointOfNoReturn: z.boolean(),
  }),
  policy: z.strictObject({
    deleteEmptyDir: z.boolean(),
    /** Pods without a controller that may be evicted for good: `namespace/name`. */
    abandonPods: z.array(z.string()),
    maxAgeHours: z.number(),
  }),
  waivers: z.array(waiverSchema),
  nodes: z.array(planNodeSchema).min(1),
  /** `sha256:<hex>` of the canonical document without this field. */
  digest: z.string(),
})

export type Waiver = z.infer<typeof waiverSchema>
export type Plan = z.infer<typeof planSchema>
export type PlanNode = z.infer<typeof planNodeSchema>

import { z } from 'zod'
import { pauseSchema } from './competing.ts'
import { weekdays } from './windows.ts'

/** The document `Plan`: what will be done to which node, in which order. Contains no secrets. */

export const stepIds = [
  'check',
  'capture',
  'stage',
  'place',
  'defuse',
  'steer',
  'cordon',
  'drain',
  'probe',
  'fingerprint',
  'reimage',
  'hand-over',
  'trial',
  'return',
  'compare',
  'release',
  'join',
  'confirm',
  'restore',
  'uncordon',
  'workloads',
  'soak',
] as const
export type StepId = (typeof stepIds)[number]

/** What each step is called in plans, progress and reports, and how long it may take unless the plan says otherwise. */
export const stepDefaults: Readonly<Record<StepId, { readonly title: string; readonly timeoutMs: number }>> =
  {
    check: { title: 'check that it is still the machine of the plan', timeoutMs: minutes(5) },
    capture: { title: 'write down labels, taints and identity', timeoutMs: minutes(1) },
    stage: { title: 'render the target configuration', timeoutMs: minutes(5) },
    place: { title: 'put the new system beside k3OS', timeoutMs: minutes(30) },
    defuse: { title: 'keep upgrades and other controllers away', timeoutMs: minutes(5) },
    steer: { title: 'keep pods off the nodes that are still to move', timeoutMs: minutes(5) },
    cordon: { title: 'cordon', timeoutMs: minutes(1) },
    drain: { title: 'drain', timeoutMs: minutes(30) },
    probe: { title: 'restart k3OS once, to see that it comes back', timeoutMs: minutes(15) },
    fingerprint: { title: 'take fingerprints of the data that stays', timeoutMs: minutes(30) },
    reimage: { title: 'reimage', timeoutMs: minutes(50) },
    // Somebody has to go there first. The run may be stopped meanwhile, and resumed.
    'hand-over': { title: 'hand over for a rebuild by hand', timeoutMs: minutes(24 * 60) },
    // Longer than the deadline after which a machine goes back by itself: `plan` adds that.
    trial: { title: 'start the new system on trial', timeoutMs: minutes(15) },
    // Of `revert`, which is no part of a plan.
    return: { title: 'start k3OS again and take the new system away', timeoutMs: minutes(45) },
    compare: { title: 'compare the data with its fingerprints', timeoutMs: minutes(30) },
    release: { title: 'let k3s start', timeoutMs: minutes(10) },
    join: { title: 'prove that it rejoined', timeoutMs: minutes(10) },
    confirm: { title: 'make the new system the one that boots', timeoutMs: minutes(5) },
    restore: { title: 'restore labels and taints', timeoutMs: minutes(1) },
    uncordon: { title: 'uncordon', timeoutMs: minutes(1) },
    workloads: { title: 'see all workloads back', timeoutMs: minutes(15) },
    // Its length is the node's `soakMs`; this is what it may take besides, for a node that recovers.
    soak: { title: 'watch it for a while', timeoutMs: minutes(5) },
  }

function minutes(count: number): number {
  return count * 60_000
}

/** What a step may take beyond the plan, so that the wait inside it says what it waited for before it is cut off. */
export const stepGraceMs = minutes(1)

/** How long each kind of node is watched after it is back, unless the plan says otherwise. */
export const soakDefaults = { canaryMs: minutes(15), agentMs: minutes(5), serverMs: minutes(15) } as const

/** What a drain is like: ours, which asks again until two looks show the node empty, or `kubectl drain`'s. */
const drainModes = ['strict', 'kubectl'] as const
/**
 * A node that cannot be drained: everything is undone, or it stays cordoned until the run goes on. `auto`: it stays where a
 * person sits at the terminal and sees it; where nobody does, nothing is left behind for the next job to trip over.
 */
const drainFailures = ['auto', 'uncordon', 'pause'] as const

/** The system that is put beside k3OS: a root tree as an archive. */
const treeSchema = z.strictObject({
  /** Absolute path of the archive. */
  file: z.string(),
  /** Of the archive as it lies there. */
  sha256: z.string(),
  /** Names its folder on the node, `/os/ID`. */
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*$/),
  /** `Debian GNU/Linux 13 (trixie)`. */
  title: z.string(),
  /** What it takes unpacked. */
  mib: z.number(),
  files: z.number(),
  /** Its kernel can set up a whole cgroup v1 hierarchy. */
  cgroupV1: z.boolean(),
})
export type PlanTree = z.infer<typeof treeSchema>

const windowSchema = z.strictObject({
  /** Days on which it starts. */
  days: z.array(z.enum(weekdays)).min(1),
  start: z.string(),
  end: z.string(),
  timeZone: z.string(),
})

export const waiverSchema = z.strictObject({
  /** The stable key of a finding, as `assess -o json` prints it; or a rule, for all its findings within `scope`. */
  key: z.string(),
  /** What it must be about. A rule without a scope would accept what nobody has looked at. */
  scope: z
    .strictObject({
      node: z.string().optional(),
      namespace: z.string().optional(),
      name: z.string().optional(),
    })
    .optional(),
  reason: z.string().min(1),
  approvedBy: z.string().min(1),
  /** ISO date; after it the waiver is itself an inhibitor. */
  expires: z.string().nullable(),
  /** Where it was decided. */
  ticket: z.string().optional(),
})

export const planNodeSchema = z.strictObject({
  name: z.string(),
  role: z.enum(['server', 'agent']),
  address: z.strictObject({ host: z.string(), port: z.number(), user: z.string() }),
  /** Why it stands at this place. */
  why: z.string(),
  /** Moved first and watched longest, to lose as little as possible if something is wrong. */
  canary: z.boolean(),
  /** What must still be true when its turn comes; done nodes do not invalidate a plan. */
  fingerprint: z.strictObject({
    nodeUid: z.string(),
    systemUuid: z.string(),
    /** Of the disk with K3OS_STATE; null when the disk does not tell it. */
    diskSerial: z.string().nullable(),
    /** SHA-256 of each source of its k3OS configuration, by path. */
    config: z.record(z.string(), z.string()),
    /** The Node object: versions as they are, labels and taints as SHA-256. */
    baseline: z.record(z.string(), z.string()),
    /** SHA-256 of each volume whose data is on its disk, by name. */
    volumes: z.record(z.string(), z.string()),
    /** SHA-256 of the node's bundle. */
    bundleSha256: z.string(),
    /** SHA-256 over the translated files without this attempt's nonce. */
    translationSha256: z.string(),
  }),
  bundleFile: z.string(),
  /** Absolute paths whose data stays and is compared before k3s may start. */
  keptData: z.array(z.string()),
  evictions: z.number(),
  /** How long it is watched after it takes pods again. */
  soakMs: z.number(),
  steps: z.array(z.strictObject({ id: z.enum(stepIds), title: z.string(), timeoutMs: z.number() })),
})

export const planSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Plan'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  cluster: z.strictObject({ server: z.string(), uid: z.string(), version: z.string() }),
  inventory: z.strictObject({ file: z.string(), sha256: z.string() }),
  target: z.string(),
  /** How the machines get their new system: `methods.ts`. */
  method: z.discriminatedUnion('kind', [
    z.strictObject({
      /** The user's own program rebuilds the machine. */
      kind: z.literal('command'),
      argv: z.array(z.string()).min(1),
      /** The user's promise that `/var/lib/rancher` is left as it is; proven by fingerprints. */
      keepsData: z.boolean(),
      hasPointOfNoReturn: z.boolean(),
    }),
    z.strictObject({
      /** The user does it by hand, and the run waits for the proof. */
      kind: z.literal('manual'),
      keepsData: z.boolean(),
      hasPointOfNoReturn: z.boolean(),
    }),
    z.strictObject({
      /** Beside k3OS on the same disk, booted on trial. */
      kind: z.literal('in-place'),
      keepsData: z.boolean(),
      hasPointOfNoReturn: z.boolean(),
      tree: treeSchema,
      /** A system on trial that nobody has confirmed goes back to k3OS so long after its kernel started. */
      deadlineSeconds: z.number(),
    }),
  ]),
  policy: z.strictObject({
    deleteEmptyDir: z.boolean(),
    /** Pods without a controller that may be evicted for good: `namespace/name`. */
    abandonPods: z.array(z.string()),
    drainMode: z.enum(drainModes),
    onDrainFailure: z.enum(drainFailures),
    maxAgeHours: z.number(),
    /** When a node may be taken past its point of no return; empty = at any time. */
    windows: z.array(windowSchema),
  }),
  waivers: z.array(waiverSchema),
  /** Of the file the waivers came from; null without one. */
  waiversSha256: z.string().nullable(),
  /**
   * SHA-256 of each object of the cluster that gates looked at: budgets, upgrade Plans, directories pods write to. A node
   * is refused when one that concerns it is new or different; pods that moved meanwhile change nothing here.
   */
  gates: z.record(z.string(), z.string()),
  /** Controllers that work on nodes by themselves: stopped before the first node, let go on after the last. */
  pauses: z.array(pauseSchema),
  nodes: z.array(planNodeSchema).min(1),
  /** `sha256:<hex>` of the canonical document without this field. */
  digest: z.string(),
})

/** The most that these steps may take. */
export function stepsMs(steps: PlanNode['steps']): number {
  return steps.reduce((sum, { timeoutMs }) => sum + timeoutMs + stepGraceMs, 0)
}

export type Waiver = z.infer<typeof waiverSchema>
export type Plan = z.infer<typeof planSchema>
export type PlanNode = z.infer<typeof planNodeSchema>

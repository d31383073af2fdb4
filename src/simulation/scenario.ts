import { parseDocument } from 'yaml'
import { z } from 'zod'
import { exitCode, MigrateError } from '../core/errors.ts'

/**
 * One file describes a cluster: its machines, their k3OS files, and what runs on them. The demo, the simulated ports, the
 * test cluster on a real API server and the k3OS-shaped roots behind a real sshd are all filled from such files.
 */
const volumeSchema = z.union([
  z.strictObject({ emptyDir: z.string() }),
  z.strictObject({ hostPath: z.string() }),
  z.strictObject({ claim: z.string() }),
])

const workloadSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet', 'Pod']),
  /** Where its pods are at the beginning; one entry a pod. DaemonSets run on every node. */
  on: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  requests: z.record(z.string(), z.string()).default({}),
  volumes: z.array(volumeSchema).default([]),
  graceSeconds: z.number().default(30),
  priority: z.number().default(0),
})

const nodeSchema = z.strictObject({
  name: z.string(),
  role: z.enum(['server', 'agent']),
  address: z.string(),
  gateway: z.string().default('192.0.2.1'),
  k3os: z.string(),
  k3s: z.string(),
  kernel: z.string(),
  machine: z.strictObject({
    board: z.string(),
    cpu: z.string(),
    cores: z.number(),
    flags: z.string(),
    memoryMib: z.number(),
    diskMib: z.number(),
    freeMib: z.number(),
    firmware: z.enum(['bios', 'uefi']),
    uuid: z.string(),
    mac: z.string(),
    driver: z.string(),
  }),
  /** k3OS's own sources, by path on the node: `/k3os/system/config.yaml`, `/proc/cmdline`, … */
  files: z.record(z.string(), z.string()),
  /** Set with kubectl, in no configuration. */
  labels: z.record(z.string(), z.string()).default({}),
  taints: z.array(z.strictObject({ key: z.string(), value: z.string(), effect: z.string() })).default([]),
  nodePassword: z.string(),
})

const scenarioSchema = z.strictObject({
  about: z.string(),
  cluster: z.strictObject({ version: z.string(), uid: z.string(), token: z.string() }),
  nodes: z.array(nodeSchema).min(1),
  workloads: z.array(workloadSchema).default([]),
  budgets: z
    .array(
      z.strictObject({
        namespace: z.string(),
        name: z.string(),
        matchLabels: z.record(z.string(), z.string()),
        minAvailable: z.number(),
      }),
    )
    .default([]),
  localVolumes: z
    .array(
      z.strictObject({
        name: z.string(),
        node: z.string(),
        namespace: z.string(),
        claim: z.string(),
        bytes: z.number(),
      }),
    )
    .default([]),
  /** k3OS's own upgrade controller and its Plan, as k3OS 0.9 and later install them. */
  upgradePlan: z.boolean().default(true),
})

export type Scenario = z.infer<typeof scenarioSchema>
export type ScenarioNode = Scenario['nodes'][number]
export type ScenarioWorkload = Scenario['workloads'][number]

/** Reads a scenario file; a mistake in it names file and field (exit 65). */
export function parseScenario(text: string, file: string): Scenario {
  const document = parseDocument(text, { merge: true })
  const [error] = document.errors
  if (error !== undefined) {
    const [start] = error.linePos ?? []
    throw new MigrateError(error.message.split('\n')[0] ?? 'not YAML', {
      exitCode: exitCode.badInput,
      position: { file, ...(start === undefined ? {} : { line: start.line, column: start.col }) },
    })
  }
  const result = scenarioSchema.safeParse(document.toJS())
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new MigrateError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a scenario'}`, {
    exitCode: exitCode.badInput,
    position: { file },
  })
}

/** Directory of a local-path volume, as the provisioner names it (rancher/local-path-provisioner provisioner.go). */
export function localVolumePath(volume: Scenario['localVolumes'][number]): string {
  return `/var/lib/rancher/k3s/storage/${volume.name}_${volume.namespace}_${volume.claim}`
}

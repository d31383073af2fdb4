import { z } from 'zod'

/**
 * Kinds of objects of a cluster that the inventory keeps besides nodes, pods, budgets and volumes, reduced to what a move
 * has to know. Parts of `ClusterFacts`; `null` = the object does not say.
 */

const known = <T extends z.ZodType>(type: T) => type.nullable()
const named = { namespace: z.string(), name: z.string() }

export const selectorSchema = z.strictObject({
  matchLabels: z.record(z.string(), z.string()),
  matchExpressions: z.array(
    z.strictObject({ key: z.string(), operator: z.string(), values: z.array(z.string()) }),
  ),
})

export const claimSchema = z.strictObject({
  ...named,
  /** `Bound`, `Pending`, `Lost`. */
  phase: z.string(),
  storageClass: known(z.string()),
  volume: known(z.string()),
  accessModes: z.array(z.string()),
  requested: known(z.string()),
})

export const storageClassSchema = z.strictObject({
  name: z.string(),
  provisioner: z.string(),
  isDefault: z.boolean(),
  reclaimPolicy: z.string(),
  /** `Immediate` or `WaitForFirstConsumer`. */
  bindingMode: z.string(),
})

export const workloadKinds = ['Deployment', 'StatefulSet', 'ReplicaSet', 'Job', 'CronJob'] as const

export const workloadSchema = z.strictObject({
  kind: z.enum(workloadKinds),
  ...named,
  /** Pods it wants (a Job: completions still to come; a CronJob: 0) and how many of them are ready. */
  desired: z.number(),
  ready: z.number(),
  selector: known(selectorSchema),
  /** The owner reference with `controller: true`, as `Kind/name`. */
  controller: known(z.string()),
  paused: z.boolean(),
})

export const daemonSetSchema = z.strictObject({
  ...named,
  /** Nodes that are to run it, and pods of it that are ready; missing where only names were kept. */
  desired: z.number().optional(),
  ready: z.number().optional(),
})

export const namespaceSchema = z.strictObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
})

export const webhookSchema = z.strictObject({
  kind: z.enum(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']),
  configuration: z.string(),
  name: z.string(),
  /** `Fail` refuses what it guards while nobody answers. */
  failurePolicy: z.string(),
  timeoutSeconds: known(z.number()),
  /** The Service that answers; null for a URL outside of the cluster. */
  service: known(z.strictObject(named)),
  /** `operations resources` of each rule: `CREATE,UPDATE pods`. */
  rules: z.array(z.string()),
  /** Namespaces whose objects it is asked about; null = all of them, missing = not kept. */
  namespaceSelector: known(selectorSchema).optional(),
})

/** A Service that a webhook names, and who answers for it. */
export const webhookServiceSchema = z.strictObject({
  ...named,
  /** False: the webhook names a Service that is not there. */
  exists: z.boolean(),
  /** Of its Endpoints. */
  ready: z.array(z.strictObject({ node: known(z.string()), pod: known(z.string()) })),
  notReady: z.number(),
})

export const leaseSchema = z.strictObject({
  ...named,
  holder: known(z.string()),
  /** As the API writes it; null when it was never renewed. */
  renewedAt: known(z.string()),
})

/** `addons.k3s.cattle.io`: a manifest on a server's disk that k3s keeps applied. */
export const addonSchema = z.strictObject({ ...named, source: known(z.string()) })

/** `helmcharts.helm.cattle.io` and `helmchartconfigs.helm.cattle.io`. Values may be secret and are left out. */
export const helmChartSchema = z.strictObject({
  kind: z.enum(['HelmChart', 'HelmChartConfig']),
  ...named,
  chart: known(z.string()),
  version: known(z.string()),
  repo: known(z.string()),
  targetNamespace: known(z.string()),
})

export const manifestObjectSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: known(z.string()),
  name: z.string(),
})

/** A release of Helm 3: which objects its manifest names, and nothing of its values. */
export const helmReleaseSchema = z.strictObject({
  ...named,
  revision: z.number(),
  objects: z.array(manifestObjectSchema),
})

export const customResourceSchema = z.strictObject({
  /** `plans.upgrade.cattle.io` */
  name: z.string(),
  servedVersions: z.array(z.string()),
})

/** What the scheduler looks at when it seeks a place for a pod. */
export const schedulingSchema = z.strictObject({
  nodeSelector: z.record(z.string(), z.string()),
  tolerations: z.array(
    z.strictObject({
      /** Empty with `Exists`: everything. */
      key: z.string(),
      operator: z.enum(['Exists', 'Equal']),
      value: z.string(),
      /** Empty: every effect. */
      effect: z.string(),
      seconds: known(z.number()),
    }),
  ),
  /** `spec.affinity` and `spec.topologySpreadConstraints` as the API writes them. */
  affinity: known(z.record(z.string(), z.unknown())),
  topologySpread: z.array(z.record(z.string(), z.unknown())),
  hostPorts: z.array(z.strictObject({ protocol: z.string(), port: z.number(), ip: known(z.string()) })),
  hostNetwork: z.boolean(),
  schedulerName: z.string(),
  priorityClass: known(z.string()),
})

export type PersistentVolumeClaim = z.infer<typeof claimSchema>
export type StorageClass = z.infer<typeof storageClassSchema>
export type Workload = z.infer<typeof workloadSchema>
export type Webhook = z.infer<typeof webhookSchema>
export type WebhookService = z.infer<typeof webhookServiceSchema>
export type Namespace = z.infer<typeof namespaceSchema>
export type Lease = z.infer<typeof leaseSchema>
export type Addon = z.infer<typeof addonSchema>
export type HelmChart = z.infer<typeof helmChartSchema>
export type CustomResource = z.infer<typeof customResourceSchema>
export type PodScheduling = z.infer<typeof schedulingSchema>

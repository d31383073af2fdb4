import { z } from 'zod'
import {
  addonSchema,
  claimSchema,
  customResourceSchema,
  daemonSetSchema,
  helmChartSchema,
  helmReleaseSchema,
  leaseSchema,
  manifestObjectSchema,
  namespaceSchema,
  schedulingSchema,
  selectorSchema,
  storageClassSchema,
  webhookSchema,
  webhookServiceSchema,
  workloadSchema,
} from './cluster-objects.ts'
import {
  bootSchema,
  certificateSchema,
  devicesSchema,
  serviceSchema,
  storageSchema,
} from './machine-facts.ts'

/**
 * What is known about nodes and cluster, as read; the document `Inventory`. Nothing here is a secret: secret values stay
 * in the bundles (0600) that `bundle` points at. Import the types from here, the schemas only where a document is read.
 */

const known = <T extends z.ZodType>(type: T) => type.nullable()

/** A reading that failed is kept as what it is; it never looks like "none". */
const failure = z.strictObject({ what: z.string(), reason: z.string() })

export const diskSchema = z.strictObject({
  name: z.string(),
  sizeMib: z.number(),
  model: known(z.string()),
  serial: known(z.string()),
  /** `sata`, `nvme`, `usb`, `virtio`, `mmc`, … */
  transport: known(z.string()),
  partitions: z.array(
    z.strictObject({
      name: z.string(),
      sizeMib: z.number(),
      fsType: known(z.string()),
      label: known(z.string()),
      uuid: known(z.string()),
      mountpoint: known(z.string()),
    }),
  ),
})

export const interfaceSchema = z.strictObject({
  name: z.string(),
  mac: z.string(),
  /** `UP`, `DOWN`, `UNKNOWN` as the kernel says. */
  state: z.string(),
  /** CIDR texts, scope global only: `192.168.1.10/24`. */
  addresses: z.array(z.string()),
  /** Kernel driver; null for virtual ports. */
  driver: known(z.string()),
  wireless: z.boolean(),
})

export const datastores = ['sqlite', 'etcd', 'external', 'dqlite', 'none', 'unknown'] as const

/** Facts read on the node itself. `null` = could not be read; the reason is in `failures`. */
export const nodeFactsSchema = z.strictObject({
  hostname: known(z.string()),
  os: z.strictObject({ id: known(z.string()), version: known(z.string()), prettyName: known(z.string()) }),
  kernel: known(z.string()),
  /** `uname -m`: `x86_64`, `aarch64`, `armv7l`. */
  machine: known(z.string()),
  mode: known(z.string()),
  install: z.enum(['disk', 'overlay', 'live', 'unknown']),
  firmware: z.enum(['uefi', 'bios', 'unknown']),
  /** Targets of the `current` and `previous` links of each k3OS component. */
  components: z.record(
    z.string(),
    z.strictObject({ current: known(z.string()), previous: known(z.string()) }),
  ),
  /** Versions of each component that lie on the disk; k3OS never deletes one. */
  installed: z.record(z.string(), z.array(z.string())),
  markers: z.array(z.string()),
  /** What k3OS's own program says of the configuration: `rejected` = it applies nothing of it at the next boot. */
  ownConfiguration: z.enum(['merged', 'rejected', 'unknown']),
  boot: bootSchema,
  cpu: z.strictObject({
    model: known(z.string()),
    cores: known(z.number()),
    flags: z.array(z.string()),
    /** 1-4 for x86-64-v1 … v4; null on other architectures or when unreadable. */
    x86Level: known(z.number()),
  }),
  memoryMib: known(z.number()),
  boardModel: known(z.string()),
  systemUuid: known(z.string()),
  bootId: known(z.string()),
  machineId: known(z.string()),
  cgroup: z.enum(['v1', 'v2', 'hybrid', 'unknown']),
  disks: z.array(diskSchema),
  storage: storageSchema,
  /** Free and total space of STATE (the file system of `/var/lib/rancher`). */
  state: z.strictObject({ totalMib: known(z.number()), freeMib: known(z.number()) }),
  interfaces: z.array(interfaceSchema),
  defaultGateways: z.array(z.strictObject({ via: z.string(), device: z.string() })),
  nameservers: z.array(z.string()),
  k3s: z.strictObject({
    version: known(z.string()),
    role: z.enum(['server', 'agent', 'none', 'unknown']),
    datastore: z.enum(datastores),
    hasNodePassword: known(z.boolean()),
  }),
  service: serviceSchema,
  /** Of k3s's server and agent, one for each in a file. */
  certificates: z.array(certificateSchema),
  devices: devicesSchema,
  /** Kernel modules that are loaded, sorted. */
  modules: z.array(z.string()),
  /** Bytes used below the paths whose data may have to stay: `/var/lib/rancher/k3s/storage`, … */
  usage: z.record(z.string(), z.number()),
  /** One directory per local-path volume found on the node, with bytes. */
  localVolumes: z.array(z.strictObject({ path: z.string(), bytes: known(z.number()) })),
  sshHostKeys: z.array(z.strictObject({ type: z.string(), sha256: z.string(), publicKey: z.string() })),
  /** Clock of the node minus clock of the collector, seconds. */
  clockOffsetSeconds: known(z.number()),
  failures: z.array(failure),
})

/** The Node object, reduced to what later steps compare. */
export const kubeNodeSchema = z.strictObject({
  name: z.string(),
  uid: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  taints: z.array(z.strictObject({ key: z.string(), value: z.string(), effect: z.string() })),
  unschedulable: z.boolean(),
  ready: z.boolean(),
  /** `True`, `False` or `Unknown` by type: `DiskPressure`, …; missing in inventories that were taken before it was kept. */
  conditions: z.record(z.string(), z.string()).optional(),
  podCidr: known(z.string()),
  addresses: z.array(z.strictObject({ type: z.string(), address: z.string() })),
  bootId: z.string(),
  machineId: z.string(),
  systemUuid: z.string(),
  osImage: z.string(),
  kernelVersion: z.string(),
  kubeletVersion: z.string(),
  architecture: z.string(),
  allocatable: z.record(z.string(), z.string()),
})

export const podSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  node: known(z.string()),
  phase: z.string(),
  ready: z.boolean(),
  terminating: z.boolean(),
  labels: z.record(z.string(), z.string()),
  /** The owner reference with `controller: true`. */
  controller: known(z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() })),
  /** Carries the annotation `kubernetes.io/config.mirror`. */
  mirror: z.boolean(),
  priority: z.number(),
  graceSeconds: z.number(),
  requests: z.record(z.string(), z.string()),
  volumes: z.array(
    z.strictObject({
      name: z.string(),
      /** `emptyDir`, `emptyDir-memory`, `hostPath`, `persistentVolumeClaim`, `configMap`, `secret`, `projected`, `other`. */
      type: z.string(),
      path: known(z.string()),
      claim: known(z.string()),
      readOnly: z.boolean(),
    }),
  ),
  scheduling: schedulingSchema,
})

export const pdbSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  /** `policy/v1` or `policy/v1beta1`: an empty selector means everything in the first and nothing in the second. */
  apiVersion: z.string(),
  selector: known(selectorSchema),
  minAvailable: known(z.union([z.string(), z.number()])),
  maxUnavailable: known(z.union([z.string(), z.number()])),
  disruptionsAllowed: z.number(),
  currentHealthy: z.number(),
  desiredHealthy: z.number(),
  expectedPods: z.number(),
})

export const persistentVolumeSchema = z.strictObject({
  name: z.string(),
  storageClass: known(z.string()),
  /** `local`, `hostPath`, or `other`. */
  type: z.enum(['local', 'hostPath', 'other']),
  path: known(z.string()),
  /** Node names its affinity allows; empty = no affinity. */
  nodes: z.array(z.string()),
  reclaimPolicy: z.string(),
  claim: known(z.strictObject({ namespace: z.string(), name: z.string() })),
  capacity: known(z.string()),
})

export const upgradePlanSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  image: known(z.string()),
  /** The node selector as `kubectl` prints it; null when the Plan has none. */
  nodeSelector: known(selectorSchema),
})

export const clusterFactsSchema = z.strictObject({
  server: z.string(),
  /** UID of the namespace kube-system: the identity of the cluster. */
  uid: z.string(),
  version: z.string(),
  nodes: z.array(kubeNodeSchema),
  pods: z.array(podSchema),
  pdbs: z.array(pdbSchema),
  persistentVolumes: z.array(persistentVolumeSchema),
  daemonSets: z.array(daemonSetSchema),
  upgradePlans: z.array(upgradePlanSchema),
  /** API groups with the versions served; the core group is not among them. */
  apiGroups: z.record(z.string(), z.array(z.string())),
  persistentVolumeClaims: z.array(claimSchema),
  storageClasses: z.array(storageClassSchema),
  workloads: z.array(workloadSchema),
  webhooks: z.array(webhookSchema),
  /** Services that webhooks name; missing when they, or who answers for them, were not read. */
  webhookServices: z.array(webhookServiceSchema).optional(),
  /** Missing when they were not read. */
  namespaces: z.array(namespaceSchema).optional(),
  /** Of `kube-node-lease` and `kube-system`. */
  leases: z.array(leaseSchema),
  addons: z.array(addonSchema),
  helmCharts: z.array(helmChartSchema),
  customResources: z.array(customResourceSchema),
  /** Objects that `kubectl apply` was given in a version that ends; missing in inventories taken before it was kept. */
  lastApplied: z.array(manifestObjectSchema).optional(),
  /** Kinds whose objects could not be looked at for that; missing when only kinds were looked at that are kept anyway. */
  lastAppliedUnread: z.array(failure).optional(),
  /** What Helm has installed, when that was asked for: it takes the right to read Secrets. */
  helmReleases: z
    .discriminatedUnion('status', [
      z.strictObject({ status: z.literal('read'), releases: z.array(helmReleaseSchema) }),
      z.strictObject({ status: z.literal('error'), reason: z.string() }),
    ])
    .optional(),
  failures: z.array(failure),
})

const nodeEntryBase = { name: z.string(), address: known(z.string()) }

export const inventoryNodeSchema = z.discriminatedUnion('status', [
  z.strictObject({
    ...nodeEntryBase,
    status: z.literal('read'),
    /** When and how: `ssh rancher@10.0.0.5:22`, `bundle n1.bundle`. */
    readAt: z.string(),
    how: z.string(),
    /** File beside the inventory with everything that was read, secrets included (0600), and its SHA-256. */
    bundle: z.strictObject({ file: z.string(), sha256: z.string() }),
    facts: nodeFactsSchema,
  }),
  z.strictObject({ ...nodeEntryBase, status: z.literal('error'), reason: z.string() }),
])

export const inventorySchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Inventory'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  /** null when no API server was asked; `error` when it was and did not answer. */
  cluster: known(
    z.discriminatedUnion('status', [
      z.strictObject({ status: z.literal('read'), readAt: z.string(), facts: clusterFactsSchema }),
      z.strictObject({ status: z.literal('error'), reason: z.string() }),
    ]),
  ),
  nodes: z.array(inventoryNodeSchema),
})

export type Disk = z.infer<typeof diskSchema>
export type NetworkInterface = z.infer<typeof interfaceSchema>
export type Datastore = (typeof datastores)[number]
export type NodeFacts = z.infer<typeof nodeFactsSchema>
export type KubeNode = z.infer<typeof kubeNodeSchema>
export type Pod = z.infer<typeof podSchema>
export type PodDisruptionBudget = z.infer<typeof pdbSchema>
export type PersistentVolume = z.infer<typeof persistentVolumeSchema>
export type UpgradePlan = z.infer<typeof upgradePlanSchema>
export type ClusterFacts = z.infer<typeof clusterFactsSchema>
export type InventoryNode = z.infer<typeof inventoryNodeSchema>
export type Inventory = z.infer<typeof inventorySchema>

import type { Bundle } from './bundle.ts'
import { canonicalJson } from './canonical.ts'
import { classifyPods, owningDaemonSet } from './drain.ts'
import { exitCode, MigrateError } from './errors.ts'
import { lookupFile, lookupNames } from './facts/lookup.ts'
import { compareText } from './findings.ts'
import type { ClusterFacts, KubeNode, NodeFacts, Pod } from './inventory.ts'
import { upgradeLabels } from './k3os-upgrades.ts'
import { dropInDirectory, sourcePaths } from './k3os/sources.ts'
import type { Plan, PlanNode } from './plan.ts'
import { budgetGuards, matchesSelector } from './selector.ts'

/**
 * What a plan rests on, small enough to be written into it, and what has changed since. Each part is a digest with a name,
 * so that a refusal can say what it is about. Nothing here changes by carrying out the plan itself: pods that have moved,
 * marks and taints of a run, nodes that are done.
 */

type Digests = Readonly<Record<string, string>>
type Sha256 = (content: string | Uint8Array) => string

/** Taint of a run on nodes that are still to move: new pods rather go elsewhere. */
export const softTaint = 'k3os-migrate/still-to-move'

/** Taints the cluster itself puts on a node and takes away again. */
export const clusterTaints = /^(node\.kubernetes\.io\/|node\.cloudprovider\.kubernetes\.io\/)/

/** The Node object as far as a move depends on it. */
export function baselineOf(node: KubeNode, sha256: Sha256): Digests {
  const taints = node.taints
    .filter(({ key }) => key !== softTaint && !clusterTaints.test(key))
    .map(({ key, value, effect }) => `${key}=${value}:${effect}`)
  const labels = Object.fromEntries(Object.entries(node.labels).filter(([key]) => !upgradeLabels.test(key)))
  return {
    labels: sha256(canonicalJson(labels)),
    taints: sha256(canonicalJson(taints.toSorted(compareText))),
    cordoned: String(node.unschedulable),
    'pod network': node.podCidr ?? 'none',
    system: node.osImage,
    'k3s version': node.kubeletVersion,
  }
}

/** Each source of the k3OS configuration that the bundle has. One that exists and could not be read has no digest. */
export function configDigests(bundle: Bundle, sha256: Sha256): Digests {
  const names = lookupNames(bundle, dropInDirectory)
  const dropIns = names.status === 'found' ? names.value.map((name) => `${dropInDirectory}/${name}`) : []
  const digests: Record<string, string> = {}
  for (const path of [...Object.values(sourcePaths), ...dropIns]) {
    const file = lookupFile(bundle, path)
    if (file.status === 'found') digests[path] = sha256(file.value.bytes)
    if (file.status === 'unknown') digests[path] = `unreadable: ${file.reason}`
  }
  return digests
}

/** Serial number of the disk k3OS is on; null when it does not tell it, or when nobody knows which disk it is. */
export function stateDiskSerial({ disks }: NodeFacts): string | null {
  const holding = disks.filter(({ partitions }) => partitions.some(({ label }) => label === 'K3OS_STATE'))
  const [disk, another] = holding.length > 0 ? holding : disks
  return another === undefined ? (disk?.serial ?? null) : null
}

/** Volumes whose data is on this node's disk. */
export function volumesOf(
  node: KubeNode,
  cluster: Pick<ClusterFacts, 'persistentVolumes'>,
  sha256: Sha256,
): Digests {
  const own = [node.name, node.labels['kubernetes.io/hostname'] ?? node.name]
  return Object.fromEntries(
    cluster.persistentVolumes
      .filter(({ nodes, type }) => type !== 'other' && nodes.some((name) => own.includes(name)))
      .map(({ name, path, claim, reclaimPolicy }): Gate => [
        name,
        sha256(canonicalJson({ path, claim, reclaimPolicy })),
      ])
      .toSorted(byName),
  )
}

/** Everything of the cluster that a gate of any node looked at. */
export function clusterGates(
  cluster: Pick<ClusterFacts, 'pdbs' | 'upgradePlans' | 'pods'>,
  sha256: Sha256,
): Digests {
  const all = [
    ...cluster.pdbs.map((budget) => budgetGate(budget, sha256)),
    ...cluster.upgradePlans.map((plan) => upgradeGate(plan, sha256)),
    ...cluster.pods.flatMap(hostPathGates),
  ]
  return Object.fromEntries([...new Map(all)].toSorted(byName))
}

type Gate = readonly [name: string, digest: string]

function budgetGate(budget: ClusterFacts['pdbs'][number], sha256: Sha256): Gate {
  const { namespace, name, apiVersion, selector, minAvailable, maxUnavailable } = budget
  const body = { apiVersion, selector, minAvailable, maxUnavailable }
  return [`disruption budget ${namespace}/${name}`, sha256(canonicalJson(body))]
}

function upgradeGate(
  { namespace, name, image, nodeSelector }: ClusterFacts['upgradePlans'][number],
  sha256: Sha256,
): Gate {
  return [`upgrade Plan ${namespace}/${name}`, sha256(canonicalJson({ image, nodeSelector }))]
}

/** By workload, not by pod: its pods get new names when they move. */
function hostPathGates({ namespace, name, controller, mirror, volumes }: Pod): Gate[] {
  if (mirror) return []
  const workload =
    controller === null ? `pod ${namespace}/${name}` : `${controller.kind} ${namespace}/${controller.name}`
  return volumes
    .filter(({ type, path, readOnly }) => type === 'hostPath' && path !== null && !readOnly)
    .map(({ path }) => [`directory ${path ?? ''} written to by ${workload}`, 'known'])
}

/** What is different now, as ends of sentences: `labels changed`, `volume pvc-1 is new`. */
function differences(kind: string, before: Digests, now: Digests): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted(compareText)
  return names.flatMap((name) => {
    if (before[name] === now[name]) return []
    const what = kind === '' ? name : `${kind} ${name}`
    if (before[name] === undefined) return [`${what} is new`]
    return [now[name] === undefined ? `${what} is gone` : `${what} changed`]
  })
}

/**
 * What the cluster shows that is not as planned for this node. Throws (exit 9, worth another try) when a part of the
 * cluster could not be read: what nobody saw is not unchanged.
 */
export function clusterChanges(
  plan: Plan,
  planned: PlanNode,
  cluster: ClusterFacts,
  sha256: Sha256,
): string[] {
  const [failure] = cluster.failures
  if (failure !== undefined)
    throw new MigrateError(
      `whether the plan still holds cannot be said: ${failure.what}: ${failure.reason}`,
      {
        exitCode: exitCode.blocked,
        transient: true,
      },
    )
  if (cluster.uid !== plan.cluster.uid)
    return [`this is another cluster (kube-system ${cluster.uid}, planned ${plan.cluster.uid})`]
  const node = cluster.nodes.find(({ name }) => name === planned.name)
  if (node === undefined) return ['the cluster has no such node']
  const { fingerprint } = planned
  if (node.uid !== fingerprint.nodeUid) return ['it is another Node object']
  if (node.systemUuid !== fingerprint.systemUuid)
    return [`it is another machine (system UUID ${node.systemUuid})`]
  return [
    ...differences('', fingerprint.baseline, baselineOf(node, sha256)),
    ...differences('volume', fingerprint.volumes, volumesOf(node, cluster, sha256)),
    ...differences('', plannedGates(plan, node, cluster), gatesNow(node, cluster, sha256)),
  ]
}

/** Gates that concern the node as things are now. */
function gatesNow(node: KubeNode, cluster: ClusterFacts, sha256: Sha256): Digests {
  const pods = cluster.pods.filter((pod) => pod.node === node.name)
  const { evict } = classifyPods(pods, {
    daemonSetExists: (namespace, name) =>
      cluster.daemonSets.some((one) => one.namespace === namespace && one.name === name),
    deleteEmptyDir: true,
    force: true,
  })
  return Object.fromEntries([
    ...cluster.pdbs
      .filter((budget) => evict.some(({ pod }) => budgetGuards(budget, pod)))
      .map((budget) => budgetGate(budget, sha256)),
    ...cluster.upgradePlans
      .filter(({ nodeSelector }) => nodeSelector !== null && matchesSelector(node.labels, nodeSelector))
      .map((plan) => upgradeGate(plan, sha256)),
    // A DaemonSet that came later brings its directories to every node.
    ...pods
      .filter((pod) => owningDaemonSet(pod) !== null || evict.some((one) => one.pod === pod))
      .flatMap(hostPathGates),
  ])
}

/** The same gates as the plan knows them; one it does not know is new. */
function plannedGates({ gates }: Plan, node: KubeNode, cluster: ClusterFacts): Digests {
  const concerned = Object.keys(gatesNow(node, cluster, () => ''))
  return Object.fromEntries(
    concerned.flatMap((name): Gate[] => {
      const digest = gates[name]
      return digest === undefined ? [] : [[name, digest]]
    }),
  )
}

/** What the machine itself shows that is not as planned. */
export function machineChanges({ fingerprint }: PlanNode, facts: NodeFacts, config: Digests): string[] {
  const serial = stateDiskSerial(facts)
  return [
    ...(serial === fingerprint.diskSerial
      ? []
      : [
          `its disk has the serial number ${serial ?? '(none)'}, planned ${fingerprint.diskSerial ?? '(none)'}`,
        ]),
    ...differences('configuration', fingerprint.config, config),
  ]
}

/** Exit 5: names the node and everything that changed. */
export function stalePlan(
  changed: readonly (readonly [node: string, changes: readonly string[]])[],
): MigrateError {
  const text = changed.map(([node, changes]) => `${node}: ${changes.join(', ')}`).join('; ')
  const names = changed.map(([node]) => node)
  return new MigrateError(`the plan is stale for ${text}`, {
    exitCode: exitCode.stalePlan,
    hint: `take a new inventory and make a new plan: k3os-migrate inventory && k3os-migrate plan; or one without: --exclude ${names.join(' ')}`,
  })
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return compareText(a, b)
}

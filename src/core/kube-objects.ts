import { z } from 'zod'
import type {
  ClusterFacts,
  KubeNode,
  PersistentVolume,
  PodDisruptionBudget,
  UpgradePlan,
} from './inventory.ts'
import {
  conditionIsTrue,
  conditions,
  matchExpressions,
  metadata,
  parseObject,
  rawSelector,
  selectorOf,
  text,
  textMap,
} from './kube-raw.ts'
import { maskK3sAnnotations } from './kube-secrets.ts'
import { matchesSelector } from './selector.ts'

/** Kubernetes objects as the API sends them, turned into what the inventory keeps. Pods: `kube-pod.ts`. */

const rawNode = z.object({
  metadata,
  spec: z
    .object({
      podCIDR: text.nullish(),
      unschedulable: z.boolean().nullish(),
      taints: z.array(z.object({ key: text, value: text.nullish(), effect: text })).nullish(),
    })
    .nullish(),
  status: z
    .object({
      addresses: z.array(z.object({ type: text, address: text })).nullish(),
      allocatable: textMap,
      conditions,
      nodeInfo: z
        .object({
          architecture: text,
          bootID: text,
          kernelVersion: text,
          kubeletVersion: text,
          machineID: text,
          osImage: text,
          systemUUID: text,
        })
        .partial()
        .nullish(),
    })
    .nullish(),
})

export function kubeNode(raw: unknown): KubeNode {
  const { metadata: meta, spec, status } = parseObject('Node', rawNode, raw)
  const info = status?.nodeInfo ?? {}
  return {
    name: meta.name,
    uid: meta.uid ?? '',
    labels: meta.labels ?? {},
    annotations: maskK3sAnnotations(meta.annotations ?? {}),
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value: value ?? '', effect })),
    unschedulable: spec?.unschedulable ?? false,
    ready: conditionIsTrue(status?.conditions, 'Ready'),
    conditions: Object.fromEntries((status?.conditions ?? []).map(({ type, status }) => [type, status])),
    podCidr: spec?.podCIDR ?? null,
    addresses: status?.addresses ?? [],
    bootId: info.bootID ?? '',
    machineId: info.machineID ?? '',
    systemUuid: info.systemUUID ?? '',
    osImage: info.osImage ?? '',
    kernelVersion: info.kernelVersion ?? '',
    kubeletVersion: info.kubeletVersion ?? '',
    architecture: info.architecture ?? '',
    allocatable: status?.allocatable ?? {},
  }
}

const countOrPercent = z.union([z.string(), z.number()]).nullish()
const rawBudget = z.object({
  metadata,
  spec: z
    .object({ selector: rawSelector, minAvailable: countOrPercent, maxUnavailable: countOrPercent })
    .nullish(),
  status: z
    .object({
      disruptionsAllowed: z.number().nullish(),
      currentHealthy: z.number().nullish(),
      desiredHealthy: z.number().nullish(),
      expectedPods: z.number().nullish(),
    })
    .nullish(),
})

/** `apiVersion` is the version that was asked for: items of a typed list do not carry their own. */
export function podDisruptionBudget(
  raw: unknown,
  apiVersion: 'policy/v1' | 'policy/v1beta1',
): PodDisruptionBudget {
  const { metadata: meta, spec, status } = parseObject('PodDisruptionBudget', rawBudget, raw)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    apiVersion,
    selector: selectorOf(spec?.selector),
    minAvailable: spec?.minAvailable ?? null,
    maxUnavailable: spec?.maxUnavailable ?? null,
    disruptionsAllowed: status?.disruptionsAllowed ?? 0,
    currentHealthy: status?.currentHealthy ?? 0,
    desiredHealthy: status?.desiredHealthy ?? 0,
    expectedPods: status?.expectedPods ?? 0,
  }
}

const nodeSelectorTerms = z.array(z.object({ matchExpressions, matchFields: matchExpressions })).nullish()
const rawPersistentVolume = z.object({
  metadata,
  spec: z.object({
    storageClassName: text.nullish(),
    hostPath: z.object({ path: text }).nullish(),
    local: z.object({ path: text }).nullish(),
    persistentVolumeReclaimPolicy: text.nullish(),
    claimRef: z.object({ namespace: text.nullish(), name: text.nullish() }).nullish(),
    capacity: textMap,
    nodeAffinity: z.object({ required: z.object({ nodeSelectorTerms }).nullish() }).nullish(),
  }),
})

/**
 * `nodes` are those of the cluster: an affinity speaks of labels, and the label `kubernetes.io/hostname` need not be the
 * node's name. Where no node matches (it is gone, or nodes could not be read), the values in the affinity stand in, so
 * that a volume bound to a node never looks like a free one.
 */
export function persistentVolume(
  raw: unknown,
  nodes: readonly Pick<KubeNode, 'name' | 'labels'>[],
): PersistentVolume {
  const { metadata: meta, spec } = parseObject('PersistentVolume', rawPersistentVolume, raw)
  const terms = (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).map((term) => ({
    labels: selectorOf({ matchExpressions: term.matchExpressions }),
    fields: selectorOf({ matchExpressions: term.matchFields }),
  }))
  const matching = nodes.filter((node) =>
    terms.some(
      ({ labels, fields }) =>
        (labels === null || matchesSelector(node.labels, labels)) &&
        (fields === null || matchesSelector({ 'metadata.name': node.name }, fields)),
    ),
  )
  const named = terms.flatMap(({ labels, fields }) =>
    [...(labels?.matchExpressions ?? []), ...(fields?.matchExpressions ?? [])].flatMap(
      ({ values }) => values,
    ),
  )
  const claim = spec.claimRef
  return {
    name: meta.name,
    storageClass: spec.storageClassName || null,
    type: spec.local ? 'local' : spec.hostPath ? 'hostPath' : 'other',
    path: spec.local?.path ?? spec.hostPath?.path ?? null,
    nodes: matching.length > 0 ? matching.map(({ name }) => name) : named,
    reclaimPolicy: spec.persistentVolumeReclaimPolicy ?? 'Retain',
    claim: claim?.namespace && claim.name ? { namespace: claim.namespace, name: claim.name } : null,
    capacity: spec.capacity?.['storage'] ?? null,
  }
}

const rawDaemonSet = z.object({
  metadata,
  status: z
    .object({ desiredNumberScheduled: z.number().nullish(), numberReady: z.number().nullish() })
    .nullish(),
})

export function daemonSet(raw: unknown): ClusterFacts['daemonSets'][number] {
  const { metadata: meta, status } = parseObject('DaemonSet', rawDaemonSet, raw)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    desired: status?.desiredNumberScheduled ?? 0,
    ready: status?.numberReady ?? 0,
  }
}

const rawUpgradePlan = z.object({
  metadata,
  spec: z
    .object({ nodeSelector: rawSelector, upgrade: z.object({ image: text.nullish() }).nullish() })
    .nullish(),
})

/** A Plan of `upgrade.cattle.io/v1` (rancher/system-upgrade-controller pkg/apis/upgrade.cattle.io/v1/types.go). */
export function upgradePlan(raw: unknown): UpgradePlan {
  const { metadata: meta, spec } = parseObject('Plan', rawUpgradePlan, raw)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    image: spec?.upgrade?.image ?? null,
    nodeSelector: selectorOf(spec?.nodeSelector),
  }
}

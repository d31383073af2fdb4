import { z } from 'zod'
import type {
  Addon,
  CustomResource,
  HelmChart,
  Lease,
  Namespace,
  PersistentVolumeClaim,
  StorageClass,
  Webhook,
  WebhookService,
  Workload,
  workloadKinds,
} from './cluster-objects.ts'
import { compareText } from './findings.ts'
import { metadata, parseObject, rawSelector, selectorOf, text, textMap } from './kube-raw.ts'

/** More kinds of objects as the API sends them, turned into what the inventory keeps (see `kube-objects.ts`). */

const amount = z.number().nullish()

const rawClaim = z.object({
  metadata,
  spec: z
    .object({
      storageClassName: text.nullish(),
      volumeName: text.nullish(),
      accessModes: z.array(text).nullish(),
      resources: z.object({ requests: textMap }).nullish(),
    })
    .nullish(),
  status: z.object({ phase: text.nullish() }).nullish(),
})

export function persistentVolumeClaim(raw: unknown): PersistentVolumeClaim {
  const { metadata: meta, spec, status } = parseObject('PersistentVolumeClaim', rawClaim, raw)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    phase: status?.phase ?? 'Pending',
    storageClass: spec?.storageClassName || null,
    volume: spec?.volumeName || null,
    accessModes: spec?.accessModes ?? [],
    requested: spec?.resources?.requests?.['storage'] ?? null,
  }
}

const rawStorageClass = z.object({
  metadata,
  provisioner: text,
  reclaimPolicy: text.nullish(),
  volumeBindingMode: text.nullish(),
})

export function storageClass(raw: unknown): StorageClass {
  const { metadata: meta, ...spec } = parseObject('StorageClass', rawStorageClass, raw)
  const marks = [
    'storageclass.kubernetes.io/is-default-class',
    'storageclass.beta.kubernetes.io/is-default-class',
  ]
  return {
    name: meta.name,
    provisioner: spec.provisioner,
    isDefault: marks.some((mark) => meta.annotations?.[mark] === 'true'),
    reclaimPolicy: spec.reclaimPolicy ?? 'Delete',
    bindingMode: spec.volumeBindingMode ?? 'Immediate',
  }
}

const rawWorkload = z.object({
  metadata,
  spec: z
    .object({
      replicas: amount,
      completions: amount,
      parallelism: amount,
      paused: z.boolean().nullish(),
      suspend: z.boolean().nullish(),
      selector: rawSelector,
    })
    .nullish(),
  status: z.object({ readyReplicas: amount, succeeded: amount, active: amount, ready: amount }).nullish(),
})

/** `kind` is what was asked for: items of a list do not carry their own. */
export function workload(raw: unknown, kind: (typeof workloadKinds)[number]): Workload {
  const { metadata: meta, spec, status } = parseObject(kind, rawWorkload, raw)
  const owner = meta.ownerReferences?.find((reference) => reference.controller === true)
  return {
    kind,
    namespace: meta.namespace ?? '',
    name: meta.name,
    ...podsOf(kind, spec ?? {}, status ?? {}),
    selector: kind === 'CronJob' ? null : selectorOf(spec?.selector),
    controller: owner === undefined ? null : `${owner.kind}/${owner.name}`,
    paused: spec?.paused === true || spec?.suspend === true,
  }
}

function podsOf(
  kind: Workload['kind'],
  spec: NonNullable<z.infer<typeof rawWorkload>['spec']>,
  status: NonNullable<z.infer<typeof rawWorkload>['status']>,
): { desired: number; ready: number } {
  switch (kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'ReplicaSet':
      return { desired: spec.replicas ?? 1, ready: status.readyReplicas ?? 0 }
    case 'Job': {
      // Without completions the pods of a Job work on a queue, and the first success is the end.
      const wanted = spec.completions ?? (status.succeeded ? 0 : (spec.parallelism ?? 1))
      // `ready` came in 1.21; before it, a pod that runs is the best that is known.
      return {
        desired: Math.max(0, wanted - (status.succeeded ?? 0)),
        ready: status.ready ?? status.active ?? 0,
      }
    }
    case 'CronJob':
      return { desired: 0, ready: 0 }
  }
}

const rawDaemonSetStatus = z.object({
  metadata,
  status: z.object({ desiredNumberScheduled: amount, numberReady: amount }).nullish(),
})

/** Nodes it should be on, and those on which it is ready. */
export function daemonSetState(
  raw: unknown,
): Pick<Workload, 'namespace' | 'name' | 'desired' | 'ready'> & { readonly kind: 'DaemonSet' } {
  const { metadata: meta, status } = parseObject('DaemonSet', rawDaemonSetStatus, raw)
  return {
    kind: 'DaemonSet',
    namespace: meta.namespace ?? '',
    name: meta.name,
    desired: status?.desiredNumberScheduled ?? 0,
    ready: status?.numberReady ?? 0,
  }
}

const rawWebhooks = z.object({
  metadata,
  webhooks: z
    .array(
      z.object({
        name: text,
        failurePolicy: text.nullish(),
        timeoutSeconds: amount,
        clientConfig: z.object({ service: z.object({ namespace: text, name: text }).nullish() }).nullish(),
        rules: z
          .array(z.object({ operations: z.array(text).nullish(), resources: z.array(text).nullish() }))
          .nullish(),
        namespaceSelector: rawSelector,
      }),
    )
    .nullish(),
})

export function webhooks(raw: unknown, kind: Webhook['kind']): Webhook[] {
  const { metadata: meta, webhooks: all } = parseObject(kind, rawWebhooks, raw)
  return (all ?? []).map(
    ({ name, failurePolicy, timeoutSeconds, clientConfig, rules, namespaceSelector }) => ({
      kind,
      configuration: meta.name,
      name,
      failurePolicy: failurePolicy ?? 'Fail',
      timeoutSeconds: timeoutSeconds ?? null,
      service: clientConfig?.service ?? null,
      rules: (rules ?? []).map(
        ({ operations, resources }) => `${(operations ?? []).join(',')} ${(resources ?? []).join(',')}`,
      ),
      // Both nothing and an empty selector mean every namespace.
      namespaceSelector: selectorOf(namespaceSelector),
    }),
  )
}

const rawNamespace = z.object({ metadata })

export function namespaceOf(raw: unknown): Namespace {
  const { metadata: meta } = parseObject('Namespace', rawNamespace, raw)
  return { name: meta.name, labels: meta.labels ?? {} }
}

const rawService = z.object({ metadata })
const rawAddresses = z
  .array(
    z.object({
      nodeName: text.nullish(),
      targetRef: z.object({ kind: text.nullish(), name: text.nullish() }).nullish(),
    }),
  )
  .nullish()
const rawEndpoints = z.object({
  metadata,
  subsets: z.array(z.object({ addresses: rawAddresses, notReadyAddresses: rawAddresses })).nullish(),
})

/** Who answers for the Services that webhooks name, from all Services and all Endpoints of the cluster. */
export function webhookServices(
  hooks: readonly Webhook[],
  rawServices: readonly unknown[],
  endpoints: readonly unknown[],
): WebhookService[] {
  const keyOf = (one: { readonly namespace?: string | null | undefined; readonly name: string }): string =>
    `${one.namespace ?? ''}/${one.name}`
  const named = new Map(hooks.flatMap(({ service }) => (service === null ? [] : [[keyOf(service), service]])))
  if (named.size === 0) return []
  const there = new Set(rawServices.map((raw) => keyOf(parseObject('Service', rawService, raw).metadata)))
  const answers = new Map(
    endpoints.map((raw) => {
      const { metadata: meta, subsets } = parseObject('Endpoints', rawEndpoints, raw)
      return [keyOf(meta), subsets ?? []]
    }),
  )
  return [...named]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([key, { namespace, name }]) => {
      const subsets = answers.get(key) ?? []
      return {
        namespace,
        name,
        exists: there.has(key),
        ready: subsets.flatMap(({ addresses }) =>
          (addresses ?? []).map(({ nodeName, targetRef }) => ({
            node: nodeName || null,
            pod: targetRef?.kind === 'Pod' ? targetRef.name || null : null,
          })),
        ),
        notReady: subsets.reduce((sum, { notReadyAddresses }) => sum + (notReadyAddresses?.length ?? 0), 0),
      }
    })
}

const rawLease = z.object({
  metadata,
  spec: z.object({ holderIdentity: text.nullish(), renewTime: text.nullish() }).nullish(),
})

export function lease(raw: unknown): Lease {
  const { metadata: meta, spec } = parseObject('Lease', rawLease, raw)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    holder: spec?.holderIdentity || null,
    renewedAt: spec?.renewTime ?? null,
  }
}

const rawAddon = z.object({ metadata, spec: z.object({ source: text.nullish() }).nullish() })

/** k3s-io/k3s pkg/apis/k3s.cattle.io/v1/types.go */
export function addon(raw: unknown): Addon {
  const { metadata: meta, spec } = parseObject('Addon', rawAddon, raw)
  return { namespace: meta.namespace ?? '', name: meta.name, source: spec?.source || null }
}

const rawHelmChart = z.object({
  metadata,
  spec: z
    .object({
      chart: text.nullish(),
      version: text.nullish(),
      repo: text.nullish(),
      targetNamespace: text.nullish(),
    })
    .nullish(),
})

/** k3s-io/helm-controller pkg/apis/helm.cattle.io/v1/types.go */
export function helmChart(raw: unknown, kind: HelmChart['kind']): HelmChart {
  const { metadata: meta, spec } = parseObject(kind, rawHelmChart, raw)
  return {
    kind,
    namespace: meta.namespace ?? '',
    name: meta.name,
    chart: spec?.chart || null,
    version: spec?.version || null,
    // A private repository may carry its login in the URL.
    repo: spec?.repo?.replace(/:\/\/[^/@]*@/, '://…@') || null,
    targetNamespace: spec?.targetNamespace || null,
  }
}

const rawCustomResource = z.object({
  metadata,
  spec: z.object({
    version: text.nullish(),
    versions: z.array(z.object({ name: text, served: z.boolean().nullish() })).nullish(),
  }),
})

export function customResource(raw: unknown): CustomResource {
  const { metadata: meta, spec } = parseObject('CustomResourceDefinition', rawCustomResource, raw)
  const served = (spec.versions ?? []).filter((one) => one.served !== false).map(({ name }) => name)
  return { name: meta.name, servedVersions: served.length > 0 || !spec.version ? served : [spec.version] }
}

import { z } from 'zod'
import type { PodScheduling } from './cluster-objects.ts'
import type { Pod } from './inventory.ts'
import { conditionIsTrue, conditions, metadata, parseObject, text, textMap } from './kube-raw.ts'
import { formatQuantity, parseQuantity } from './quantity.ts'

const container = z.object({
  resources: z.object({ requests: textMap }).nullish(),
  volumeMounts: z.array(z.object({ name: text, readOnly: z.boolean().nullish() })).nullish(),
  restartPolicy: text.nullish(),
  ports: z
    .array(z.object({ hostPort: z.number().nullish(), hostIP: text.nullish(), protocol: text.nullish() }))
    .nullish(),
})

const volume = z.object({
  name: text,
  emptyDir: z.object({ medium: text.nullish() }).nullish(),
  hostPath: z.object({ path: text }).nullish(),
  persistentVolumeClaim: z.object({ claimName: text, readOnly: z.boolean().nullish() }).nullish(),
  configMap: z.unknown().optional(),
  secret: z.unknown().optional(),
  projected: z.unknown().optional(),
})

/** Kept as the API writes it. The client library makes objects of classes, with a member for what is not there. */
const asWritten = z
  .looseObject({})
  .transform((value): Record<string, unknown> => JSON.parse(JSON.stringify(value)))

const rawPod = z.object({
  metadata,
  spec: z.object({
    nodeName: text.nullish(),
    priority: z.number().nullish(),
    terminationGracePeriodSeconds: z.number().nullish(),
    containers: z.array(container).nullish(),
    initContainers: z.array(container).nullish(),
    overhead: textMap,
    volumes: z.array(volume).nullish(),
    nodeSelector: textMap,
    affinity: asWritten.nullish(),
    topologySpreadConstraints: z.array(asWritten).nullish(),
    tolerations: z
      .array(
        z.object({
          key: text.nullish(),
          operator: text.nullish(),
          value: text.nullish(),
          effect: text.nullish(),
          tolerationSeconds: z.number().nullish(),
        }),
      )
      .nullish(),
    hostNetwork: z.boolean().nullish(),
    schedulerName: text.nullish(),
    priorityClassName: text.nullish(),
  }),
  status: z.object({ phase: text.nullish(), conditions }).nullish(),
})

const rawContainers = z.object({
  metadata: z.object({ namespace: text.nullish(), name: text, uid: text }),
  status: z
    .object({
      containerStatuses: z
        .array(
          z.object({
            name: text,
            restartCount: z.number().nullish(),
            lastState: z.object({ terminated: z.object({ reason: text.nullish() }).nullish() }).nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
})

/** How often each container of a pod was restarted, and why it ended last. */
export function containerRestarts(raw: unknown) {
  const { metadata: meta, status } = parseObject('Pod', rawContainers, raw)
  return (status?.containerStatuses ?? []).map(({ name, restartCount, lastState }) => ({
    namespace: meta.namespace ?? '',
    pod: meta.name,
    uid: meta.uid,
    container: name,
    restarts: restartCount ?? 0,
    reason: lastState?.terminated?.reason || null,
  }))
}

type RawSpec = z.infer<typeof rawPod>['spec']
type RawContainer = z.infer<typeof container>

/** A Pod as the API sends it, turned into what the inventory keeps. */
export function pod(raw: unknown): Pod {
  const { metadata: meta, spec, status } = parseObject('Pod', rawPod, raw)
  const owner = meta.ownerReferences?.find((reference) => reference.controller === true)
  return {
    namespace: meta.namespace ?? '',
    name: meta.name,
    uid: meta.uid ?? '',
    node: spec.nodeName || null,
    phase: status?.phase ?? 'Unknown',
    ready: conditionIsTrue(status?.conditions, 'Ready'),
    terminating: meta.deletionTimestamp !== undefined && meta.deletionTimestamp !== null,
    labels: meta.labels ?? {},
    controller: owner ? { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name } : null,
    mirror: meta.annotations?.['kubernetes.io/config.mirror'] !== undefined,
    priority: spec.priority ?? 0,
    graceSeconds: spec.terminationGracePeriodSeconds ?? 30,
    requests: requestsOf(spec),
    volumes: volumesOf(spec),
    scheduling: schedulingOf(spec),
  }
}

/** Of a pod that may run on any node without taints. */
export const anywhere: PodScheduling = {
  nodeSelector: {},
  tolerations: [],
  affinity: null,
  topologySpread: [],
  hostPorts: [],
  hostNetwork: false,
  schedulerName: 'default-scheduler',
  priorityClass: null,
}

function schedulingOf(spec: RawSpec): PodScheduling {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  return {
    nodeSelector: spec.nodeSelector ?? {},
    tolerations: (spec.tolerations ?? []).map(({ key, operator, value, effect, tolerationSeconds }) => ({
      key: key ?? '',
      operator: operator === 'Exists' ? 'Exists' : 'Equal',
      value: value ?? '',
      effect: effect ?? '',
      seconds: tolerationSeconds ?? null,
    })),
    affinity: spec.affinity ?? null,
    topologySpread: spec.topologySpreadConstraints ?? [],
    hostPorts: containers.flatMap(({ ports }) =>
      (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
        hostPort === undefined || hostPort === null || hostPort === 0
          ? []
          : [{ protocol: protocol ?? 'TCP', port: hostPort, ip: hostIP || null }],
      ),
    ),
    hostNetwork: spec.hostNetwork ?? false,
    schedulerName: spec.schedulerName || anywhere.schedulerName,
    priorityClass: spec.priorityClassName || null,
  }
}

function volumesOf(spec: RawSpec): Pod['volumes'] {
  const mounts = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(
    ({ volumeMounts }) => volumeMounts ?? [],
  )
  return (spec.volumes ?? []).map((entry) => {
    const claim = entry.persistentVolumeClaim
    const own = mounts.filter(({ name }) => name === entry.name)
    return {
      name: entry.name,
      type: volumeType(entry),
      path: entry.hostPath?.path ?? null,
      claim: claim?.claimName ?? null,
      readOnly:
        claim?.readOnly === true || (own.length > 0 && own.every(({ readOnly }) => readOnly === true)),
    }
  })
}

function volumeType(entry: z.infer<typeof volume>): Pod['volumes'][number]['type'] {
  if (entry.emptyDir) return entry.emptyDir.medium === 'Memory' ? 'emptyDir-memory' : 'emptyDir'
  if (entry.hostPath) return 'hostPath'
  if (entry.persistentVolumeClaim) return 'persistentVolumeClaim'
  if (entry.configMap) return 'configMap'
  if (entry.secret) return 'secret'
  return entry.projected ? 'projected' : 'other'
}

/**
 * What the scheduler reserves: containers together, or more if one init container needs more while those before it that
 * keep running (`restartPolicy: Always`) run; plus overhead
 * (kubernetes/kubernetes pkg/api/v1/resource/helpers.go).
 */
function requestsOf(spec: RawSpec): Record<string, string> {
  const inits = spec.initContainers ?? []
  const names = new Set(
    [...(spec.containers ?? []), ...inits].flatMap(({ resources }) => Object.keys(resources?.requests ?? {})),
  )
  for (const name of Object.keys(spec.overhead ?? {})) names.add(name)
  const totals: Record<string, string> = {}
  for (const name of [...names].toSorted()) {
    const request = (one: RawContainer) => parseQuantity(one.resources?.requests?.[name] ?? '0')
    let sidecars = 0
    let peak = 0
    for (const init of inits) {
      peak = Math.max(peak, sidecars + request(init))
      if (init.restartPolicy === 'Always') sidecars += request(init)
    }
    const running = (spec.containers ?? []).reduce((sum, one) => sum + request(one), sidecars)
    totals[name] = formatQuantity(Math.max(peak, running) + parseQuantity(spec.overhead?.[name] ?? '0'))
  }
  return totals
}

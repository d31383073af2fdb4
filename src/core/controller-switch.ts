import { z } from 'zod'
import { type ControllerObject, objectText } from './competing.ts'
import { metadata, parseObject, text } from './kube-raw.ts'

/** How a controller is switched off for a while: by one field or annotation of its object that can be put back. */

export const switchSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('replicas'), value: z.number() }),
  z.strictObject({ by: z.literal('suspend'), value: z.boolean() }),
  /** kured's lock, an annotation of its DaemonSet: null = nobody has it. */
  z.strictObject({ by: z.literal('lock'), key: z.string(), value: z.string().nullable() }),
])
export type ControllerSwitch = z.infer<typeof switchSchema>

/** Annotation on the object while a run has it switched off, with what to put back. */
export const pausedMark = 'k3os-migrate/paused'

const markSchema = z.object({ run: z.string(), before: switchSchema, off: switchSchema })
export type PausedMark = z.infer<typeof markSchema>

/** A controller's object as the API server has it now. */
export interface ControllerState {
  readonly object: ControllerObject
  /** Or why it cannot be switched off this way, and the command that stops it otherwise. */
  readonly switch: ControllerSwitch | { readonly by: 'nothing'; readonly why: string; readonly stop: string }
  /** Pods it still has; of a DaemonSet: nodes that are to have one. */
  readonly pods: number
  /** null when no run has left one; a mark that nobody can read is none. */
  readonly mark: PausedMark | null
  /** Who would put the object back to what is declared elsewhere, with how that is stopped; null when nobody is known. */
  readonly keeper: string | null
}

const rawController = z.object({
  metadata,
  spec: z
    .object({
      replicas: z.number().nullish(),
      suspend: z.boolean().nullish(),
      template: z
        .object({
          spec: z
            .object({
              containers: z.array(
                z.object({
                  command: z.array(text).nullish(),
                  args: z.array(text).nullish(),
                  env: z.array(z.object({ name: text, value: text.nullish() })).nullish(),
                }),
              ),
            })
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
  status: z
    .object({ replicas: z.number().nullish(), desiredNumberScheduled: z.number().nullish() })
    .nullish(),
})

export function controllerState(raw: unknown, kind: ControllerObject['kind']): ControllerState {
  const { metadata: meta, spec, status } = parseObject(kind, rawController, raw)
  const annotations = meta.annotations ?? {}
  const labels = meta.labels ?? {}
  const object = { kind, namespace: meta.namespace ?? '', name: meta.name }
  return {
    object,
    switch: switchOf(object, spec, annotations),
    pods: status?.replicas ?? status?.desiredNumberScheduled ?? 0,
    mark: markOf(annotations[pausedMark]),
    keeper: keeperOf(labels, annotations),
  }
}

function switchOf(
  object: ControllerObject,
  spec: z.infer<typeof rawController>['spec'],
  annotations: Readonly<Record<string, string>>,
): ControllerState['switch'] {
  switch (object.kind) {
    case 'Deployment':
    case 'StatefulSet':
      return { by: 'replicas', value: spec?.replicas ?? 1 }
    case 'CronJob':
      return { by: 'suspend', value: spec?.suspend ?? false }
    case 'DaemonSet': {
      const containers = spec?.template?.spec?.containers ?? []
      const words = containers.flatMap(({ command, args }) => [...(command ?? []), ...(args ?? [])])
      const env = containers.flatMap((one) => one.env ?? [])
      return kuredLock(object, words, env, annotations)
    }
  }
}

/**
 * kubereboot/kured cmd/kured/main.go and pkg/daemonsetlock: with one reboot at a time an annotation says who has the lock,
 * and whoever is not that node does not reboot. With more at a time it is a list with free places. The flags may also
 * come from the environment.
 */
function kuredLock(
  { namespace, name }: ControllerObject,
  words: readonly string[],
  env: readonly { readonly name: string; readonly value?: string | null | undefined }[],
  annotations: Readonly<Record<string, string>>,
): ControllerState['switch'] {
  const flag = (wanted: string): string | undefined => {
    const at = words.findIndex((word) => word === `--${wanted}` || word.startsWith(`--${wanted}=`))
    if (at !== -1) return words[at]?.split(/=(.*)/s)[1] ?? words[at + 1]
    const variable = `KURED_${wanted.toUpperCase().replaceAll('-', '_')}`
    return env.find((one) => one.name === variable)?.value ?? undefined
  }
  if (Number(flag('concurrency') ?? 1) !== 1)
    return {
      by: 'nothing',
      why: 'it reboots several nodes at a time, and one lock does not stop it',
      // A DaemonSet has no replicas: it is stopped by wanting nodes that there are not.
      stop: `kubectl -n ${namespace} patch daemonset ${name} -p '{"spec":{"template":{"spec":{"nodeSelector":{"k3os-migrate/stopped":"by-hand"}}}}}'`,
    }
  const key = flag('lock-annotation') ?? 'weave.works/kured-node-lock'
  return { by: 'lock', key, value: annotations[key] ?? null }
}

const lockSchema = z.object({ nodeID: z.string() })

/** The node that has kured's lock; null when its text cannot be read: then no kured gets it either. */
function lockHolder(value: string): string | null {
  try {
    return lockSchema.parse(JSON.parse(value)).nodeID
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}

/** A node of the cluster that has kured's lock is about to reboot, or doing so. */
export function rebootingNode(now: ControllerState['switch'], nodes: readonly string[]): string | null {
  if (now.by !== 'lock' || now.value === null) return null
  const holder = lockHolder(now.value)
  return holder !== null && nodes.includes(holder) ? holder : null
}

export function isOff(now: ControllerState['switch']): boolean {
  switch (now.by) {
    case 'replicas':
      return now.value === 0
    case 'suspend':
      return now.value
    case 'lock':
      return now.value !== null
    case 'nothing':
      return false
  }
}

/** Longer than any run; kured gives a lock without an end of its own the one of its `--lock-ttl`. */
const lockNanoseconds = 100 * 24 * 3600 * 1e9

/** Switched off. `now`: RFC 3339. */
export function offOf(before: ControllerSwitch, now: string): ControllerSwitch {
  switch (before.by) {
    case 'replicas':
      return { ...before, value: 0 }
    case 'suspend':
      return { ...before, value: true }
    case 'lock': {
      const lock = { nodeID: 'k3os-migrate', metadata: {}, created: now, TTL: lockNanoseconds }
      return { ...before, value: JSON.stringify(lock) }
    }
  }
}

export function sameSwitch(a: ControllerState['switch'], b: ControllerState['switch']): boolean {
  if (a.by === 'nothing' || b.by === 'nothing') return false
  return a.by === b.by && a.value === b.value && (a.by !== 'lock' || b.by !== 'lock' || a.key === b.key)
}

/** What a merge patch of the object says. `mark`: null takes it away. */
export function switchPatch(
  to: ControllerSwitch,
  mark: PausedMark | null,
): {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> }
  readonly spec?: { readonly replicas: number } | { readonly suspend: boolean }
} {
  const marked = { [pausedMark]: mark === null ? null : JSON.stringify(mark) }
  switch (to.by) {
    case 'replicas':
      return { metadata: { annotations: marked }, spec: { replicas: to.value } }
    case 'suspend':
      return { metadata: { annotations: marked }, spec: { suspend: to.value } }
    case 'lock':
      return { metadata: { annotations: { ...marked, [to.key]: to.value } } }
  }
}

/** `2 replicas`, `not suspended`, `no reboot lock` */
export function switchText(now: ControllerSwitch): string {
  switch (now.by) {
    case 'replicas':
      return `${now.value} ${now.value === 1 ? 'replica' : 'replicas'}`
    case 'suspend':
      return now.value ? 'suspended' : 'not suspended'
    case 'lock':
      return now.value === null ? 'reboot lock free' : 'reboot lock taken'
  }
}

function markOf(value: string | undefined): PausedMark | null {
  if (value === undefined) return null
  try {
    return markSchema.parse(JSON.parse(value))
  } catch (error) {
    // Not written by us, or changed by hand: then nobody knows how it was.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null
    throw error
  }
}

/** fluxcd/kustomize-controller, fluxcd/helm-controller and argoproj/argo-cd mark what they apply; so does k3s. */
function keeperOf(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): string | null {
  for (const [group, kind] of [
    ['kustomize', 'kustomization'],
    ['helm', 'helmrelease'],
  ] as const) {
    const name = labels[`${group}.toolkit.fluxcd.io/name`]
    const namespace = labels[`${group}.toolkit.fluxcd.io/namespace`] ?? 'flux-system'
    if (name !== undefined)
      return `Flux may put it back; to keep it from that: kubectl -n ${namespace} patch ${kind} ${name} --type merge -p '{"spec":{"suspend":true}}'`
  }
  const application =
    annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance']
  if (application !== undefined)
    return `Argo CD may put it back; to keep it from that: argocd app set ${application} --sync-policy none`
  if (annotations['objectset.rio.cattle.io/owner-gvk']?.startsWith('k3s.cattle.io/') === true)
    return 'k3s may put it back when a server starts; it is stopped again before the next node'
  return null
}

export function cannotPause({ object }: ControllerState, why: string): string {
  return `${objectText(object)} cannot be paused: ${why}`
}

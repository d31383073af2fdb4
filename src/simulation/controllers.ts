import type { Workload } from '../core/cluster-objects.ts'
import type { ControllerObject } from '../core/competing.ts'
import { controllerState, type ControllerState, switchPatch } from '../core/controller-switch.ts'
import type { Pod } from '../core/inventory.ts'
import type { Kube } from '../migrate/ports.ts'

type Switching = Parameters<Kube['switchController']>

/** One object by which a controller of the simulated cluster is at work, as the API would show it. */
export interface SimController {
  readonly object: ControllerObject
  readonly annotations: Record<string, string>
  readonly spec: { replicas?: number; suspend?: boolean }
}

/** What can be switched in this cluster, by `Kind namespace/name`. */
export function simControllers(
  workloads: readonly Workload[],
  daemonSets: readonly { readonly namespace: string; readonly name: string }[],
): Map<string, SimController> {
  const found = [
    ...workloads.flatMap((workload): SimController[] => {
      const { kind, namespace, name, desired, paused, controller } = workload
      if (controller !== null || kind === 'ReplicaSet' || kind === 'Job') return []
      const spec = kind === 'CronJob' ? { suspend: paused } : { replicas: desired }
      return [{ object: { kind, namespace, name }, annotations: {}, spec }]
    }),
    ...daemonSets.map(({ namespace, name }) => ({
      object: { kind: 'DaemonSet' as const, namespace, name },
      annotations: {},
      spec: {},
    })),
  ]
  return new Map(found.map((one) => [controllerKey(one.object), one]))
}

export function controllerKey({ kind, namespace, name }: ControllerObject): string {
  return `${kind} ${namespace}/${name}`
}

/** `pods`: that it has now. */
export function simControllerState(
  { object, annotations, spec }: SimController,
  pods: number,
): ControllerState {
  const { kind, namespace, name } = object
  const status = kind === 'DaemonSet' ? { desiredNumberScheduled: 1 } : { replicas: pods }
  return controllerState({ metadata: { namespace, name, annotations }, spec, status }, kind)
}

/** The merge patch that a real server would be sent. */
export function switchSimController(controller: SimController, [, to, mark]: Switching): void {
  const { metadata, spec } = switchPatch(to, mark)
  for (const [key, value] of Object.entries(metadata.annotations)) {
    if (value === null) delete controller.annotations[key]
    else controller.annotations[key] = value
  }
  Object.assign(controller.spec, spec)
}

/** The same workloads as the API shows them after that. */
export function withSwitches(
  workloads: readonly Workload[],
  controllers: ReadonlyMap<string, SimController>,
): Workload[] {
  return workloads.map((workload) => {
    if (workload.kind === 'ReplicaSet' || workload.kind === 'Job') return workload
    const spec = controllers.get(controllerKey({ ...workload, kind: workload.kind }))?.spec
    if (spec === undefined) return workload
    return {
      ...workload,
      desired: spec.replicas ?? workload.desired,
      paused: spec.suspend ?? workload.paused,
    }
  })
}

/** Whether a pod is one of this Deployment or StatefulSet. */
export function isPodOf(pod: Pod, { kind, namespace, name }: ControllerObject): boolean {
  if (pod.namespace !== namespace || pod.controller === null) return false
  if (kind === 'StatefulSet') return pod.controller.kind === kind && pod.controller.name === name
  return pod.controller.kind === 'ReplicaSet' && pod.controller.name.replace(/-[^-]+$/, '') === name
}

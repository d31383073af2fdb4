import { z } from 'zod'
import type { Workload } from './cluster-objects.ts'
import type { Severity } from './findings.ts'
import type { ClusterFacts } from './inventory.ts'

/** Software that works on nodes or workloads by itself: how it is recognised, and whether a run may stop it for a while. */

export const controllerKinds = ['Deployment', 'StatefulSet', 'CronJob', 'DaemonSet'] as const

/** The object by which a controller is at work. */
export interface ControllerObject {
  readonly kind: (typeof controllerKinds)[number]
  readonly namespace: string
  readonly name: string
}

/** One object of a controller that a run stops before its first node and lets go on after its last. */
export const pauseSchema = z.strictObject({
  /** What it is, for people. */
  controller: z.string(),
  kind: z.enum(controllerKinds),
  namespace: z.string(),
  name: z.string(),
  /** It was when the plan was made. */
  isAtRest: z.boolean(),
})
export type Pause = z.infer<typeof pauseSchema>

interface Competing {
  readonly controller: string
  /** Names as their charts and manifests give them, with the prefix of a Helm release. */
  readonly names: RegExp
  readonly does: string
  /** Nothing but this controller stands still when its object is stopped, and nothing piles up meanwhile. */
  readonly canPause: boolean
  readonly severity?: (cluster: ClusterFacts) => Severity
}

const putsBack = 'it puts back what you change for the move: replicas, budgets, Plans'

const competing: readonly Competing[] = [
  {
    controller: 'kured',
    names: /^([\w.-]+-)?kured$/,
    does: 'it drains and reboots nodes on its own',
    canPause: true,
  },
  {
    controller: 'system-upgrade-controller',
    names: /^([\w.-]+-)?system-upgrade-controller$/,
    does: 'it drains, changes and reboots nodes for each Plan that selects them',
    canPause: true,
    severity: ({ upgradePlans }) => (upgradePlans.length > 0 ? 'high' : 'low'),
  },
  {
    controller: 'cluster-autoscaler',
    names: /^([\w.-]+-)?cluster-autoscaler$/,
    does: 'it adds and removes nodes; one that is drained looks unneeded to it',
    canPause: true,
  },
  {
    controller: 'descheduler',
    names: /^([\w.-]+-)?descheduler$/,
    does: 'it evicts pods from nodes that look unevenly used',
    canPause: true,
  },
  // Whoever stops these stops all deployments of the cluster: that is a person's decision.
  {
    controller: 'Flux',
    names: /^(kustomize-controller|source-controller|helm-controller|flux)$/,
    does: putsBack,
    canPause: false,
  },
  {
    controller: 'Argo CD',
    names: /^([\w.-]+-)?argocd-application-controller$|^argo-cd-application-controller$/,
    does: putsBack,
    canPause: false,
  },
]

/** Those that are at work in this cluster, with their objects. */
export function competingAtWork(
  cluster: ClusterFacts,
): (Competing & { readonly objects: readonly ControllerObject[] })[] {
  return found(cluster).flatMap(({ objects, ...one }) => {
    const working = objects.flatMap(({ isAtRest, ...object }) => (isAtRest ? [] : [object]))
    return working.length === 0 ? [] : [{ ...one, objects: working }]
  })
}

/**
 * What a run stops for its time. A controller that has nothing to do in this cluster is left alone. One that is at rest is
 * among them: it may be a run that died that has stopped it, and then this one gives it back.
 */
export function pausesOf(cluster: ClusterFacts): Pause[] {
  return found(cluster)
    .filter(({ canPause, severity }) => canPause && severity?.(cluster) !== 'low')
    .flatMap(({ controller, objects }) =>
      objects
        .filter(({ kind }) => kind !== 'DaemonSet' || controller === 'kured')
        .map((object) => ({ controller, ...object })),
    )
}

type Found = ControllerObject & { readonly isAtRest: boolean }

function found(cluster: ClusterFacts): (Competing & { readonly objects: readonly Found[] })[] {
  const all: readonly Found[] = [
    ...cluster.workloads.flatMap((one) => (isSwitched(one) ? [objectOf(one)] : [])),
    ...cluster.daemonSets.map(({ namespace, name }) => ({
      kind: 'DaemonSet' as const,
      namespace,
      name,
      isAtRest: false,
    })),
  ]
  return competing.map((one) => ({
    ...one,
    objects: all.filter(({ kind, name }) => one.names.test(name) && isItsKind(one, kind)),
  }))
}

/** Where the API serves objects of each kind. */
export const controllerResources = {
  Deployment: { apiGroup: 'apps', resource: 'deployments' },
  StatefulSet: { apiGroup: 'apps', resource: 'statefulsets' },
  DaemonSet: { apiGroup: 'apps', resource: 'daemonsets' },
  CronJob: { apiGroup: 'batch', resource: 'cronjobs' },
} as const

/** `Deployment kube-system/cluster-autoscaler` */
export function objectText({ kind, namespace, name }: ControllerObject): string {
  return `${kind} ${namespace}/${name}`
}

/** What is done to it, for a plan: `to 0 replicas`. */
export function pauseText(pause: Pause): string {
  return `${pause.controller} (${objectText(pause)}: ${pause.isAtRest ? 'at rest already' : howPaused[pause.kind]})`
}

const howPaused: Readonly<Record<Pause['kind'], string>> = {
  Deployment: '0 replicas',
  StatefulSet: '0 replicas',
  CronJob: 'suspended',
  DaemonSet: 'its reboot lock is taken',
}

type Switched = Workload & { readonly kind: 'Deployment' | 'StatefulSet' | 'CronJob' }

/** Top-level ones, which are scaled or suspended. */
function isSwitched(workload: Workload): workload is Switched {
  const { kind, controller } = workload
  return controller === null && (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'CronJob')
}

function objectOf({ kind, namespace, name, desired, paused }: Switched): Found {
  return { kind, namespace, name, isAtRest: kind === 'CronJob' ? paused : desired === 0 }
}

/** kured's lock is on its DaemonSet; a Deployment of that name is something else. */
function isItsKind({ controller }: Competing, kind: ControllerObject['kind']): boolean {
  return controller !== 'kured' || kind === 'DaemonSet'
}

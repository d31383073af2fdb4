import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'
import { evictedPods, toMove } from './workloads.ts'

/** What runs before anything moves, and what its controllers make of an eviction. */
export const baselineChecks: readonly Check[] = [
  { rules: ['PRE-BASELINE'], needs: ['cluster'], run: incomplete },
  { rules: ['PRE-DAEMONSET'], needs: ['cluster'], lacks: countsLacking, run: incompleteDaemonSets },
  { rules: ['PRE-SINGLE-REPLICA'], needs: ['cluster'], run: singleReplicas },
  { rules: ['PRE-JOBS'], needs: ['cluster'], run: runningJobs },
]

// The parts of k3s live here; without them nothing that is evicted starts again.
const systemNamespace = 'kube-system'

function incomplete({ cluster }: AssessContext): Finding[] {
  return (cluster?.workloads ?? [])
    .filter(({ kind, controller }) => kind !== 'Job' && kind !== 'CronJob' && controller === null)
    .filter(({ desired, ready }) => ready < desired)
    .map(({ kind, namespace, name, desired, ready }) =>
      found(
        'PRE-BASELINE',
        { kind, namespace, name, desired, ready },
        {
          subject: { kind, namespace, name },
          severity: namespace === systemNamespace ? 'inhibitor' : 'high',
        },
      ),
    )
}

function countsLacking({ cluster }: AssessContext): string | null {
  return cluster?.daemonSets.some(({ desired }) => desired === undefined) === true
    ? 'the inventory was taken before pods of DaemonSets were counted; take it again'
    : null
}

function incompleteDaemonSets({ cluster }: AssessContext): Finding[] {
  return (cluster?.daemonSets ?? []).flatMap(({ namespace, name, desired = 0, ready = 0 }) =>
    ready >= desired
      ? []
      : [
          found(
            'PRE-DAEMONSET',
            { namespace, name, desired, ready },
            {
              subject: { kind: 'DaemonSet', namespace, name },
              severity: namespace === systemNamespace ? 'inhibitor' : 'high',
            },
          ),
        ],
  )
}

function singleReplicas(context: AssessContext): Finding[] {
  const workloads = new Map(
    (context.cluster?.workloads ?? []).map((one) => [`${one.kind}/${one.namespace}/${one.name}`, one]),
  )
  return toMove(context).flatMap((machine) =>
    evictedPods(machine, context).flatMap((pod) => {
      const direct = workloads.get(`${pod.controller?.kind}/${pod.namespace}/${pod.controller?.name}`)
      const [kind, name] = direct?.controller?.split('/') ?? []
      const top = name === undefined ? direct : workloads.get(`${kind}/${pod.namespace}/${name}`)
      if (top?.desired !== 1 || top.kind === 'Job' || top.kind === 'CronJob') return []
      return [
        found(
          'PRE-SINGLE-REPLICA',
          { node: machine.name, kind: top.kind, namespace: top.namespace, name: top.name, pod: pod.name },
          {
            subject: { kind: top.kind, namespace: top.namespace, name: top.name },
            // In a rollout two pods of one replica can be on two nodes.
            discriminator: machine.name,
          },
        ),
      ]
    }),
  )
}

function runningJobs(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) => {
    const ofJobs = evictedPods(machine, context).filter(isAtWork)
    const jobs = Map.groupBy(ofJobs, ({ namespace, controller }) => `${namespace}/${controller?.name ?? ''}`)
    return [...jobs].flatMap(([, pods]) => {
      const [first] = pods
      if (first === undefined) return []
      const { namespace } = first
      const job = first.controller?.name ?? ''
      return [
        found(
          'PRE-JOBS',
          { node: machine.name, namespace, job, pods: pods.map(({ name }) => name) },
          { subject: { kind: 'Job', namespace, name: job }, discriminator: machine.name },
        ),
      ]
    })
  })
}

function isAtWork({ controller, phase }: Pod): boolean {
  return controller?.kind === 'Job' && controller.apiVersion.startsWith('batch/') && phase === 'Running'
}

import type { Workload } from '../cluster-objects.ts'
import type { Finding, Severity } from '../findings.ts'
import type { ClusterFacts } from '../inventory.ts'
import { word } from './command-text.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'
import { toMove } from './workloads.ts'

/** Software in the cluster that would get in the way of a move, or does not do what is expected of it. */
export const competingChecks: readonly Check[] = [
  { rules: ['PRE-COMPETING'], needs: ['cluster'], run: competing },
  { rules: ['PRE-BACKUP-COVERAGE'], needs: ['cluster'], run: backups },
]

interface Named {
  readonly kind: Workload['kind'] | 'DaemonSet'
  readonly namespace: string
  readonly name: string
}

interface Known {
  readonly controller: string
  /** Names as their charts and manifests give them, with the prefix of a Helm release. */
  readonly names: RegExp
  readonly does: string
  readonly stop: (one: Named) => string
  readonly severity?: (cluster: ClusterFacts) => Severity
}

const scaleDown = ({ kind, namespace, name }: Named): string =>
  kind === 'CronJob'
    ? `kubectl -n ${word(namespace)} patch cronjob ${word(name)} -p '{"spec":{"suspend":true}}'`
    : `kubectl -n ${word(namespace)} scale ${word(`${kind.toLowerCase()}/${name}`)} --replicas=0`

const known: readonly Known[] = [
  {
    controller: 'kured',
    names: /^([\w.-]+-)?kured$/,
    does: 'it drains and reboots nodes on its own',
    // kubereboot/kured: a lock held by a name that is no node keeps every instance from rebooting.
    stop: ({ namespace, name }) =>
      `kubectl -n ${word(namespace)} annotate daemonset ${word(name)} weave.works/kured-node-lock='{"nodeID":"manual"}'`,
  },
  {
    controller: 'system-upgrade-controller',
    names: /^([\w.-]+-)?system-upgrade-controller$/,
    does: 'it drains, changes and reboots nodes for each Plan that selects them',
    stop: scaleDown,
    severity: ({ upgradePlans }) => (upgradePlans.length > 0 ? 'high' : 'low'),
  },
  {
    controller: 'cluster-autoscaler',
    names: /^([\w.-]+-)?cluster-autoscaler$/,
    does: 'it adds and removes nodes; one that is drained looks unneeded to it',
    stop: scaleDown,
  },
  {
    controller: 'descheduler',
    names: /^([\w.-]+-)?descheduler$/,
    does: 'it evicts pods from nodes that look unevenly used',
    stop: scaleDown,
  },
  {
    controller: 'Flux',
    names: /^(kustomize-controller|source-controller|helm-controller|flux)$/,
    does: 'it puts back what you change for the move: replicas, budgets, Plans',
    stop: scaleDown,
  },
  {
    controller: 'Argo CD',
    names: /^([\w.-]+-)?argocd-application-controller$|^argo-cd-application-controller$/,
    does: 'it puts back what you change for the move: replicas, budgets, Plans',
    stop: scaleDown,
  },
]

function competing({ cluster }: AssessContext): Finding[] {
  if (cluster === null) return []
  const running: readonly Named[] = [
    ...cluster.workloads.filter(isAtWork),
    ...cluster.daemonSets.map((one) => ({ kind: 'DaemonSet' as const, ...one })),
  ]
  return known.flatMap(({ controller, names, does, stop, severity }) => {
    const own = running.filter(({ name }) => names.test(name))
    if (own.length === 0) return []
    const occurrence = { subject: { kind: 'Cluster' }, discriminator: controller }
    const facts = { controller, does, found: own, stop: own.map(stop).join(' && ') }
    return [
      found('PRE-COMPETING', facts, {
        ...occurrence,
        ...(severity === undefined ? {} : { severity: severity(cluster) }),
      }),
    ]
  })
}

/** Top-level ones that are not scaled to nothing or suspended. */
function isAtWork({ kind, desired, controller, paused }: Workload): boolean {
  if (controller !== null) return false
  return kind === 'CronJob' ? !paused : (kind === 'Deployment' || kind === 'StatefulSet') && desired > 0
}

function backups(context: AssessContext): Finding[] {
  const { cluster } = context
  if (cluster === null || !hasVelero(cluster)) return []
  const leaving = new Set(toMove(context).map(({ name }) => name))
  const left = cluster.persistentVolumes.filter(
    ({ type, claim, nodes }) =>
      type === 'hostPath' &&
      claim !== null &&
      (nodes.length === 0 || nodes.some((name) => leaving.has(name))),
  )
  if (left.length === 0) return []
  const nodes = [...new Set(left.flatMap((volume) => volume.nodes))].toSorted()
  const volumes = left.map(({ name }) => name)
  return [found('PRE-BACKUP-COVERAGE', { tool: 'Velero', volumes, nodes }, { subject: { kind: 'Cluster' } })]
}

function hasVelero({ apiGroups, workloads, customResources }: ClusterFacts): boolean {
  return (
    Object.hasOwn(apiGroups, 'velero.io') ||
    customResources.some(({ name }) => name === 'backups.velero.io') ||
    workloads.some(({ kind, name }) => kind === 'Deployment' && /^([\w.-]+-)?velero$/.test(name))
  )
}

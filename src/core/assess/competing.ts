import { type ControllerObject, competingAtWork, pausesOf } from '../competing.ts'
import type { Finding } from '../findings.ts'
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

function stopCommand({ kind, namespace, name }: ControllerObject): string {
  switch (kind) {
    case 'CronJob':
      return `kubectl -n ${word(namespace)} patch cronjob ${word(name)} -p '{"spec":{"suspend":true}}'`
    case 'DaemonSet':
      // kubereboot/kured: a lock held by a name that is no node keeps every instance from rebooting.
      return `kubectl -n ${word(namespace)} annotate daemonset ${word(name)} weave.works/kured-node-lock='{"nodeID":"manual"}'`
    case 'Deployment':
    case 'StatefulSet':
      return `kubectl -n ${word(namespace)} scale ${word(`${kind.toLowerCase()}/${name}`)} --replicas=0`
  }
}

function competing({ cluster, settled }: AssessContext): Finding[] {
  if (cluster === null) return []
  const pauses = pausesOf(cluster)
  return competingAtWork(cluster).map(({ controller, does, objects, severity }) => {
    const isPaused = pauses.some((pause) => pause.controller === controller)
    const facts = { controller, does, found: objects, stop: objects.map(stopCommand).join(' && '), isPaused }
    return found('PRE-COMPETING', facts, {
      subject: { kind: 'Cluster' },
      discriminator: controller,
      ...(isPaused && settled.pauses === true
        ? { severity: 'low' }
        : severity === undefined
          ? {}
          : { severity: severity(cluster) }),
    })
  })
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

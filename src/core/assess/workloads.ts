import { classifyPods } from '../drain.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** What is lost when the pods of a node are evicted, and what they wrote on its disk. */
export const workloadChecks: readonly Check[] = [
  { rules: ['PRE-UNMANAGED'], needs: ['cluster'], run: unmanagedPods },
  { rules: ['PRE-EMPTYDIR'], needs: ['cluster'], run: emptyDirs },
  { rules: ['PRE-HOSTPATH'], needs: ['cluster'], run: hostPaths },
]

/** Pods that a drain of this machine would evict and that still do something. */
export function evictedPods({ name }: Machine, { evicted }: AssessContext): readonly Pod[] {
  return evicted.get(name) ?? []
}

/** The same, worked out: many checks ask. */
export function evictedFrom(machine: Machine, daemonSets: ReadonlySet<string>): Pod[] {
  const { evict } = classifyPods(machine.pods, {
    daemonSetExists: (namespace, name) => daemonSets.has(`${namespace}/${name}`),
    deleteEmptyDir: true,
    force: true,
  })
  return evict.filter(({ reason }) => reason !== 'finished' && reason !== 'terminating').map(({ pod }) => pod)
}

export function toMove({ machines }: AssessContext): Machine[] {
  return machines.filter(({ runsK3os }) => runsK3os)
}

function aboutPod(pod: Pod): { kind: string; namespace: string; name: string; uid: string } {
  return { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid }
}

function unmanagedPods(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) =>
    evictedPods(machine, context)
      .filter(({ controller }) => controller === null)
      .map((pod) => {
        const abandoned = context.settled.abandonPods.includes(`${pod.namespace}/${pod.name}`)
        return found(
          'PRE-UNMANAGED',
          { node: machine.name, namespace: pod.namespace, pod: pod.name },
          { subject: aboutPod(pod), severity: abandoned ? 'low' : 'inhibitor' },
        )
      }),
  )
}

function emptyDirs(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) =>
    evictedPods(machine, context).flatMap((pod) => {
      const onDisk = pod.volumes.filter(({ type }) => type === 'emptyDir')
      if (onDisk.length === 0) return []
      const volumes = onDisk.map(({ name }) => name)
      return [
        found(
          'PRE-EMPTYDIR',
          { node: machine.name, namespace: pod.namespace, pod: pod.name, volumes },
          { subject: aboutPod(pod), severity: context.settled.deleteEmptyDir ? 'low' : 'high' },
        ),
      ]
    }),
  )
}

// Made by the system or a component at each start; what is written here need not survive.
const systemPaths = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/run',
  '/tmp',
  '/boot',
  '/lib',
  '/usr',
  '/etc/localtime',
  '/etc/machine-id',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/etc/ssl',
  '/etc/cni',
  '/etc/containerd',
  '/opt/cni',
  '/var/log',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/lib/rancher/k3s/agent',
  '/var/lib/rancher/k3s/data',
]

/** Who writes to which directory. DaemonSet pods are not evicted, but their directories are wiped all the same. */
export function writtenHostPaths({ pods }: Machine): ReadonlyMap<string, readonly string[]> {
  const writers = new Map<string, Set<string>>()
  for (const pod of pods.filter(({ mirror, phase }) => !mirror && phase === 'Running'))
    for (const { type, path, readOnly } of pod.volumes)
      if (type === 'hostPath' && path !== null && !readOnly && !isSystemPath(path))
        writers.set(path, (writers.get(path) ?? new Set()).add(`${pod.namespace}/${pod.name}`))
  return new Map([...writers].map(([path, names]) => [path, [...names].toSorted()]))
}

function hostPaths(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) =>
    [...writtenHostPaths(machine)].map(([path, pods]) =>
      found(
        'PRE-HOSTPATH',
        {
          node: machine.name,
          address: machine.address,
          path,
          pods,
          bytes: machine.facts?.usage[path] ?? null,
        },
        {
          subject: aboutNode(machine),
          discriminator: path,
          severity: isKept(path, machine, context) ? 'info' : 'inhibitor',
        },
      ),
    ),
  )
}

function isSystemPath(path: string): boolean {
  return path === '/' || systemPaths.some((system) => path === system || path.startsWith(`${system}/`))
}

/** The plan keeps the directory itself or one above it. */
export function isKept(path: string, machine: Machine, { settled }: AssessContext): boolean {
  const kept = settled.keptData.get(machine.name) ?? []
  return kept.some((root) => path === root || path.startsWith(`${root.replace(/\/+$/, '')}/`))
}

import { classifyPods } from '../drain.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { readArguments } from '../k3s/arguments.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** What is lost when the pods of a node are evicted, and what they wrote on its disk. */
export const workloadChecks: readonly Check[] = [
  { rules: ['PRE-UNMANAGED', 'PRE-NOT-REPLACED'], needs: ['cluster'], run: lostPods },
  { rules: ['PRE-EMPTYDIR', 'PRE-EMPTYDIR-LARGE'], needs: ['cluster'], run: emptyDirs },
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

function lostPods(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) => {
    const lost = context.leaving.get(machine.name)?.lost ?? []
    const surplus = Map.groupBy(lost, ({ pod, why }) =>
      why.kind === 'not-wanted' ? `${pod.namespace}/${why.controller}` : '',
    )
    return [
      ...lost.flatMap(({ pod, why }) => {
        if (why.kind === 'not-wanted') return []
        const abandoned = context.settled.abandonPods.includes(`${pod.namespace}/${pod.name}`)
        const gone = why.kind === 'controller-gone' ? why.controller : null
        return [
          found(
            'PRE-UNMANAGED',
            { node: machine.name, namespace: pod.namespace, pod: pod.name, gone },
            { subject: aboutPod(pod), severity: abandoned ? 'low' : 'inhibitor' },
          ),
        ]
      }),
      ...[...surplus].flatMap(([discriminator, pods]) => {
        const [first] = pods
        if (first?.why.kind !== 'not-wanted') return []
        const { controller, wants, runs } = first.why
        const facts = { node: machine.name, namespace: first.pod.namespace, controller, wants, runs }
        return [
          found(
            'PRE-NOT-REPLACED',
            { ...facts, pods: pods.map(({ pod }) => pod.name).toSorted() },
            { subject: aboutNode(machine), discriminator },
          ),
        ]
      }),
    ]
  })
}

function emptyDirs(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) =>
    evictedPods(machine, context).flatMap((pod) => {
      const onDisk = emptyDirsOf(pod, machine)
      const large = onDisk.filter(({ bytes }) => bytes !== null && bytes > scratchBytes)
      const rest = onDisk.filter((one) => !large.includes(one))
      const facts = { node: machine.name, namespace: pod.namespace, pod: pod.name }
      const occurrence = { subject: aboutPod(pod) }
      return [
        ...(large.length === 0
          ? []
          : [
              found(
                'PRE-EMPTYDIR-LARGE',
                { ...facts, address: machine.address, volumes: large },
                // A plan that lets go of scratch space has not looked at this one: that takes a waiver.
                occurrence,
              ),
            ]),
        ...(rest.length === 0
          ? []
          : [
              found(
                'PRE-EMPTYDIR',
                { ...facts, volumes: rest },
                { ...occurrence, severity: context.settled.deleteEmptyDir ? 'low' : 'high' },
              ),
            ]),
      ]
    }),
  )
}

/** More than this is hardly a cache that nobody misses. */
const scratchBytes = 100 * 1024 * 1024

export interface EmptyDir {
  readonly name: string
  readonly path: string
  /** Null when nobody has measured it. */
  readonly bytes: number | null
}

/** Those on the disk of the node. */
export function emptyDirsOf({ uid, volumes }: Pod, machine: Machine): EmptyDir[] {
  const onDisk = volumes.filter(({ type }) => type === 'emptyDir')
  if (onDisk.length === 0) return []
  const root = kubeletRoot(machine)
  return onDisk.map(({ name }) => {
    const path = `${root}/pods/${uid}/volumes/kubernetes.io~empty-dir/${name}`
    return { name, path, bytes: machine.facts?.usage[path] ?? null }
  })
}

/** Where the kubelet keeps the volumes of pods; k3s passes `root-dir` on. */
function kubeletRoot({ facts }: Machine): string {
  const words = facts?.service.arguments ?? []
  if (!words.some((word) => word.includes('root-dir='))) return '/var/lib/kubelet'
  const given = readArguments(words, false).flatMap((one) =>
    one.kind === 'flag' && one.flag.name === 'kubelet-arg'
      ? (/^-*root-dir=(\/.*?)\/*$/.exec(String(one.value))?.[1] ?? [])
      : [],
  )
  return given.at(-1) ?? '/var/lib/kubelet'
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

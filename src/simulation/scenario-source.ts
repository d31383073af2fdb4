import type { KubeNode, Pod } from '../core/inventory.ts'
import { anywhere } from '../core/kube-pod.ts'
import { scenarioBundle } from './k3os-root.ts'
import { otherObjects } from './objects.ts'
import { localVolumePath, type Scenario, type ScenarioNode, type ScenarioWorkload } from './scenario.ts'
import type { MachineSource, WorldSource } from './source.ts'

/** A world as a scenario file describes it. */
export function scenarioSource(scenario: Scenario): WorldSource {
  let made = 0
  const id = (): string => {
    made += 1
    return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`
  }
  return {
    server: 'simulation',
    uid: scenario.cluster.uid,
    version: scenario.cluster.version,
    machines: scenario.nodes.map((spec) => machine(scenario, spec, id)),
    pods: scenario.workloads.flatMap((workload) => {
      const places = workload.kind === 'DaemonSet' ? scenario.nodes.map(({ name }) => name) : workload.on
      return places.map((place) => pod(workload, place, id()))
    }),
    budgets: scenario.budgets.map(({ namespace, name, matchLabels, minAvailable }) => ({
      namespace,
      name,
      apiVersion: 'policy/v1beta1',
      selector: { matchLabels, matchExpressions: [] },
      minAvailable,
      maxUnavailable: null,
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    })),
    daemonSets: scenario.workloads
      .filter(({ kind }) => kind === 'DaemonSet')
      .map(({ namespace, name, on }) => ({ namespace, name, desired: on.length, ready: on.length })),
    persistentVolumes: scenario.localVolumes.map((volume) => ({
      name: volume.name,
      storageClass: 'local-path',
      type: 'hostPath',
      path: localVolumePath(volume),
      nodes: [volume.node],
      reclaimPolicy: 'Delete',
      claim: { namespace: volume.namespace, name: volume.claim },
      capacity: `${Math.ceil(volume.bytes / 2 ** 20)}Mi`,
    })),
    upgradePlans: scenario.upgradePlan ? [k3osLatest] : [],
    others: (pods, now) => otherObjects(scenario, pods, now),
  }
}

// As of v0.21.5-k3s2r1: rancher/k3os overlay/share/rancher/k3s/server/manifests/system-upgrade-plans/k3os-latest.yaml
const k3osLatest = {
  namespace: 'k3os-system',
  name: 'k3os-latest',
  image: 'rancher/k3os',
  nodeSelector: {
    matchLabels: { 'k3os.io/upgrade': 'latest' },
    matchExpressions: [
      { key: 'k3os.io/mode', operator: 'Exists', values: [] },
      { key: 'k3os.io/mode', operator: 'NotIn', values: ['live'] },
    ],
  },
}

function pod(workload: ScenarioWorkload, node: string, uid: string): Pod {
  const { namespace, name, kind } = workload
  const controller = {
    Deployment: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-7c9d` },
    StatefulSet: { apiVersion: 'apps/v1', kind: 'StatefulSet', name },
    DaemonSet: { apiVersion: 'apps/v1', kind: 'DaemonSet', name },
    Pod: null,
  }[kind]
  return {
    namespace,
    name: kind === 'Pod' ? name : kind === 'StatefulSet' ? `${name}-0` : `${name}-7c9d-${uid.slice(-4)}`,
    uid,
    node,
    phase: 'Running',
    ready: true,
    terminating: false,
    labels: workload.labels,
    controller,
    mirror: false,
    priority: workload.priority,
    graceSeconds: workload.graceSeconds,
    requests: workload.requests,
    volumes: workload.volumes.map((volume) => {
      const none = { path: null, claim: null, readOnly: false }
      if ('emptyDir' in volume) return { ...none, name: volume.emptyDir, type: 'emptyDir' }
      if ('hostPath' in volume) return { ...none, name: 'host', type: 'hostPath', path: volume.hostPath }
      return { ...none, name: 'data', type: 'persistentVolumeClaim', claim: volume.claim }
    }),
    scheduling: anywhere,
  }
}

function machine(scenario: Scenario, spec: ScenarioNode, id: () => string): MachineSource {
  const texts: Readonly<Record<string, string>> = {
    ...spec.files,
    '/sys/class/dmi/id/product_uuid': `${spec.machine.uuid}\n`,
  }
  return {
    name: spec.name,
    role: spec.role,
    nodePassword: spec.nodePassword,
    node: kubeNode(scenario, spec, id(), id()),
    file: (path) => texts[path],
    archive: (bootId, now) => scenarioBundle(scenario, spec, bootId, now),
  }
}

function kubeNode(scenario: Scenario, spec: ScenarioNode, bootId: string, uid: string): KubeNode {
  const architecture = 'amd64'
  const roleLabels: Record<string, string> =
    spec.role === 'server' ? { 'node-role.kubernetes.io/master': 'true' } : {}
  return {
    name: spec.name,
    uid,
    labels: {
      'kubernetes.io/hostname': spec.name,
      'kubernetes.io/arch': architecture,
      'kubernetes.io/os': 'linux',
      'k3os.io/mode': 'local',
      'k3os.io/version': spec.k3os,
      ...roleLabels,
      ...spec.labels,
    },
    annotations: {},
    taints: spec.taints,
    unschedulable: false,
    ready: true,
    conditions: { MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False' },
    podCidr: `10.42.${scenario.nodes.indexOf(spec)}.0/24`,
    addresses: [
      { type: 'InternalIP', address: spec.address },
      { type: 'Hostname', address: spec.name },
    ],
    bootId,
    machineId: bootId.replaceAll('-', ''),
    systemUuid: spec.machine.uuid,
    osImage: `k3OS ${spec.k3os}`,
    kernelVersion: spec.kernel,
    kubeletVersion: spec.k3s,
    architecture,
    allocatable: { cpu: String(spec.machine.cores), memory: `${spec.machine.memoryMib}Mi`, pods: '110' },
  }
}

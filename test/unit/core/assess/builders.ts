import { assess, type AssessInput } from '../../../../src/core/assess/assess.ts'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { Finding } from '../../../../src/core/findings.ts'
import type {
  ClusterFacts,
  Inventory,
  InventoryNode,
  KubeNode,
  NodeFacts,
  PersistentVolume,
  Pod,
} from '../../../../src/core/inventory.ts'
import { anywhere } from '../../../../src/core/kube-pod.ts'
import type { Requirements } from '../../../../src/core/translation.ts'
import { noObjects, plainMachine } from '../../../support/inventory-parts.ts'

/** A healthy two node cluster without anything to find; each test breaks one thing. */

const uuids: Readonly<Record<string, string>> = {
  s1: '4c4c4544-0001-4a10-8051-b8c04f4d3432',
  a1: '4c4c4544-0002-4a10-8051-b8c04f4d3432',
}

export function nodeFacts(name: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    hostname: name,
    os: { id: 'k3os', version: 'v0.21.5-k3s2r1', prettyName: 'k3OS v0.21.5-k3s2r1' },
    kernel: '5.4.0-88-generic',
    machine: 'x86_64',
    mode: 'local',
    install: 'disk',
    firmware: 'uefi',
    components: {
      k3os: { current: 'v0.21.5-k3s2r1', previous: null },
      k3s: { current: 'v1.21.5+k3s2', previous: null },
      kernel: { current: '5.4.0-88-generic', previous: null },
    },
    markers: [],
    cpu: { model: 'Intel(R) Celeron(R) J4125', cores: 4, flags: [], x86Level: 2 },
    memoryMib: 7800,
    boardModel: null,
    systemUuid: uuids[name] ?? `uuid-of-${name}`,
    bootId: `boot-of-${name}`,
    machineId: `machine-of-${name}`,
    cgroup: 'v1',
    disks: [disk('sda', 61_440)],
    state: { totalMib: 60_000, freeMib: 40_000 },
    interfaces: [],
    defaultGateways: [],
    nameservers: [],
    k3s: {
      version: 'v1.21.5+k3s2',
      role: name.startsWith('s') ? 'server' : 'agent',
      datastore: name.startsWith('s') ? 'sqlite' : 'none',
      hasNodePassword: true,
    },
    usage: {},
    localVolumes: [],
    sshHostKeys: [],
    clockOffsetSeconds: 0.4,
    failures: [],
    ...plainMachine,
    ...changes,
  }
}

export function disk(
  name: string,
  sizeMib: number,
  label: string | null = 'K3OS_STATE',
): NodeFacts['disks'][0] {
  const partition = { name: `${name}1`, sizeMib, fsType: 'ext4', label, uuid: null, mountpoint: '/' }
  return { name, sizeMib, model: null, serial: `serial-${name}`, transport: 'sata', partitions: [partition] }
}

export function machine(name: string, changes: Partial<NodeFacts> = {}): InventoryNode {
  return {
    name,
    address: `${name}.example`,
    status: 'read',
    readAt: '2026-11-23T09:00:00Z',
    how: `ssh rancher@${name}.example:22`,
    bundle: { file: `bundles/${name}.bundle`, sha256: '00' },
    facts: nodeFacts(name, changes),
  }
}

export function kubeNode(name: string, changes: Partial<KubeNode> = {}): KubeNode {
  return {
    name,
    uid: `uid-of-${name}`,
    labels: { 'kubernetes.io/hostname': name, 'k3os.io/mode': 'local', 'k3os.io/version': 'v0.21.5-k3s2r1' },
    annotations: {},
    taints: [],
    unschedulable: false,
    ready: true,
    conditions: {
      Ready: 'True',
      MemoryPressure: 'False',
      DiskPressure: 'False',
      PIDPressure: 'False',
      NetworkUnavailable: 'False',
    },
    podCidr: null,
    addresses: [{ type: 'InternalIP', address: '192.0.2.10' }],
    bootId: `boot-of-${name}`,
    machineId: `machine-of-${name}`,
    systemUuid: (uuids[name] ?? `uuid-of-${name}`).toUpperCase(),
    osImage: 'k3OS v0.21.5-k3s2r1',
    kernelVersion: '5.4.0-88-generic',
    kubeletVersion: 'v1.21.5+k3s2',
    architecture: 'amd64',
    allocatable: { cpu: '4', memory: '7800Mi', pods: '110' },
    ...changes,
  }
}

export function pod(name: string, changes: Partial<Pod> = {}): Pod {
  return {
    namespace: 'shop',
    name,
    uid: `uid-of-${name}`,
    node: 'a1',
    phase: 'Running',
    ready: true,
    terminating: false,
    labels: {},
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-rs` },
    mirror: false,
    priority: 0,
    graceSeconds: 30,
    requests: {},
    volumes: [],
    scheduling: anywhere,
    ...changes,
  }
}

type PodVolume = Pod['volumes'][0]
export function volume(type: string, changes: Partial<PodVolume> = {}): PodVolume {
  return { name: 'data', type, path: null, claim: null, readOnly: false, ...changes }
}

export function localPv(name: string, changes: Partial<PersistentVolume> = {}): PersistentVolume {
  return {
    name,
    storageClass: 'local-path',
    type: 'hostPath',
    path: `/var/lib/rancher/k3s/storage/${name}`,
    nodes: ['a1'],
    reclaimPolicy: 'Delete',
    claim: { namespace: 'shop', name: 'data-db-0' },
    capacity: '5Gi',
    ...changes,
  }
}

export function cluster(changes: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    server: 'https://192.0.2.1:6443',
    uid: 'uid-of-kube-system',
    version: 'v1.21.5+k3s2',
    nodes: [kubeNode('s1'), kubeNode('a1')],
    pods: [],
    pdbs: [],
    persistentVolumes: [],
    daemonSets: [],
    upgradePlans: [],
    lastApplied: [],
    helmReleases: { status: 'read', releases: [] },
    failures: [],
    ...noObjects,
    ...changes,
  }
}

export function inventory(
  facts: ClusterFacts | null = cluster(),
  nodes: readonly InventoryNode[] = [machine('s1'), machine('a1')],
): Inventory {
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Inventory',
    metadata: { createdAt: '2026-11-23T09:00:00Z', toolVersion: '0.1.0' },
    cluster: facts === null ? null : { status: 'read', readAt: '2026-11-23T09:00:00Z', facts },
    nodes: [...nodes],
  }
}

export const easyTarget: Requirements = {
  machines: ['x86_64', 'aarch64'],
  memoryMib: 1024,
  diskMib: 4096,
  x86Level: 1,
  firmware: ['uefi', 'bios'],
  cgroup: ['v1', 'v2'],
  rejoins: true,
}

export function look(document: Inventory, changes: Partial<AssessInput> = {}): Assessment {
  const merged = { status: 'merged', findings: [] } as const
  return assess({
    inventory: document,
    inventorySha256: 'ab'.repeat(32),
    configs: new Map(document.nodes.map(({ name }) => [name, merged])),
    targets: [{ id: 'debian', title: 'Debian', requires: easyTarget }],
    metadata: { createdAt: '2026-11-23T10:00:00.000Z', toolVersion: '0.1.0' },
    ...changes,
  })
}

/** Findings of one rule. */
export function of(assessment: Assessment, rule: string): readonly Finding[] {
  return assessment.findings.filter((f) => f.rule === rule)
}

export function checkResult(assessment: Assessment, rule: string): string | undefined {
  return assessment.checks.find((check) => check.rule === rule)?.result
}

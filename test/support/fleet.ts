import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatBundle } from '../../src/core/bundle.ts'
import type {
  ClusterFacts,
  Inventory,
  InventoryNode,
  KubeNode,
  NodeFacts,
  PersistentVolume,
  Pod,
  PodDisruptionBudget,
} from '../../src/core/inventory.ts'
import { anywhere } from '../../src/core/kube-pod.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { noObjects, plainMachine } from './inventory-parts.ts'
import { bundleOf, k3osNode } from './k3os-node.ts'

/** How large a fleet is. The same numbers and seed give the same fleet. */
export interface FleetSize {
  readonly nodes: number
  readonly pods: number
  readonly seed: number
}

/** Random numbers that are the same on every machine (mulberry32). */
class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, and without, `below`. */
  number(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.number(times) === 0
  }

  pick<T>(first: T, ...others: readonly T[]): T {
    const all = [first, ...others]
    return all[this.number(all.length)] ?? first
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () =>
      this.number(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}

const pad = (index: number): string => String(index).padStart(4, '0')
const readAt = '2026-11-23T09:00:00Z'
const mib = 1024 * 1024

/**
 * A chain of shops as it is found after four years: three servers with etcd, agents of several ages and sizes, volumes on
 * their disks, budgets that are too strict, some machines nobody reaches. `bundles` has the text of each by name.
 */
export function fleet(size: FleetSize): {
  readonly inventory: Inventory
  readonly bundles: ReadonlyMap<string, string>
} {
  const chance = new Chance(size.seed)
  const names = Array.from({ length: size.nodes }, (_, index) =>
    index < 3 ? `server-${index + 1}` : `shop-${pad(index)}`,
  )
  const bundles = new Map<string, string>()
  const machines = names.map((name, index): [KubeNode, InventoryNode] => {
    const uuid = chance.uuid()
    const node = kubeNode(name, index, uuid, chance)
    if (index >= 3 && chance.once(50))
      return [
        node,
        { name, address: `${name}.example`, status: 'error', reason: 'connection refused on port 22' },
      ]
    const text = formatBundle(
      bundleOf(k3osNode({ files: { '/k3os/system/config.yaml': configOf(name, index, chance) } })),
    )
    bundles.set(name, text)
    const sha256 = createHash('sha256').update(text).digest('hex')
    return [
      node,
      {
        name,
        address: `${name}.example`,
        status: 'read',
        readAt,
        how: `ssh rancher@${name}.example:22`,
        bundle: { file: `bundles/${name}.bundle`, sha256 },
        facts: machineFacts(name, index, uuid, chance),
      },
    ]
  })
  const volumes = names.flatMap((name, index) => (index % 2 === 0 ? [volume(name, index)] : []))
  const facts: ClusterFacts = {
    ...noObjects,
    server: 'https://192.0.2.1:6443',
    uid: chance.uuid(),
    version: 'v1.21.5+k3s2',
    nodes: machines.map(([node]) => node),
    pods: Array.from({ length: size.pods }, (_, index) => pod(index, names, chance)),
    pdbs: Array.from({ length: 200 }, (_, index) => budget(index, chance)),
    persistentVolumes: volumes,
    daemonSets: [{ namespace: 'kube-system', name: 'svclb-traefik', desired: size.nodes, ready: size.nodes }],
    upgradePlans: [],
    failures: [],
  }
  const inventory: Inventory = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Inventory',
    metadata: { createdAt: readAt, toolVersion: '0.1.0' },
    cluster: { status: 'read', readAt, facts },
    nodes: machines.map(([, entry]) => entry),
  }
  return { inventory, bundles }
}

/** `inventory.yaml` and `bundles/`, as `inventory` leaves them. */
export function writeFleet(folder: string, size: FleetSize): void {
  const { inventory, bundles } = fleet(size)
  mkdirSync(join(folder, 'bundles'), { recursive: true })
  for (const [name, text] of bundles)
    writeFileSync(join(folder, 'bundles', `${name}.bundle`), text, { mode: 0o600 })
  writeFileSync(join(folder, 'inventory.yaml'), yaml(inventory))
}

function configOf(name: string, index: number, chance: Chance): string {
  const mistake = chance.once(20) ? '  dns_nameserver: [1.1.1.1]\n' : ''
  const rejected = chance.once(100) ? '  modules: kvm: nvme\n' : ''
  return `hostname: ${name}
ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBv0exampleexampleexampleexampleexampleexample ops]
k3os:
  ${index < 3 ? '' : 'server_url: https://192.0.2.1:6443\n  '}token: fleet-token-of-the-example
  labels: {region: r${index % 7}, shop: "${index}"}
  ntp_servers: [0.pool.ntp.org, 1.pool.ntp.org]
  k3s_args: [${index < 3 ? 'server' : 'agent'}, "--node-label=size=small"]
${mistake}${rejected}`
}

function machineFacts(name: string, index: number, uuid: string, chance: Chance): NodeFacts {
  const server = index < 3
  const version = server
    ? 'v1.21.5+k3s2'
    : chance.pick('v1.21.5+k3s2', 'v1.21.5+k3s2', 'v1.20.4+k3s1', 'v1.19.5+k3s2')
  const diskMib = chance.pick(15_000, 30_000, 61_440)
  const partition = {
    name: 'sda1',
    sizeMib: diskMib,
    fsType: 'ext4',
    label: 'K3OS_STATE',
    uuid: null,
    mountpoint: '/',
  }
  return {
    ...plainMachine,
    hostname: name,
    os: { id: 'k3os', version: 'v0.21.5-k3s2r1', prettyName: 'k3OS v0.21.5-k3s2r1' },
    kernel: '5.4.0-88-generic',
    machine: 'x86_64',
    mode: 'local',
    install: 'disk',
    firmware: chance.pick('uefi', 'bios'),
    components: {
      k3os: { current: 'v0.21.5-k3s2r1', previous: null },
      k3s: { current: version, previous: null },
      kernel: { current: '5.4.0-88-generic', previous: null },
    },
    markers: chance.once(200) ? ['ephemeral'] : [],
    cpu: { model: 'Intel(R) Atom(TM) CPU D525', cores: 4, flags: [], x86Level: chance.pick(1, 2, 2, 3) },
    memoryMib: chance.pick(1900, 3900, 7800),
    boardModel: null,
    systemUuid: uuid,
    bootId: `boot-of-${name}`,
    machineId: uuid.replaceAll('-', ''),
    cgroup: 'v1',
    disks: [
      {
        name: 'sda',
        sizeMib: diskMib,
        model: 'SSD',
        serial: `S${index}`,
        transport: 'sata',
        partitions: [partition],
      },
    ],
    state: { totalMib: diskMib, freeMib: Math.floor(diskMib / 2) },
    interfaces: [
      {
        name: 'eth0',
        mac: `52:54:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`,
        state: 'UP',
        addresses: [`10.${index >> 8}.${index & 255}.2/24`],
        driver: chance.pick('e1000e', 'r8169', 'igb', 'bnx2'),
        wireless: false,
      },
    ],
    defaultGateways: [{ via: `10.${index >> 8}.${index & 255}.1`, device: 'eth0' }],
    nameservers: ['192.0.2.53'],
    k3s: {
      version,
      role: server ? 'server' : 'agent',
      datastore: server ? 'etcd' : 'none',
      hasNodePassword: true,
    },
    usage: { '/opt/recordings': chance.number(20_000) * mib },
    localVolumes: index % 2 === 0 ? [{ path: volumePath(index), bytes: chance.number(2000) * mib }] : [],
    sshHostKeys: [],
    clockOffsetSeconds: chance.once(100) ? 400 : 0.2,
    failures: [],
  }
}

function kubeNode(name: string, index: number, uuid: string, chance: Chance): KubeNode {
  return {
    name,
    uid: chance.uuid(),
    labels: {
      'kubernetes.io/hostname': name,
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/os': 'linux',
      'k3os.io/mode': 'local',
      'k3os.io/version': 'v0.21.5-k3s2r1',
      ...(index < 3
        ? { 'node-role.kubernetes.io/etcd': 'true', 'node-role.kubernetes.io/master': 'true' }
        : {}),
    },
    annotations: {},
    taints: [],
    unschedulable: chance.once(200),
    ready: !chance.once(100),
    conditions: { MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False' },
    podCidr: `10.${index >> 8}.${index & 255}.0/24`,
    addresses: [{ type: 'InternalIP', address: `10.${index >> 8}.${index & 255}.2` }],
    bootId: `boot-of-${name}`,
    machineId: uuid.replaceAll('-', ''),
    systemUuid: uuid,
    osImage: 'k3OS v0.21.5-k3s2r1',
    kernelVersion: '5.4.0-88-generic',
    kubeletVersion: 'v1.21.5+k3s2',
    architecture: 'amd64',
    allocatable: { cpu: '4', memory: '7800Mi', pods: '110', 'ephemeral-storage': '50Gi' },
  }
}

const volumePath = (index: number): string =>
  `/var/lib/rancher/k3s/storage/pvc-${pad(index)}_shop_data-${index}`

function volume(node: string, index: number): PersistentVolume {
  return {
    name: `pvc-${pad(index)}`,
    storageClass: 'local-path',
    type: 'hostPath',
    path: volumePath(index),
    nodes: [node],
    reclaimPolicy: 'Delete',
    claim: { namespace: `team-${index % 50}`, name: `data-${index}` },
    capacity: '5Gi',
  }
}

function pod(index: number, names: readonly string[], chance: Chance): Pod {
  const place = index % names.length
  const round = Math.floor(index / names.length)
  const kind = round === 0 ? 'DaemonSet' : round === 1 && place % 2 === 0 ? 'StatefulSet' : 'ReplicaSet'
  const app = `app-${index % 400}`
  const stateful = kind === 'StatefulSet'
  const volumes: Pod['volumes'] = [
    { name: 'kube-api-access', type: 'projected', path: null, claim: null, readOnly: true },
    ...(stateful
      ? [{ name: 'data', type: 'persistentVolumeClaim', path: null, claim: `data-${place}`, readOnly: false }]
      : []),
    ...(chance.once(12)
      ? [{ name: 'cache', type: 'emptyDir', path: null, claim: null, readOnly: false }]
      : []),
    ...(chance.once(80)
      ? [{ name: 'rec', type: 'hostPath', path: '/opt/recordings', claim: null, readOnly: false }]
      : []),
  ]
  return {
    namespace: kind === 'DaemonSet' ? 'kube-system' : `team-${(stateful ? place : index) % 50}`,
    name: `${app}-${index.toString(36)}`,
    uid: chance.uuid(),
    node: names[place] ?? null,
    phase: 'Running',
    ready: !chance.once(100),
    terminating: false,
    labels: { app, 'pod-template-hash': `h${index % 997}` },
    controller: chance.once(300)
      ? null
      : {
          apiVersion: 'apps/v1',
          kind,
          name: kind === 'DaemonSet' ? 'svclb-traefik' : `${app}-${(index % 997).toString(36)}`,
        },
    mirror: false,
    priority: 0,
    graceSeconds: chance.pick(30, 30, 30, 60, 300),
    requests: { cpu: '50m', memory: '64Mi' },
    volumes,
    scheduling: {
      ...anywhere,
      tolerations: ['not-ready', 'unreachable'].map((state) => ({
        key: `node.kubernetes.io/${state}`,
        operator: 'Exists' as const,
        value: '',
        effect: 'NoExecute',
        seconds: 300,
      })),
    },
  }
}

function budget(index: number, chance: Chance): PodDisruptionBudget {
  const allowed = chance.pick(0, 1, 1, 2)
  return {
    namespace: `team-${index % 50}`,
    name: `app-${index}`,
    apiVersion: 'policy/v1beta1',
    selector: { matchLabels: { app: `app-${index}` }, matchExpressions: [] },
    minAvailable: null,
    maxUnavailable: allowed,
    disruptionsAllowed: allowed,
    currentHealthy: 75,
    desiredHealthy: 75 - allowed,
    expectedPods: 75,
  }
}

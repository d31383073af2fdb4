import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Bundle } from '../../src/core/bundle.ts'
import type { KubeNode, NodeFacts } from '../../src/core/inventory.ts'
import { readConfig } from '../../src/core/k3os/read.ts'
import type { NodeToTranslate } from '../../src/core/translate-node.ts'
import { plainMachine } from './inventory-parts.ts'

/**
 * The node of one golden case: `config.yaml`, and where they exist `facts.json` (the facts that matter), `node.json` (of the
 * Node object) and `bundle/` (files of the node).
 */
export function goldenNode(folder: string): NodeToTranslate {
  const reading = readConfig({
    system: { file: 'config.yaml', bytes: readFileSync(`${folder}/config.yaml`) },
    configD: [],
  })
  const facts = optional<Partial<NodeFacts>>(`${folder}/facts.json`)
  const node = optional<Partial<KubeNode>>(`${folder}/node.json`)
  const tree = `${folder}/bundle`
  return {
    name: (reading.status === 'merged' ? reading.config.hostname : undefined) ?? 'node',
    reading,
    bundle: existsSync(tree) ? bundleOfFolder(tree) : null,
    facts: facts === null ? null : factsWith(facts),
    nodeObject: node === null ? null : nodeObjectWith(node),
    nonce: '00112233445566778899aabbccddeeff',
  }
}

/** Facts of a k3OS node of 2021, with these instead. */
export function factsWith(changes: Partial<NodeFacts>): NodeFacts {
  return { ...someFacts, ...changes }
}

export function nodeObjectWith(changes: Partial<KubeNode>): KubeNode {
  return { ...someNode, ...changes }
}

function optional<T>(path: string): T | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null
}

function bundleOfFolder(folder: string): Bundle {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
  return {
    files: new Map(
      paths.map((path) => [
        path.slice(folder.length),
        { mode: 0o600, owner: '0:0', bytes: readFileSync(path) },
      ]),
    ),
    links: new Map(),
    dirs: new Map(),
    seen: new Map(),
    commands: new Map(),
    absent: new Set(['/']),
    errors: new Map(),
  }
}

const someFacts: NodeFacts = {
  hostname: null,
  os: { id: 'k3os', version: 'v0.21.5-k3s2r1', prettyName: 'k3OS v0.21.5-k3s2r1' },
  kernel: '5.4.0-88-generic',
  machine: 'x86_64',
  mode: 'local',
  install: 'disk',
  firmware: 'uefi',
  components: {},
  markers: [],
  cpu: { model: null, cores: 4, flags: [], x86Level: 2 },
  memoryMib: 4096,
  boardModel: null,
  systemUuid: null,
  bootId: null,
  machineId: null,
  cgroup: 'v1',
  disks: [],
  state: { totalMib: 60000, freeMib: 40000 },
  interfaces: [],
  defaultGateways: [],
  nameservers: [],
  k3s: { version: 'v1.21.5+k3s2', role: 'server', datastore: 'sqlite', hasNodePassword: true },
  usage: {},
  localVolumes: [],
  sshHostKeys: [],
  clockOffsetSeconds: 0,
  failures: [],
  ...plainMachine,
}

const someNode: KubeNode = {
  name: 'node',
  uid: 'b2f6a1de-0000-4000-8000-000000000001',
  labels: {},
  annotations: {},
  taints: [],
  unschedulable: false,
  ready: true,
  podCidr: null,
  addresses: [],
  bootId: '',
  machineId: '',
  systemUuid: '',
  osImage: 'k3OS v0.21.5-k3s2r1',
  kernelVersion: '5.4.0-88-generic',
  kubeletVersion: 'v1.21.5+k3s2',
  architecture: 'amd64',
  allocatable: {},
}

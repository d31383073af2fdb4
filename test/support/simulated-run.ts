import { createHash } from 'node:crypto'
import { parseBundle, type Bundle } from '../../src/core/bundle.ts'
import { nodeFacts } from '../../src/core/facts.ts'
import type { JournalRecord } from '../../src/core/journal.ts'
import { noncePath } from '../../src/core/node-paths.ts'
import {
  baselineOf,
  clusterGates,
  configDigests,
  stateDiskSerial,
  volumesOf,
} from '../../src/core/plan-fingerprint.ts'
import { pausesOf } from '../../src/core/competing.ts'
import { tar } from '../../src/core/tar.ts'
import { methods } from '../../src/core/methods.ts'
import type { Plan, PlanNode } from '../../src/core/plan.ts'
import type { RunLock } from '../../src/migrate/lease.ts'
import type { JournalSink, RunFiles } from '../../src/migrate/ports.ts'
import { run, type Run, type RunEvent, type RunResult } from '../../src/migrate/runner.ts'
import type { Rendered, StepPorts } from '../../src/migrate/step.ts'
import { simulatedTrees } from '../../src/simulation/in-place.ts'
import { simulatedKube } from '../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../src/simulation/machines.ts'
import type { Scenario } from '../../src/simulation/scenario.ts'
import { scenarioSource } from '../../src/simulation/scenario-source.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { World } from '../../src/simulation/world.ts'
import { stringify } from 'yaml'

/** A small cluster: one server, two agents, one of them with a volume; every budget can pass. */
export function smallScenario(): Scenario {
  const machine = {
    board: 'Lab',
    cpu: 'Lab CPU',
    cores: 4,
    flags: 'lm',
    memoryMib: 4096,
    diskMib: 64_000,
    freeMib: 40_000,
    firmware: 'bios' as const,
    mac: '52:54:00:00:00:01',
    driver: 'virtio_net',
  }
  const node = (name: string, role: 'server' | 'agent', number: number) => ({
    name,
    role,
    address: `192.0.2.${number}`,
    gateway: '192.0.2.1',
    k3os: 'v0.21.5-k3s2r1',
    k3s: 'v1.21.5+k3s2',
    kernel: '5.4.0-88-generic',
    machine: { ...machine, uuid: `10000000-0000-4000-8000-0000000000${number}` },
    files: { '/etc/os-release': 'ID=k3os\n' },
    labels: { 'example.org/rack': name },
    taints: name === 'b' ? [{ key: 'example.org/till', value: '', effect: 'PreferNoSchedule' }] : [],
    nodePassword: `password-of-${name}`,
  })
  const workload = {
    namespace: 'shops',
    labels: {},
    requests: {},
    volumes: [],
    graceSeconds: 30,
    priority: 0,
  }
  return {
    about: 'small',
    cluster: { version: 'v1.21.5+k3s2', uid: 'cluster-1', token: 'token' },
    nodes: [node('s', 'server', 10), node('a', 'agent', 11), node('b', 'agent', 12)],
    workloads: [
      { ...workload, name: 'web', kind: 'Deployment', on: ['a', 'a', 'b'], labels: { app: 'web' } },
      { ...workload, name: 'logs', kind: 'DaemonSet', on: [] },
      { ...workload, name: 'till', kind: 'StatefulSet', on: ['b'], volumes: [{ claim: 'data-till-0' }] },
    ],
    budgets: [{ namespace: 'shops', name: 'web', matchLabels: { app: 'web' }, minAvailable: 2 }],
    localVolumes: [{ name: 'pvc-1', node: 'b', namespace: 'shops', claim: 'data-till-0', bytes: 1000 }],
    upgradePlan: true,
  }
}

/** The stuck budget that no drain of `a` can pass. */
export function blockedScenario(): Scenario {
  const scenario = smallScenario()
  scenario.budgets = [{ namespace: 'shops', name: 'web', matchLabels: { app: 'web' }, minAvailable: 3 }]
  return scenario
}

export interface Simulated {
  readonly world: World
  readonly files: Map<string, string>
  readonly events: RunEvent[]
  /** The journal as it lies on the disk; survives a "kill". */
  readonly journal: JournalRecord[]
  readonly plan: Plan
  readonly ports: StepPorts
  /** A process of its own on the same world: what it remembers is what the journal says. */
  start(options?: {
    readonly killAfter?: number
    readonly stop?: AbortSignal
    readonly limit?: number
    readonly scrub?: (text: string) => string
    readonly lock?: RunLock
    /** Something else than going on with the run. */
    readonly act?: (job: Run) => Promise<RunResult>
    /** Other ports than those of the simulation: with something around them. */
    readonly ports?: StepPorts
  }): Promise<RunResult>
}

/** Thrown in place of the process dying. */
export class Killed extends Error {}

export function simulate(scenario: Scenario, change: (plan: Plan) => Plan = (plan) => plan): Simulated {
  const world = new World(scenarioSource(scenario), new VirtualClock(new Date('2026-11-24T08:00:00Z')))
  const files = new Map<string, string>()
  const events: RunEvent[] = []
  const journal: JournalRecord[] = []
  let made = 0
  const runFiles: RunFiles = {
    directory: '/run',
    async write(path, content) {
      files.set(path, typeof content === 'string' ? content : new TextDecoder().decode(content))
    },
    read: async (path) => files.get(path),
    async digest(path) {
      const content = files.get(path)
      return content === undefined ? undefined : runFiles.sha256(content)
    },
    async remove(path) {
      for (const name of files.keys()) if (name === path || name.startsWith(`${path}/`)) files.delete(name)
    },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    randomHex(bytes) {
      made += 1
      return made.toString(16).padStart(2 * bytes, '0')
    },
  }
  const kube = simulatedKube(world)
  const ports: StepPorts = {
    kube,
    reader: kube,
    host: simulatedHost(world),
    hook: simulatedHook(world, async (path) => files.get(path.replace('/run/', '')) ?? ''),
    trees: simulatedTrees(''),
    clock: world.clock,
    files: runFiles,
  }
  const plan = change(planFor(world))
  return {
    world,
    files,
    events,
    journal,
    plan,
    ports,
    async start({
      killAfter,
      stop = new AbortController().signal,
      limit,
      scrub = (text: string) => text,
      lock,
      ports: given = ports,
      act = async (job: Run) => run(job, limit),
    } = {}) {
      let appended = 0
      const sink: JournalSink = {
        async append(line) {
          if (killAfter !== undefined && appended >= killAfter) throw new Killed()
          appended += 1
          journal.push(JSON.parse(line) as JournalRecord)
        },
      }
      const job: Run = {
        plan,
        runId: 'run-1',
        ports: given,
        ...(lock === undefined ? {} : { lock }),
        sink,
        records: [...journal],
        translate: async (node, nonce) =>
          plan.method.kind === 'in-place' ? treeOf(nonce) : translationOf(world, node, nonce),
        onEvent: (event) => events.push(event),
        approve: async () => ({ by: 'kim', at: '2026-11-24T08:00:00Z', how: 'file' }),
        scrub,
        stop,
      }
      return act(job)
    },
  }
}

/** The plan, with each node moved in place. */
export function inPlace(plan: Plan): Plan {
  const tree = {
    file: '/trees/debian.tar.zst',
    sha256: '',
    id: 'debian-1',
    title: 'Debian 13',
    mib: 400,
    files: 9000,
    cgroupV1: false,
  }
  return {
    ...plan,
    method: { kind: 'in-place', keepsData: true, hasPointOfNoReturn: false, tree, deadlineSeconds: 1800 },
    nodes: plan.nodes.map((node) => ({
      ...node,
      steps: methods['in-place'].steps.map((id) => ({
        id,
        title: id,
        timeoutMs: id === 'trial' ? 2_700_000 : 600_000,
      })),
    })),
  }
}

function treeOf(nonce: string): Rendered {
  const content = tar([
    { path: noncePath.slice(1), mode: 0o644, owner: '0:0', content: new TextEncoder().encode(`${nonce}\n`) },
  ])
  return { files: [{ path: 'root.tar', content, mode: 0o600 }], delivery: { kind: 'tree', file: 'root.tar' } }
}

function translationOf(world: World, node: PlanNode, nonce: string): Rendered {
  const write_files = [
    { path: '/etc/rancher/node/password', content: world.node(node.name)?.spec.nodePassword },
    { path: noncePath, content: `${nonce}\n` },
  ]
  const files = [{ path: 'user-data', content: stringify({ write_files }), mode: 0o600 as const }]
  return { files, delivery: { kind: 'none', reason: 'test' } }
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** What the machine tells of itself at this moment. */
function machineOf(world: World, name: string): Bundle {
  const node = world.node(name)
  if (node === undefined) throw new Error(`there is no machine ${name}`)
  return parseBundle(node.spec.archive(node.bootId, world.clock.now()), name)
}

function planFor(world: World): Plan {
  const cluster = world.facts()
  const order = [...world.nodes.values()].toSorted((x, y) => (x.spec.role < y.spec.role ? -1 : 1))
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Plan',
    metadata: { createdAt: '2026-11-24T08:00:00Z', toolVersion: '0.0.0' },
    cluster: {
      server: 'simulation',
      uid: world.source.uid,
      version: world.source.version,
    },
    inventory: { file: 'inventory.yaml', sha256: '' },
    target: 'debian',
    method: { kind: 'command', argv: ['./rebuild'], keepsData: true, hasPointOfNoReturn: true },
    policy: {
      deleteEmptyDir: false,
      abandonPods: [],
      drainMode: 'strict',
      onDrainFailure: 'uncordon',
      maxAgeHours: 24,
      windows: [],
    },
    waivers: [],
    waiversSha256: null,
    gates: clusterGates(cluster, sha256),
    pauses: pausesOf(cluster),
    nodes: order.map(({ spec, kube }) => ({
      name: spec.name,
      role: spec.role,
      address: { host: `${spec.name}.example`, port: 22, user: 'rancher' },
      why: 'test',
      canary: false,
      fingerprint: {
        nodeUid: kube.uid,
        systemUuid: kube.systemUuid,
        diskSerial: stateDiskSerial(nodeFacts(machineOf(world, spec.name))),
        config: configDigests(machineOf(world, spec.name), sha256),
        baseline: baselineOf(kube, sha256),
        volumes: volumesOf(kube, cluster, sha256),
        bundleSha256: '',
        translationSha256: '',
      },
      bundleFile: '',
      keptData: cluster.persistentVolumes
        .filter(({ nodes }) => nodes.includes(spec.name))
        .map(({ path }) => path ?? ''),
      evictions: 0,
      soakMs: 120_000,
      steps: methods.command.steps.map((id) => ({ id, title: id, timeoutMs: 600_000 })),
    })),
    digest: 'sha256:test',
  }
}

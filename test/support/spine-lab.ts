import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { probes } from '../../src/core/facts/probes.ts'
import { noncePath, releasePath } from '../../src/core/node-paths.ts'
import { k3osRoot } from '../../src/simulation/k3os-root.ts'
import { localVolumePath, type Scenario, type ScenarioNode } from '../../src/simulation/scenario.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import type { KubeAge } from './control-plane-flags.ts'
import { apply } from './kube-workload.ts'
import { startProcesses } from './lab-processes.ts'
import { fileOn, installNewSystem, newSystem } from './spine-machine.ts'
import { startSshLab, type SshNode } from './sshd.ts'

/** One call of the reimage hook, and whether the machine was still the old one when it came. */
export interface HookCall {
  readonly node: string
  readonly attempt: number
  readonly machine: 'k3os' | 'being rebuilt' | 'new'
}

/** A cluster of a real API server and real sshds, and somebody who rebuilds machines when a hook says so. */
export interface SpineLab {
  readonly scenario: Scenario
  readonly cluster: ControlPlane
  /** `HOME` of the person who runs the tool, with an SSH key that every node accepts and their host keys. */
  readonly home: string
  /** `name=host:port` for `inventory`. */
  readonly hosts: readonly string[]
  /** For `plan --hook`. */
  readonly hook: readonly string[]
  readonly hookCalls: readonly HookCall[]
  /** When nobody served the API, in order. */
  readonly outages: readonly Readonly<Outage>[]
  killApiServer(): Promise<void>
  startApiServer(): Promise<void>
  machine(name: string): SshNode
  /** What went wrong with a machine behind the tool's back; empty when nothing did. */
  readonly troubles: readonly string[]
  stop(): Promise<void>
}

const inputSchema = z.looseObject({
  node: z.string(),
  attempt: z.number(),
  seed: z.string(),
  keepsData: z.boolean(),
})

/** RFC 3339, as in the journal; `to` is null until the server is started again. */
interface Outage {
  readonly from: string
  to: string | null
}

interface Machine {
  readonly spec: ScenarioNode
  readonly ssh: SshNode
  state: HookCall['machine']
}

export async function startSpineLab(
  age: KubeAge,
  scenario: Scenario,
  /** `keepApi`: the API server does not go with the machine of a server, as where there are several. */
  { keepApi = false, ...options }: { readonly audited?: string; readonly keepApi?: boolean } = {},
): Promise<SpineLab> {
  const directory = mkdtempSync(join(tmpdir(), 'k3os-spine-'))
  const cluster = await startControlPlane({ age, ...options })
  const ssh = startSshLab()
  const processes = startProcesses(directory)
  const machines = new Map<string, Machine>()
  const hookCalls: HookCall[] = []
  const troubles: string[] = []
  const outages: Outage[] = []
  const under: Promise<void>[] = []
  const over = new AbortController()

  async function killApiServer(): Promise<void> {
    await cluster.killApiServer()
    outages.push({ from: new Date().toISOString(), to: null })
  }

  async function startApiServer(): Promise<void> {
    // It answers before it says that it is ready.
    const outage = outages.at(-1)
    if (outage !== undefined) outage.to = new Date().toISOString()
    await cluster.startApiServer()
  }

  /** From here on nobody waits for it: the tool has to find out by looking. */
  async function rebuild(machine: Machine, seed: string, keepsData: boolean): Promise<void> {
    const { spec } = machine
    await cluster.stopKubelet(spec.name)
    // The only server is the API: it goes with its machine.
    if (spec.role === 'server' && !keepApi) await killApiServer()
    const bootId = await installNewSystem(machine.ssh, seed, keepsData, processes)
    machine.state = 'new'
    await startK3sWhenReleased(machine, bootId)
  }

  async function startK3sWhenReleased({ spec, ssh: node }: Machine, bootId: string): Promise<void> {
    while (fileOn(node, releasePath) === undefined) await sleep(100, undefined, { signal: over.signal })
    // What a k3s server would check, and refuse with "Node password rejected".
    if (fileOn(node, '/etc/rancher/node/password')?.trim() !== spec.nodePassword)
      throw new Error('the new system does not have the node password of the old one')
    if (fileOn(node, releasePath) !== fileOn(node, noncePath)) throw new Error('released by something else')
    if (spec.role === 'server' && !keepApi) await startApiServer()
    await cluster.setNodeInfo(spec.name, {
      bootID: bootId,
      machineID: bootId.replaceAll('-', ''),
      osImage: newSystem,
      kernelVersion: '6.12.57+deb13-amd64',
    })
    await cluster.startKubelet(spec.name)
  }

  function rebuildOnce(input: z.infer<typeof inputSchema>): string {
    const machine = machines.get(input.node)
    if (machine === undefined) throw new Error(`there is no machine ${input.node}`)
    hookCalls.push({ node: input.node, attempt: input.attempt, machine: machine.state })
    if (machine.state !== 'k3os') throw new Error(`${input.node} is ${machine.state}`)
    machine.state = 'being rebuilt'
    const work = rebuild(machine, input.seed, input.keepsData).catch((error: unknown) => {
      if (!over.signal.aborted) troubles.push(`${input.node}: ${String(error)}`)
    })
    under.push(work)
    return `${input.node} goes down`
  }

  const server = createServer((request: IncomingMessage, response) => {
    text(request)
      .then((body) => response.end(rebuildOnce(inputSchema.parse(JSON.parse(body)))))
      .catch((error: unknown) => response.writeHead(409).end(String(error)))
  }).listen(0, '127.0.0.1')

  async function stop(): Promise<void> {
    over.abort()
    server.close()
    await Promise.all(under)
    await Promise.all([cluster.stop(), ssh.stop(), processes.stop()])
    rmSync(directory, { recursive: true, force: true })
  }

  try {
    await once(server, 'listening')
    for (const spec of scenario.nodes) {
      const bootId = randomUUID()
      const machine = { spec, ssh: await startMachine(spec, bootId), state: 'k3os' as const }
      machines.set(spec.name, machine)
      await cluster.createNode(kubeNode(spec, bootId))
    }
    await Promise.all(scenario.nodes.map(async ({ name }) => cluster.startKubelet(name)))
    await apply(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await apply(cluster, ...scenario.localVolumes.map(localVolume))
  } catch (error) {
    await stop()
    throw error
  }

  async function startMachine(spec: ScenarioNode, bootId: string): Promise<SshNode> {
    const bundle = k3osRoot(scenario, spec, bootId, 0)
    // Its clock runs.
    const commands = new Map(bundle.commands)
    commands.delete(probes.epochSeconds)
    const node = await ssh.startNode(spec.name, { ...bundle, commands })
    const data = scenario.localVolumes.filter((volume) => volume.node === spec.name).map(localVolumePath)
    if (spec.role === 'server') data.push('/var/lib/rancher/k3s/server/tls')
    for (const path of data) writeFileSync(join(node.root, path, 'data'), `data of ${path}\n`)
    return node
  }

  const hookProgram = fileURLToPath(new URL('spine-hook.ts', import.meta.url))
  const { port } = server.address() as AddressInfo
  mkdirSync(ssh.home, { recursive: true })
  return {
    scenario,
    cluster,
    home: ssh.home,
    hosts: [...machines.values()].map(({ spec, ssh: node }) => `${spec.name}=${node.host}:${node.port}`),
    hook: [process.execPath, hookProgram, `http://127.0.0.1:${port}`],
    hookCalls,
    troubles,
    outages,
    killApiServer,
    startApiServer,
    machine(name) {
      const machine = machines.get(name)
      if (machine === undefined) throw new Error(`there is no machine ${name}`)
      return machine.ssh
    },
    stop,
  }
}

function kubeNode(spec: ScenarioNode, bootId: string) {
  return {
    name: spec.name,
    // The machine answers with this address as well; another one would be another machine.
    internalIp: spec.address,
    labels: {
      'k3os.io/mode': 'local',
      'k3os.io/version': spec.k3os,
      ...(spec.role === 'server' ? { 'node-role.kubernetes.io/master': 'true' } : {}),
      ...spec.labels,
    },
    taints: spec.taints,
    nodeInfo: {
      bootID: bootId,
      machineID: bootId.replaceAll('-', ''),
      systemUUID: spec.machine.uuid,
      osImage: `k3OS ${spec.k3os}`,
      kernelVersion: spec.kernel,
      kubeletVersion: spec.k3s,
    },
  }
}

/** As the local-path provisioner of k3s makes them, with the claim it is for. */
function localVolume(volume: Scenario['localVolumes'][number]): object {
  const on = [
    { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [volume.node] }] },
  ]
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume.name },
    spec: {
      capacity: { storage: '1Mi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'local-path',
      claimRef: { namespace: volume.namespace, name: volume.claim },
      hostPath: { path: localVolumePath(volume), type: 'DirectoryOrCreate' },
      nodeAffinity: { required: { nodeSelectorTerms: on } },
    },
  }
}

import { execFileSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApi, type ApiAnswer, type ApiRequest } from './api-request.ts'
import {
  apiserverArgs,
  auditLogFile,
  auditPolicy,
  auditPolicyFile,
  controllerManagerArgs,
  etcdArgs,
  kubeletArgs,
  schedulerArgs,
  type KubeAge,
} from './control-plane-flags.ts'
import {
  freePorts,
  labEnvironment,
  runToEnd,
  startProcesses,
  until,
  type CommandResult,
} from './lab-processes.ts'

/** What a kubelet reports about its machine; a reimaged machine comes back with another bootID and osImage. */
export interface NodeInfo {
  readonly bootID: string
  readonly machineID: string
  readonly systemUUID: string
  readonly osImage: string
  readonly kernelVersion: string
  readonly kubeletVersion: string
  readonly containerRuntimeVersion: string
}

export interface NodeSpec {
  readonly name: string
  /** What is left out is as on a k3OS machine, with identities of its own. */
  readonly nodeInfo?: Partial<NodeInfo>
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly internalIp?: string
  /** Both capacity and allocatable. */
  readonly capacity?: Readonly<Record<string, string>>
}

/** One request as the API server's own audit log has it. */
export interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly requestURI: string
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
}

export interface ControlPlane {
  /** Of a cluster administrator, with embedded keys. */
  readonly kubeconfig: string
  readonly server: string
  /** The server's gitVersion. */
  readonly version: string
  /** The kubectl of the newer age, whatever the age of the server. */
  kubectl(args: readonly string[], input?: string): Promise<CommandResult>
  /** As administrator. */
  readonly request: ApiRequest
  /** Registers a node as its kubelet would. It is NotReady until its kubelet runs. */
  createNode(node: NodeSpec): Promise<void>
  /** Changes what the node reports about itself. Stop its kubelet first if the machine is meant to reboot. */
  setNodeInfo(name: string, nodeInfo: Partial<NodeInfo>): Promise<void>
  /** Starts the simulated kubelet of one node and waits until the node is Ready and takes pods. */
  startKubelet(name: string): Promise<void>
  /** The node went away: heartbeats stop, and the node turns NotReady after `notReadyAfterMs`. */
  stopKubelet(name: string): Promise<void>
  /** Every request so far by an account of the audited namespace. */
  audit(): AuditEvent[]
  /** The API server dies without a word; everything else goes on. */
  killApiServer(): Promise<void>
  /** It comes back with what it had stored, and serves when this returns. */
  startApiServer(): Promise<void>
  stop(): Promise<void>
}

const buildScript = fileURLToPath(new URL('../../lab/build.sh', import.meta.url))
const startTimeoutMs = 120_000
const kubeletTimeoutMs = 60_000

/** Why a control plane of this age cannot be started here and what to run, or undefined when it can. */
export function controlPlaneMissing(age: KubeAge): string | undefined {
  try {
    const absent = Object.values(findBinaries(age)).find((path) => !existsSync(path))
    return absent && `the control plane of Kubernetes ${age} is not built (no ${absent}); run lab/build.sh`
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    return `the control plane of Kubernetes ${age} is not to be found: ${reason}`
  }
}

/** Starts a whole control plane on the loopback interface, without any node. It dies with the test process. */
export async function startControlPlane(options: {
  readonly age: KubeAge
  readonly signal?: AbortSignal
  /** Requests of the service accounts of this namespace are written down. */
  readonly audited?: string
}): Promise<ControlPlane> {
  const { age, signal, audited } = options
  const missing = controlPlaneMissing(age)
  if (missing !== undefined) throw new Error(missing)
  const { controlPlane, tools } = findBinaries(age)
  const dir = await mkdtemp(join(tmpdir(), `k3os-migrate-kube-${age}-`))
  const processes = startProcesses(dir)
  const kubelets = new Map<string, ChildProcess>()
  const kubeconfig = join(dir, 'admin.kubeconfig')
  let close = (): void => {}
  let nodes = 0

  async function stop(): Promise<void> {
    signal?.removeEventListener('abort', abort)
    close()
    await processes.stop()
  }
  function abort(): void {
    void stop()
  }
  signal?.addEventListener('abort', abort, { once: true })

  try {
    const ports = await freePorts('etcd', 'peer', 'api')
    const server = `https://127.0.0.1:${ports.api}`
    execFileSync(tools, ['certs', '--server', server, dir])
    writeFileSync(join(dir, 'stages.yaml'), execFileSync(tools, ['kwok-stages']))
    if (audited !== undefined) writeFileSync(join(dir, auditPolicyFile), auditPolicy(audited))
    const api = await openApi(server, kubeconfig)
    close = api.close

    function startApiServer(): ChildProcess {
      return processes.start(
        'apiserver',
        controlPlane,
        apiserverArgs(dir, ports.etcd, ports.api, audited !== undefined),
      )
    }

    processes.start('etcd', tools, etcdArgs(dir, ports.etcd, ports.peer))
    let apiServer = startApiServer()
    const deadline = AbortSignal.timeout(startTimeoutMs)
    const starting = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
    await until(`${server} is ready`, starting, async () => {
      processes.check()
      return isServing(api.request)
    })
    // These two give up when they find no API server.
    processes.start('controller-manager', controlPlane, controllerManagerArgs(dir, age))
    processes.start('scheduler', controlPlane, schedulerArgs(dir, age))
    await until('pods can be created', starting, async () => {
      processes.check()
      return podsAreAdmitted(api.request, age)
    })
    const version = (await api.request<{ gitVersion: string }>('GET', '/version')).body.gitVersion

    return {
      kubeconfig,
      server,
      version,
      request: api.request,
      stop,
      async kubectl(args, input = '') {
        return runToEnd(
          tools,
          ['kubectl', ...args],
          { ...labEnvironment(dir), KUBECONFIG: kubeconfig },
          input,
        )
      },
      async createNode(node) {
        await expectSuccess(api.request('POST', '/api/v1/nodes', nodeManifest(node, `10.42.${nodes++}.0/24`)))
      },
      async setNodeInfo(name, nodeInfo) {
        await expectSuccess(api.request('PATCH', `/api/v1/nodes/${name}/status`, { status: { nodeInfo } }))
      },
      async startKubelet(name) {
        if (kubelets.has(name)) throw new Error(`the kubelet of ${name} runs already`)
        const kubelet = processes.start(`kubelet-${name}`, tools, kubeletArgs(dir, kubeconfig, name))
        kubelets.set(name, kubelet)
        await until(`pods can run on ${name}`, AbortSignal.timeout(kubeletTimeoutMs), async () => {
          processes.check()
          return isUsable(api.request, name)
        })
      },
      async stopKubelet(name) {
        const kubelet = kubelets.get(name)
        if (kubelet === undefined) throw new Error(`the kubelet of ${name} does not run`)
        kubelets.delete(name)
        await processes.kill(kubelet)
      },
      audit() {
        const lines = readFileSync(join(dir, auditLogFile), 'utf8').trimEnd().split('\n')
        return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent)
      },
      async killApiServer() {
        await processes.kill(apiServer)
      },
      async startApiServer() {
        apiServer = startApiServer()
        await until(`${server} is ready again`, AbortSignal.timeout(startTimeoutMs), async () => {
          processes.check()
          return isServing(api.request)
        })
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The binary with the servers of this age, and the newer one with everything else. */
function findBinaries(age: KubeAge): { readonly controlPlane: string; readonly tools: string } {
  const lines = execFileSync(buildScript, ['--where'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const paths = new Map(
    lines
      .trim()
      .split('\n')
      .map((line) => line.split(' ', 2) as [string, string]),
  )
  const controlPlane = paths.get(`k8s-${age}`)
  const tools = paths.get('k8s-1.35')
  if (controlPlane === undefined || tools === undefined)
    throw new Error(`${buildScript} names no binary for ${age}`)
  return { controlPlane, tools }
}

function nodeManifest(node: NodeSpec, podCidr: string): unknown {
  const resources = node.capacity ?? { cpu: '4', memory: '8Gi', pods: '110' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        ...node.labels,
      },
      annotations: node.annotations,
    },
    // The controller manager could hand these out too, but the old one takes ten seconds to start doing so.
    spec: { taints: node.taints, podCIDR: podCidr, podCIDRs: [podCidr] },
    status: {
      addresses: [
        { type: 'InternalIP', address: node.internalIp ?? '127.0.0.1' },
        { type: 'Hostname', address: node.name },
      ],
      capacity: resources,
      allocatable: resources,
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        bootID: randomUUID(),
        machineID: randomUUID().replaceAll('-', ''),
        systemUUID: randomUUID(),
        osImage: 'k3OS v0.20.11-k3s2r0',
        kernelVersion: '5.4.0-88-generic',
        kubeletVersion: 'v1.20.11+k3s2',
        kubeProxyVersion: 'v1.20.11+k3s2',
        containerRuntimeVersion: 'containerd://1.4.9-k3s1',
        ...node.nodeInfo,
      },
    },
  }
}

async function isServing(request: ApiRequest): Promise<boolean> {
  try {
    return (await request('GET', '/readyz')).status === 200
  } catch {
    return false // it does not listen yet
  }
}

/** Ready, and the controller manager has taken away the taints that keep pods off a node that is not. */
async function isUsable(request: ApiRequest, node: string): Promise<boolean> {
  const { body } = await request<{
    spec?: { taints?: { key: string }[] }
    status?: { conditions?: { type: string; status: string }[] }
  }>('GET', `/api/v1/nodes/${node}`)
  const ready =
    body.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  const lost = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
  return ready && !(body.spec?.taints?.some(({ key }) => lost.includes(key)) ?? false)
}

/** Pods are refused until their namespace has a service account; 1.20 wants that account's token Secret too. */
async function podsAreAdmitted(request: ApiRequest, age: KubeAge): Promise<boolean> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default'
  const { status, body } = await request<{ secrets?: unknown[] }>('GET', path)
  return status === 200 && (age !== '1.20' || body.secrets !== undefined)
}

async function expectSuccess(answer: Promise<ApiAnswer<unknown>>): Promise<void> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`the API server answered ${status}: ${JSON.stringify(body)}`)
}

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApi, type ApiRequest } from './api-request.ts'
import { controlPlaneMissing, startControlPlane } from './control-plane.ts'
import { freePorts, startProcesses, until } from './lab-processes.ts'
import type { DiskOptions } from './vm-disk.ts'

/** A cluster on this computer that machines in QEMU join. */
export interface VmCluster {
  /** What machines with this router have as `server_url`. */
  readonly serverUrl: string
  readonly token: string
  /** The k3s to put on machines. */
  readonly k3s: string
  /** Of a cluster administrator. */
  readonly kubeconfig: string
  readonly request: ApiRequest
  stop(): Promise<void>
}

const script = fileURLToPath(new URL('../../lab/k3s-standin.sh', import.meta.url))
const buildScript = fileURLToPath(new URL('../../lab/build.sh', import.meta.url))
const startTimeoutMs = 120_000

/** A real k3s, named by `K3S=FILE`, which is then on the machines and on this computer in place of the stand-in. */
export function realK3s(): string | undefined {
  return process.env['K3S']
}

function standIn(): string {
  return execFileSync(script, ['--where'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Why no such cluster can be started here, with what to run; undefined when one can. */
export function missingForVmCluster(): string | undefined {
  const real = realK3s()
  if (real !== undefined) return existsSync(real) ? undefined : `there is no k3s at K3S=${real}`
  const path = standIn()
  if (!existsSync(path)) return `the stand-in for k3s is not built (no ${path}); run lab/k3s-standin.sh`
  return controlPlaneMissing('1.20')
}

/** For `makeDisk` of a machine that is a server; empty when K3S names a real one, which needs nothing else. */
export function serverK3s(): Pick<DiskOptions, 'k3s' | 'serverParts'> {
  const real = realK3s()
  if (real !== undefined) return { k3s: real }
  const lines = execFileSync(buildScript, ['--where'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const path = (module: string): string => {
    const [, found] = new RegExp(`^${module} (.*)$`, 'm').exec(lines) ?? []
    if (found === undefined) throw new Error(`${buildScript} names no ${module}`)
    return found
  }
  return { k3s: standIn(), serverParts: { controlPlane: path('k8s-1.20'), tools: path('k8s-1.35') } }
}

/** `router` is the address under which machines reach this computer. */
export async function startVmCluster(router: string, token: string): Promise<VmCluster> {
  const real = realK3s()
  return real === undefined
    ? startStandInCluster(standIn(), router, token)
    : startRealCluster(real, router, token)
}

async function startStandInCluster(k3s: string, router: string, token: string): Promise<VmCluster> {
  const controlPlane = await startControlPlane({ age: '1.20' })
  const directory = mkdtempSync(join(tmpdir(), 'k3os-vm-cluster-'))
  const processes = startProcesses(directory)
  async function stop(): Promise<void> {
    await Promise.all([processes.stop(), controlPlane.stop()])
  }
  try {
    const { port } = await freePorts('port')
    const tokenFile = join(directory, 'token')
    writeFileSync(tokenFile, token)
    processes.start('supervisor', k3s, [
      'supervisor',
      `--kubeconfig=${controlPlane.kubeconfig}`,
      `--token-file=${tokenFile}`,
      `--data=${directory}`,
      `--listen=127.0.0.1:${port}`,
      `--tls-san=127.0.0.1,${router}`,
    ])
    await until('the supervisor listens', AbortSignal.timeout(startTimeoutMs), async () => {
      processes.check()
      return readFileSync(join(directory, 'supervisor.log'), 'utf8').includes('listens at')
    })
    const { kubeconfig, request } = controlPlane
    return { serverUrl: `https://${router}:${port}`, token, k3s, kubeconfig, request, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** k3s's own server, without an agent, so that only the machines are nodes. */
async function startRealCluster(k3s: string, router: string, token: string): Promise<VmCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'k3os-vm-cluster-'))
  const processes = startProcesses(directory)
  const { port } = await freePorts('port')
  const kubeconfig = join(directory, 'k3s.yaml')
  let close = (): void => {}
  async function stop(): Promise<void> {
    close()
    await processes.stop()
  }
  try {
    processes.start('server', k3s, [
      'server',
      '--disable-agent',
      `--data-dir=${join(directory, 'data')}`,
      `--https-listen-port=${port}`,
      '--bind-address=127.0.0.1',
      `--advertise-address=${router}`,
      `--tls-san=${router}`,
      `--token=${token}`,
      `--write-kubeconfig=${kubeconfig}`,
    ])
    const starting = AbortSignal.timeout(startTimeoutMs)
    await until('k3s has written a kubeconfig', starting, async () => {
      processes.check()
      return existsSync(kubeconfig)
    })
    const api = await openApi(`https://127.0.0.1:${port}`, kubeconfig)
    close = api.close
    await until('k3s serves', starting, async () => {
      processes.check()
      try {
        return (await api.request('GET', '/readyz')).status === 200
      } catch {
        return false // it does not listen yet
      }
    })
    return { serverUrl: `https://${router}:${port}`, token, k3s, kubeconfig, request: api.request, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export interface VmNode {
  readonly metadata: { readonly uid: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] }
  readonly status: {
    readonly nodeInfo: Readonly<Record<string, string>>
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** The Node, when it is there and `wanted` holds of it; waits for that. */
export async function waitForNode(
  cluster: Pick<VmCluster, 'request'>,
  name: string,
  what: string,
  wanted: (node: VmNode) => boolean,
  timeoutMs: number,
): Promise<VmNode> {
  let found: VmNode | undefined
  await until(`${name} ${what}`, AbortSignal.timeout(timeoutMs), async () => {
    try {
      const { status, body } = await cluster.request<VmNode>('GET', `/api/v1/nodes/${name}`)
      if (status === 200 && wanted(body)) found = body
    } catch {
      return false // the machine that serves the API may be the one that is waited for
    }
    return found !== undefined
  })
  if (found === undefined) throw new Error(`${name} vanished`)
  return found
}

export function isReady(node: VmNode): boolean {
  return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

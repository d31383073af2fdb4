import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DrainResult, resultOf, type Said } from './drain-result.ts'
import { labEnvironment } from './lab-processes.ts'
import type { KubectlFlags } from '../../src/migrate/drain-kubectl-pods.ts'
import { type ClusterScript, startStubCluster, type StubCluster } from './stub-cluster.ts'

export const kubectlAges = ['1.20', '1.23', '1.28', '1.35'] as const
export type KubectlAge = (typeof kubectlAges)[number]

const script = fileURLToPath(new URL('../../lab/kubectl.sh', import.meta.url))

const paths = new Map<string, string>(
  execFileSync(script, ['--where', ...kubectlAges], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ', 2) as [string, string]),
)

/** Path of the kubectl of this age, whether it is there or not. */
export function kubectlPath(age: KubectlAge): string {
  const path = paths.get(age)
  if (path === undefined) throw new Error(`${script} does not know kubectl ${age}`)
  return path
}

/** Why this kubectl cannot be run and what to do, or undefined when it can. */
export function kubectlMissing(age: KubectlAge): string | undefined {
  const path = kubectlPath(age)
  return existsSync(path) ? undefined : `kubectl ${age} is not there (no ${path}); run lab/kubectl.sh`
}

/** A drain as a test asks for it; each client takes what it knows of it. */
export interface DrainOrder {
  readonly nodes: readonly string[]
  readonly flags: KubectlFlags
  /** How long a single request may take. */
  readonly requestMs?: number
  /** The user presses ctrl-c at the first eviction that is refused. */
  readonly interrupt?: boolean
  /** Instead of what the flags say. */
  readonly argv?: readonly string[]
}

export interface Drained {
  readonly result: DrainResult
  readonly requests: number
  readonly seconds: number
  /** For the reader of a failed test. */
  readonly output: string
}

/** `kubectl drain` against a fresh cluster of this script. */
export async function drainWithKubectl(
  age: KubectlAge,
  clusterScript: ClusterScript,
  order: DrainOrder,
): Promise<Drained> {
  const cluster = await startStubCluster(clusterScript)
  const startMs = performance.now()
  try {
    const { code, output } = await runKubectl(kubectlPath(age), argvOf(order), cluster, order)
    const result = resultOf(cluster, said(code, output))
    return { result, requests: cluster.requests.length, seconds: secondsSince(startMs), output }
  } finally {
    await cluster.end()
  }
}

export function secondsSince(startMs: number): number {
  return Math.round((performance.now() - startMs) / 1000)
}

function argvOf({ nodes, flags, argv, requestMs }: DrainOrder): string[] {
  if (argv !== undefined) return ['drain', ...argv]
  return [
    'drain',
    ...nodes,
    ...(flags.force ? ['--force'] : []),
    ...(flags.ignoreDaemonSets ? ['--ignore-daemonsets'] : []),
    ...(flags.deleteEmptyDir ? ['--delete-emptydir-data'] : []),
    ...(flags.graceSeconds === null ? [] : [`--grace-period=${flags.graceSeconds}`]),
    ...(flags.timeoutMs === null ? [] : [`--timeout=${flags.timeoutMs}ms`]),
    ...(flags.podSelector === '' ? [] : [`--pod-selector=${flags.podSelector}`]),
    ...(flags.disableEviction ? ['--disable-eviction'] : []),
    ...(flags.skipEndingForSeconds === 0
      ? []
      : [`--skip-wait-for-delete-timeout=${flags.skipEndingForSeconds}`]),
    ...(flags.dryRun === 'none' ? [] : [`--dry-run=${flags.dryRun}`]),
    ...(requestMs === undefined ? [] : [`--request-timeout=${requestMs}ms`]),
  ]
}

const patienceMs = 200_000

/** `code` is null when a signal ended it. */
async function runKubectl(
  binary: string,
  args: readonly string[],
  cluster: StubCluster,
  { interrupt = false }: DrainOrder,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = { ...labEnvironment(dirname(cluster.kubeconfig)), KUBECONFIG: cluster.kubeconfig }
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; output: string }>()
  // Several run at the same time on few cores.
  const child = spawn(binary, args, { env: { ...env, GOMAXPROCS: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
  // The stub and our own drains must not wait for them.
  if (child.pid !== undefined) setPriority(child.pid, 5)
  const limit = AbortSignal.timeout(patienceMs)
  let output = ''
  const collect = (chunk: Buffer) => (output += chunk.toString())
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  if (interrupt) cluster.onRefusedEviction = () => setTimeout(() => child.kill('SIGINT'), 500)
  limit.addEventListener('abort', () => child.kill('SIGKILL'))
  child.on('error', reject)
  child.on('close', (code) => {
    if (limit.aborted) reject(new Error(`kubectl ${args.join(' ')} did not end:\n${output}`))
    else resolve({ code, output })
  })
  return promise
}

const pods = String.raw`((?:[\w.-]+/[\w.-]+(?:, )?)+)`

/** kubectl's words of 1.20 to 1.35, by code. */
const refusalCodes: readonly (readonly [RegExp, string])[] = [
  [/^DaemonSet-managed Pods/, 'daemonset'],
  [/local storage/, 'empty-dir'],
  [/declare no controller|not managed by/, 'unmanaged'],
  [/^daemonsets\.apps ".*" not found/, 'daemonset-missing'],
  [/./, 'daemonset-unknown'],
]
const warningCodes: readonly (readonly [RegExp, string])[] = [
  [/^ignoring DaemonSet-managed Pods/, 'daemonset'],
  [/declare no controller|not managed by/, 'unmanaged'],
  [/./, 'another warning'],
]

function said(code: number | null, output: string): Said {
  const warnings: string[] = []
  const retried: string[] = []
  const errors: string[] = []
  for (const line of output.split('\n')) {
    const warning = /^warning: (.*)$/i.exec(line)?.[1]
    if (warning !== undefined) {
      for (const [, what = '', names = ''] of warning.matchAll(new RegExp(`(?:^|; )(.+?): ${pods}`, 'g')))
        warnings.push(...coded(warningCodes, what, names))
      continue
    }
    const retry = /error when evicting pods?\/?\s?"([^"]+)".*\(will retry after 5s\)/.exec(line)
    if (retry !== null) {
      retried.push(`shop/${retry[1]}`)
      continue
    }
    // The same again, for the whole node.
    if (/^There are pending pods|^There are pending nodes/.test(line)) continue
    errors.push(...errorsIn(line))
  }
  return { exit: code === 0 ? 'ok' : 'failed', warnings, retried, errors }
}

function errorsIn(line: string): string[] {
  const found: string[] = []
  const cannotDelete = new RegExp(`cannot delete (?:cannot delete )?(.+?): ${pods}`, 'g')
  for (const [, what = '', names = ''] of line.matchAll(cannotDelete))
    found.push(...coded(refusalCodes, what, names))
  const onePod = /error when (?:evicting|waiting for|deleting) pods?\/?\s?"([^"]+)"(.*?)(?=error when|$)/g
  for (const [, name, rest = ''] of line.matchAll(onePod))
    found.push(`${/global timeout reached|deadline exceeded/.test(rest) ? 'timeout' : 'failed'} shop/${name}`)
  const cordon = /unable to cordon node "([^"]+)"/.exec(line)
  if (cordon !== null) found.push(`cordon ${cordon[1]}`)
  if (/nodes "[^"]+" not found/.test(line)) found.push('no-node')
  if (/^error: (?:context deadline exceeded|timed out waiting for the condition)$/.test(line))
    found.push('timeout')
  if (/the list failed/.test(line)) found.push('list')
  if (/cannot specify both|USAGE|must be a valid label selector|no node specified/i.test(line))
    found.push('usage')
  return found
}

function coded(codes: readonly (readonly [RegExp, string])[], what: string, names: string): string[] {
  const code = codes.find(([pattern]) => pattern.test(what))?.[1] ?? what
  return names.match(/[^\s,]+/g)?.map((name) => `${code} ${name}`) ?? []
}

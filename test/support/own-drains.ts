import { systemClock } from '../../src/adapters/clock.ts'
import { connectCluster } from '../../src/adapters/kube.ts'
import { kubectlRefusals } from '../../src/core/drain-kubectl.ts'
import { MigrateError } from '../../src/core/errors.ts'
import type { StepId } from '../../src/core/plan.ts'
import type { DrainEvent } from '../../src/migrate/drain-events.ts'
import { drainLikeKubectl } from '../../src/migrate/drain-kubectl.ts'
import { dryRun } from '../../src/migrate/dry-run.ts'
import type { Clock, KubectlKube } from '../../src/migrate/ports.ts'
import { run, type Run } from '../../src/migrate/runner.ts'
import { resultOf, type Said } from './drain-result.ts'
import { type Drained, type DrainOrder, secondsSince } from './kubectl.ts'
import { simulate, smallScenario } from './simulated-run.ts'
import { type ClusterScript, startStubCluster, type StubCluster } from './stub-cluster.ts'

/** Our two drains against a fresh cluster of a script. */

const usualRequestMs = 10_000
const readPatienceMs = 15_000

async function against(
  script: ClusterScript,
  order: DrainOrder,
  patienceMs: number,
  drain: (kube: KubectlKube, cluster: StubCluster, stop: AbortSignal) => Promise<Said & { output: string }>,
): Promise<Drained> {
  const cluster = await startStubCluster(script)
  const startMs = performance.now()
  const stop = new AbortController()
  if (order.interrupt === true)
    cluster.onRefusedEviction = () => setTimeout(() => stop.abort(new Error('stopped')), 500)
  try {
    const times = { requestMs: order.requestMs ?? usualRequestMs, patienceMs }
    const { kube } = await connectCluster({ kubeconfig: cluster.kubeconfig }, {}, times)
    const { output, ...said } = await drain(kube, cluster, stop.signal)
    return {
      result: resultOf(cluster, said),
      requests: cluster.requests.length,
      seconds: secondsSince(startMs),
      output,
    }
  } finally {
    await cluster.end()
  }
}

/** `--drain-mode=kubectl`. */
export async function drainLikeKubectlWould(script: ClusterScript, order: DrainOrder): Promise<Drained> {
  return against(script, order, 0, async (kube, _cluster, signal) => {
    const events: DrainEvent[] = []
    const output: string[] = []
    const warnings: string[] = []
    const errors: string[] = []
    try {
      const { nodes, flags } = order
      const onEvent = (event: DrainEvent) => events.push(event)
      const request = { kube, clock: systemClock, nodes, flags, onEvent, signal }
      for (const { node, notCordoned, warnings: told, outcome } of await drainLikeKubectl(request)) {
        if (notCordoned !== null) errors.push(`cordon ${node}`)
        warnings.push(...told.map(({ pod, reason }) => `${reason} ${pod.namespace}/${pod.name}`))
        if (outcome.status === 'drained') continue
        const text = [outcome.reason, ...outcome.pods.map(({ message }) => message)].join('; ')
        errors.push(...errorsIn(text))
        output.push(text)
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof MigrateError)) throw error
      if (error instanceof MigrateError) errors.push(error.exitCode === 64 ? 'usage' : 'no-node')
      output.push(String(error))
    }
    const exit = output.length === 0 ? 'ok' : 'failed'
    return { exit, warnings, retried: retriedIn(events), errors, output: output.join('\n') }
  })
}

function retriedIn(events: readonly DrainEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'blocked' ? [`${event.pod.namespace}/${event.pod.name}`] : [],
  )
}

/** The steps `cordon` and `drain` of a run: what a move of the nodes does, with its undo. */
export async function drainStrictly(script: ClusterScript, order: DrainOrder): Promise<Drained> {
  return against(script, order, readPatienceMs, async (kube, _cluster, stop) => {
    const output: string[] = []
    const job = jobOf(script, order, kube, output, stop)
    if (order.flags.dryRun !== 'none') {
      await dryRun({ ...job, onSentence: (_node, _step, sentence) => output.push(sentence ?? '') })
      return { exit: 'ok', warnings: [], retried: [], errors: [], output: output.join('\n') }
    }
    const { error } = await run(job)
    if (error !== null) output.push(error.message)
    return {
      exit: error === null ? 'ok' : 'failed',
      warnings: [],
      retried: output.flatMap((line) => /^(\S+\/\S+) is held by .*; next try in/.exec(line)?.[1] ?? []),
      errors: error === null ? [] : errorsIn(error.message),
      output: output.join('\n'),
    }
  })
}

const strictTimeoutMs = 30_000
const cordonTimeoutMs = 3_000

/** Steps may take a minute more than their time, to say what they waited for; here what a read may take does. */
function impatient(longestMs: number): Clock {
  return { ...systemClock, timeout: (ms) => systemClock.timeout(Math.min(ms, longestMs)) }
}

/** The plan and the ports of a simulated run, with the nodes and the server of the stub. */
function jobOf(
  script: ClusterScript,
  { nodes, flags }: DrainOrder,
  kube: KubectlKube,
  output: string[],
  stop: AbortSignal,
): Run {
  const timeouts: readonly (readonly [StepId, number])[] = [
    ['cordon', cordonTimeoutMs],
    ['drain', flags.timeoutMs ?? strictTimeoutMs],
  ]
  const { plan, ports } = simulate(smallScenario())
  const [node] = plan.nodes
  if (node === undefined) throw new Error('the simulated plan has no node')
  const policy = {
    ...plan.policy,
    deleteEmptyDir: flags.deleteEmptyDir,
    abandonPods: flags.force ? script.pods.map(({ name }) => `shop/${name}`) : [],
  }
  return {
    plan: {
      ...plan,
      policy,
      nodes: nodes.map((name) => ({
        ...node,
        name,
        fingerprint: { ...node.fingerprint, nodeUid: `uid-${name}` },
        steps: timeouts.map(([id, timeoutMs]) => ({ id, title: id, timeoutMs })),
      })),
    },
    runId: 'run-1',
    ports: {
      ...ports,
      kube,
      clock: impatient((flags.timeoutMs ?? strictTimeoutMs) + readPatienceMs + 5_000),
    },
    sink: { append: async () => {} },
    records: [],
    translate: async () => ({ files: [], delivery: { kind: 'none', reason: 'test' } }),
    onEvent(event) {
      if ('message' in event) output.push(event.message)
    },
    approve: async () => {},
    scrub: (text) => text,
    stop,
  }
}

/** Our own words, by code. */
function errorsIn(text: string): string[] {
  const late = /not drained within|do not go by themselves/.test(text) ? 'timeout' : 'failed'
  const words = [
    ...Object.entries(kubectlRefusals),
    [late, '(?:is held by|has been ending for|has not been evicted yet|goes last)'],
    ['failed', '(?:can never be evicted:|was not evicted:)'],
    ['appeared', 'came to the node'],
  ] as const
  const pods = words.flatMap(([code, pattern]) =>
    [...text.matchAll(new RegExp(`(\\S+/\\S+) ${pattern}`, 'g'))].map(([, name]) => `${code} ${name}`),
  )
  if (pods.length > 0) return pods
  const whole = {
    list: /the list failed|get daemonsets\.apps/,
    eviction: /cannot create pods\/eviction/,
    'cordon n1': /patch nodes n1|"cordon" did not end/,
    'no-node': /has no such node/,
  }
  return Object.entries(whole).flatMap(([code, pattern]) => (pattern.test(text) ? [code] : []))
}

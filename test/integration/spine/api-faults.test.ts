import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApiProxy, type ApiProxy, type FaultRule, type WireFault } from '../../support/api-proxy.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import { apply, deployment, untilReady } from '../../support/kube-workload.ts'
import { until } from '../../support/lab-processes.ts'
import { requirePart } from '../../support/require-part.ts'
import { sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { kubectlLabel, kubectlTaint, spineScenario } from '../../support/spine-scenario.ts'
import { nodeState } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

const nodes = ['x', 'y', 'z'] as const

const cordon = (node: string) => ({
  method: 'PATCH',
  path: new RegExp(`/nodes/${node}$`),
  body: /"unschedulable":true/,
})
const uncordon = (node: string) => ({
  method: 'PATCH',
  path: new RegExp(`/nodes/${node}$`),
  body: /"unschedulable":(false|null)/,
})
const podsOn = (node: string) => ({
  method: 'GET',
  path: new RegExp(`/pods\\?.*nodeName(=|%3D)${node}(&|$)`),
})
const evictionOf = (app: string) => ({ method: 'POST', path: new RegExp(`/pods/${app}-[^/]+/eviction`) })
const heartbeat = (node: string) => ({
  method: 'GET',
  path: new RegExp(`/kube-node-lease/leases/${node}$`),
})
const lease = { method: 'PATCH', path: /\/leases\/k3os-migrate$/ }

const rule = (
  name: string,
  where: Pick<FaultRule, 'method' | 'path' | 'body'>,
  fault: WireFault,
  times = 1,
): FaultRule => ({ name, ...where, fault, times })

/** Each strikes as soon as such a request comes. */
const rules: readonly FaultRule[] = [
  rule('the cordon is cut off on its way', cordon('x'), { kind: 'reset-before' }),
  rule('the cordon arrives, its answer is cut off', cordon('y'), { kind: 'reset-after' }),
  rule('the cordon arrives, and etcd has a new leader', cordon('z'), {
    kind: 'answer-instead',
    status: 500,
    message: 'etcdserver: leader changed',
  }),
  rule('an eviction is put off with a time', evictionOf('x'), {
    kind: 'answer',
    status: 429,
    message: 'too many requests',
    retryAfterSeconds: 2,
  }),
  rule('an eviction is put off without a time', evictionOf('y'), {
    kind: 'answer',
    status: 429,
    message: 'too many requests',
  }),
  rule('an eviction meets a server that is about to restart', evictionOf('z'), {
    kind: 'answer',
    status: 503,
    message: 'the server is shutting down',
    retryAfterSeconds: 2,
  }),
  rule(
    'the pods of a node cannot be listed',
    podsOn('x'),
    { kind: 'answer', status: 500, message: 'oops' },
    2,
  ),
  rule('half a list of pods', podsOn('y'), { kind: 'half-an-answer' }, 2),
  rule('a list of pods that comes late', podsOn('z'), { kind: 'late', ms: 8_000 }),
  rule('nobody answers for half a minute', { ...podsOn('z') }, { kind: 'away', ms: 30_000 }),
  rule('the token is said to have expired', heartbeat('x'), {
    kind: 'answer',
    status: 401,
    message: 'Unauthorized',
  }),
  rule('an uncordon whose answer never comes', uncordon('x'), { kind: 'silence' }),
  rule('a web page instead of an answer', uncordon('y'), { kind: 'web-page' }),
  rule('the lock is renewed, its answer is cut off', lease, { kind: 'reset-after' }, 2),
  rule('the lock cannot be renewed', lease, { kind: 'answer', status: 500, message: 'oops' }, 2),
]

describe.skipIf(
  requirePart('KUBE', controlPlaneMissing('1.20')) || requirePart('SSHD', missingForK3osRoot()),
)('a run through an API in trouble', () => {
  let lab: SpineLab
  let proxy: ApiProxy
  let desk: Desk
  let result: CliResult
  /** Pods that had to go and were there at the moment the drain of their node was written down as done. */
  const left: string[] = []

  beforeAll(async () => {
    lab = await startSpineLab('1.20', spineScenario([...nodes]))
    await lab.cluster.kubectl(['cordon', 's'])
    await apply(lab.cluster, ...nodes.map((node) => deployment(node, 2, 1, { affinity: onlyOn(node, 's') })))
    await Promise.all(nodes.map(async (node) => untilReady(lab.cluster, node, 2)))
    await lab.cluster.kubectl(['uncordon', 's'])
    desk = sitDown(lab)
    proxy = await startApiProxy(lab.cluster, desk.folder, rules)
    for (const prepared of [
      await desk.run('inventory', ...lab.hosts),
      await desk.run(
        'plan',
        '--no-soak',
        '--canary-soak',
        '1s',
        '--keeps-data',
        '--node',
        ...nodes,
        '--hook',
        ...lab.hook,
      ),
    ])
      if (prepared.code !== 0) throw new Error(prepared.stderr)
    const running = desk.apply('plan.json', '--kubeconfig', proxy.kubeconfig).result
    const over = new AbortController()
    const watching = Promise.all(nodes.map(async (node) => watchDrain(node, over.signal)))
    result = await running
    over.abort()
    await watching
  }, 600_000)
  afterAll(async () => {
    await proxy?.stop()
    await lab?.stop()
  })

  async function watchDrain(node: string, over: AbortSignal): Promise<void> {
    const isDrained = () =>
      desk
        .journal()
        .some((one) => one.node === node && one.step === 'drain' && one.data['outcome'] === 'done')
    await until(`${node} is drained`, AbortSignal.timeout(500_000), async () => over.aborted || isDrained())
    const { stdout } = await lab.cluster.kubectl([
      'get',
      'pods',
      '-A',
      '-o',
      'name',
      '--field-selector',
      `spec.nodeName=${node}`,
    ])
    left.push(...stdout.split('\n').filter((name) => name !== ''))
  }

  test('ends as if nothing had been', () => {
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('done') })
  })

  test.each(rules.map(({ name, times }) => [name, times] as const))('met it: %s', (name, times) => {
    expect(proxy.struck.get(name)).toBe(times)
  })

  test('never says that a node is drained that is not', () => {
    expect(left).toEqual([])
  })

  test('has each machine rebuilt once', () => {
    expect(new Map(lab.hookCalls.map(({ node, attempt }) => [node, attempt]))).toEqual(
      new Map(nodes.map((node) => [node, 1])),
    )
    expect(lab.hookCalls).toHaveLength(nodes.length)
  })

  test.each(nodes)('leaves %s Ready and schedulable, as it was, on the new system', async (node) => {
    const { ready, unschedulable, osImage, annotations, taints, labels } = await nodeState(lab.cluster, node)
    expect({
      ready,
      unschedulable,
      osImage,
      annotations: Object.keys(annotations).filter((key) => key.startsWith('k3os-migrate/')),
      taints: taints.map(({ key }) => key),
      rack: labels[kubectlLabel.key],
    }).toEqual({
      ready: true,
      unschedulable: false,
      osImage: newSystem,
      annotations: [],
      taints: [kubectlTaint.key],
      rack: kubectlLabel.value(node),
    })
  })

  test('nothing went wrong with a machine behind the back of the tool', () => {
    expect(lab.troubles).toEqual([])
  })
})

function onlyOn(...names: readonly string[]): object {
  const on = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: on } } }
}

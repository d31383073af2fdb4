import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.ts'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { drainNode } from '../../../src/migrate/drain.ts'
import { drainLikeKubectl } from '../../../src/migrate/drain-kubectl.ts'
import { kubectlDefaults } from '../../../src/migrate/drain-kubectl-pods.ts'
import type { KubectlKube } from '../../../src/migrate/ports.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import { kubectlMissing, kubectlPath } from '../../support/kubectl.ts'
import { labEnvironment, runToEnd, until } from '../../support/lab-processes.ts'
import {
  apply,
  budget,
  daemonSet,
  deployment,
  namespace,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'

const never = new AbortController().signal
const timeoutMs = 100_000
const drains = ['kubectl', 'ours like kubectl', 'ours'] as const

/** The same node with the same pods on a real control plane, drained by each in turn: it must end in the same state. */
for (const age of ['1.20', '1.35'] as const) {
  const missing = controlPlaneMissing(age) ?? kubectlMissing(age)
  describe.skipIf(requirePart('KUBECTL', missing))(`a node of ${age}, drained by each`, () => {
    let cluster: ControlPlane
    let kube: KubectlKube

    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      ;({ kube } = await connectCluster({ kubeconfig: cluster.kubeconfig }, {}))
      for (const name of ['n1', 'n2']) await cluster.createNode({ name })
      await Promise.all([cluster.startKubelet('n1'), cluster.startKubelet('n2')])
      await apply(cluster, namespace('shop'), daemonSet('logs'))
      await untilReady(cluster, 'logs', 2)
    })
    afterAll(async () => {
      await cluster?.stop()
    })

    /** Everything on n1: an application with a budget, one with an emptyDir, a pod of its own. */
    async function fillNode(): Promise<void> {
      await kube.patchNode('n1', { unschedulable: false }, never)
      await kube.patchNode('n2', { unschedulable: true }, never)
      const volumes = [{ name: 'scratch', emptyDir: {} }]
      await apply(
        cluster,
        deployment('web', 3, 1),
        budget(age, 'web', 2),
        deployment('cache', 1, 1, { volumes }),
        barePod,
      )
      await untilReady(cluster, 'web', 3)
      await untilReady(cluster, 'cache', 1)
      await untilReady(cluster, 'bare', 1)
      await untilBudgetAllows(cluster, age, 'web', 1)
      await kube.patchNode('n2', { unschedulable: false }, never)
    }

    async function clear(): Promise<void> {
      const { code, stderr } = await cluster.kubectl([
        '-n',
        'shop',
        'delete',
        'deployment/web',
        'deployment/cache',
        'pod/bare',
        '--ignore-not-found',
      ])
      if (code !== 0) throw new Error(stderr)
      await until('the applications have gone', AbortSignal.timeout(60_000), async () => {
        const left = await podStates()
        return left.every((pod) => pod.startsWith('logs'))
      })
    }

    /** `web on n2, ready`. */
    async function podStates(): Promise<string[]> {
      const { body } = await cluster.request<{ items: RawPod[] }>('GET', '/api/v1/namespaces/shop/pods')
      return body.items
        .map(({ metadata, spec, status }) => {
          const ready =
            status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true
          const ending = metadata.deletionTimestamp === undefined ? '' : ', ending'
          return `${metadata.labels['app']} on ${spec.nodeName}, ${ready ? 'ready' : 'not ready'}${ending}`
        })
        .toSorted()
    }

    async function cordoned(): Promise<string[]> {
      const nodes = await Promise.all(['n1', 'n2'].map(async (name) => kube.node(name, never)))
      return nodes.flatMap((node) => (node?.unschedulable === true ? [node.name] : []))
    }

    async function drain(by: (typeof drains)[number], allowed: boolean): Promise<'drained' | 'failed'> {
      const flags = { ...kubectlDefaults, timeoutMs, ignoreDaemonSets: true }
      const request = { kube, clock: systemClock, onEvent: () => {}, signal: never }
      switch (by) {
        case 'kubectl': {
          const args = ['drain', 'n1', '--ignore-daemonsets', `--timeout=${timeoutMs}ms`]
          if (allowed) args.push('--force', '--delete-emptydir-data')
          const env = {
            ...labEnvironment(cluster.kubeconfig.replace(/\/[^/]*$/, '')),
            KUBECONFIG: cluster.kubeconfig,
          }
          const { code } = await runToEnd(kubectlPath(age), args, env, '')
          return code === 0 ? 'drained' : 'failed'
        }
        case 'ours like kubectl': {
          const choice = { ...flags, force: allowed, deleteEmptyDir: allowed }
          const [drained] = await drainLikeKubectl({ ...request, nodes: ['n1'], flags: choice })
          return drained?.outcome.status === 'drained' ? 'drained' : 'failed'
        }
        case 'ours': {
          await kube.patchNode('n1', { unschedulable: true }, never)
          const allow = { force: allowed, deleteEmptyDir: allowed }
          const { status } = await drainNode({ ...request, node: 'n1', timeoutMs, allow })
          return status === 'drained' ? 'drained' : 'failed'
        }
      }
    }

    for (const by of drains) {
      test(`${by}: nothing moves while some pods may not, and then all do`, async () => {
        await fillNode()
        const before = await podStates()
        expect(await drain(by, false)).toBe('failed')
        expect(await podStates()).toEqual(before)
        expect(await drain(by, true)).toBe('drained')
        await untilReady(cluster, 'web', 3)
        await untilReady(cluster, 'cache', 1)
        expect(await podStates()).toEqual([
          'cache on n2, ready',
          'logs on n1, ready',
          'logs on n2, ready',
          'web on n2, ready',
          'web on n2, ready',
          'web on n2, ready',
        ])
        expect(await cordoned()).toEqual(['n1'])
        await clear()
      })
    }
  })
}

interface RawPod {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly nodeName?: string }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

const barePod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'bare', namespace: 'shop', labels: { app: 'bare' } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'none' }] },
}

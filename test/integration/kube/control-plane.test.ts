import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notReadyAfterMs } from '../../support/control-plane-flags.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import { until } from '../../support/lab-processes.ts'
import { requirePart } from '../../support/require-part.ts'

const ages = [
  { age: '1.20', gitVersion: 'v1.20.15', policyVersion: 'v1beta1' },
  { age: '1.35', gitVersion: 'v1.35.4', policyVersion: 'v1' },
] as const

/** Heartbeats are slow on a busy machine; a wait that ends early only costs what it takes. */
const patience = { timeout: 60_000, interval: 200 }

for (const { age, gitVersion, policyVersion } of ages) {
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)))(`control plane of ${age}`, () => {
    let cluster: ControlPlane
    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      await cluster.createNode({
        name: 'n1',
        taints: [{ key: 'test', value: 'kept', effect: 'PreferNoSchedule' }],
      })
      await cluster.createNode({ name: 'n2' })
      await Promise.all([cluster.startKubelet('n1'), cluster.startKubelet('n2')])
      await createApp(cluster, policyVersion)
    })
    afterAll(async () => {
      await cluster?.stop()
    })

    test('the server says which version it is', () => {
      expect(cluster.version).toBe(gitVersion)
    })

    test(`policy is served as ${policyVersion} only`, async () => {
      const { body } = await cluster.request<{ versions: { version: string }[] }>('GET', '/apis/policy')
      expect(body.versions.map(({ version }) => version)).toEqual([policyVersion])
    })

    test('kubectl talks to the server as administrator', async () => {
      const result = await cluster.kubectl(['auth', 'can-i', '*', '*'])
      expect(result).toMatchObject({ code: 0, stdout: 'yes\n' })
    })

    test('a created node keeps its taints', async () => {
      const { body } = await cluster.request<{ spec: { taints?: unknown[] } }>('GET', '/api/v1/nodes/n1')
      expect(body.spec.taints).toEqual([{ key: 'test', value: 'kept', effect: 'PreferNoSchedule' }])
    })

    test('pods of a Deployment get Ready on the simulated nodes', async () => {
      await expect.poll(async () => readyPods(cluster), patience).toBe(2)
    })

    test('an eviction that a disruption budget forbids answers 429', async () => {
      await expect.poll(async () => readyPods(cluster), patience).toBe(2)
      const [pod] = await appPods(cluster)
      const name = pod?.metadata.name
      const answer = await cluster.request('POST', `/api/v1/namespaces/default/pods/${name}/eviction`, {
        apiVersion: `policy/${policyVersion}`,
        kind: 'Eviction',
        metadata: { name, namespace: 'default' },
      })
      expect(answer.status).toBe(429)
    })

    test('a deleted pod lives on for its grace period', async () => {
      await cluster.request('POST', '/api/v1/namespaces/default/pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'slow' },
        spec: { terminationGracePeriodSeconds: 3, containers: [{ name: 'main', image: 'none' }] },
      })
      const path = '/api/v1/namespaces/default/pods/slow'
      await expect
        .poll(async () => (await cluster.request<Pod>('GET', path)).body.status.phase, patience)
        .toBe('Running')
      const deletedAt = Date.now()
      await cluster.request('DELETE', path)
      await expect.poll(async () => (await cluster.request('GET', path)).status, patience).toBe(404)
      // The end of the period is a whole second, so up to one second of it may be cut off.
      expect(Date.now() - deletedAt).toBeGreaterThan(1_900)
    })

    describe('a node whose kubelet stopped', () => {
      beforeAll(async () => {
        await cluster.createNode({ name: 'away', nodeInfo: { bootID: 'first', osImage: 'k3OS' } })
        await cluster.startKubelet('away')
        await cluster.request('POST', '/api/v1/namespaces/default/pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'stays' },
          spec: { nodeName: 'away', containers: [{ name: 'main', image: 'none' }] },
        })
        await until('the pod is Ready', AbortSignal.timeout(patience.timeout), async () => {
          return (await podReady(cluster, 'stays')) === 'True'
        })
        await cluster.stopKubelet('away')
      })

      test('turns NotReady', async () => {
        await expect.poll(async () => nodeReady(cluster, 'away'), patience).toBe('Unknown')
      })

      test('takes its pods with it', async () => {
        await expect.poll(async () => podReady(cluster, 'stays'), patience).toBe('False')
      })

      test('reports its new machine when it returns', async () => {
        await cluster.setNodeInfo('away', { bootID: 'second', osImage: 'Debian GNU/Linux 13 (trixie)' })
        await cluster.startKubelet('away')
        const { body } = await cluster.request<Node>('GET', '/api/v1/nodes/away')
        expect(body.status.nodeInfo).toMatchObject({
          bootID: 'second',
          osImage: 'Debian GNU/Linux 13 (trixie)',
        })
      })

      test('is Ready again', async () => {
        await expect.poll(async () => nodeReady(cluster, 'away'), patience).toBe('True')
      })

      test('has its pods Ready again', async () => {
        await expect.poll(async () => podReady(cluster, 'stays'), patience).toBe('True')
      })

      test('stays Ready while its kubelet runs', async () => {
        await new Promise((resolve) => setTimeout(resolve, notReadyAfterMs + 2_000))
        expect(await nodeReady(cluster, 'away')).toBe('True')
      })
    })
  })
}

interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[]
}
interface Node {
  readonly status: Conditions & { readonly nodeInfo: unknown }
}
interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName?: string }
  readonly status: Conditions & { readonly phase: string }
}

function readyStatus(status: Conditions): string | undefined {
  return status.conditions?.find(({ type }) => type === 'Ready')?.status
}

async function nodeReady(cluster: ControlPlane, name: string): Promise<string | undefined> {
  return readyStatus((await cluster.request<Node>('GET', `/api/v1/nodes/${name}`)).body.status)
}

async function podReady(cluster: ControlPlane, name: string): Promise<string | undefined> {
  return readyStatus(
    (await cluster.request<Pod>('GET', `/api/v1/namespaces/default/pods/${name}`)).body.status,
  )
}

async function appPods(cluster: ControlPlane): Promise<readonly Pod[]> {
  const path = '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb'
  return (await cluster.request<{ items: readonly Pod[] }>('GET', path)).body.items
}

async function readyPods(cluster: ControlPlane): Promise<number> {
  return (await appPods(cluster)).filter(
    ({ spec, status }) => spec.nodeName !== undefined && readyStatus(status) === 'True',
  ).length
}

/** Two replicas, neither of which may be disrupted. */
async function createApp(cluster: ControlPlane, policyVersion: string): Promise<void> {
  const labels = { app: 'web' }
  await cluster.request('POST', '/apis/apps/v1/namespaces/default/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } },
    },
  })
  await cluster.request('POST', `/apis/policy/${policyVersion}/namespaces/default/poddisruptionbudgets`, {
    apiVersion: `policy/${policyVersion}`,
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { minAvailable: 2, selector: { matchLabels: labels } },
  })
}

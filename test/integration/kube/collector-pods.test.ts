import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectCollectorPods, type CollectorPods } from '../../../src/adapters/kube-pods.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import { requirePart } from '../../support/require-part.ts'

const options = { image: 'busybox:1.36', owner: 'kim@laptop', timeoutMs: 60_000 }

/**
 * The kubelets of the lab are simulated: they call a pod running and start nothing in it. So pods are made and removed for
 * real, and entering them fails; what comes out of a pod is tested against a stub (unit/adapters/collector-pods.test.ts).
 */
for (const age of ['1.20', '1.35'] as const) {
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)))(`collector pods on ${age}`, () => {
    let cluster: ControlPlane
    let pods: CollectorPods
    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      pods = await connectCollectorPods({ kubeconfig: cluster.kubeconfig }, {})
      await cluster.createNode({ name: 'n1', taints: [{ key: 'own', effect: 'NoSchedule' }] })
      await cluster.startKubelet('n1')
    })
    afterAll(async () => {
      await cluster?.stop()
    })

    async function left(): Promise<string[]> {
      const { body } = await cluster.request<{ items: { metadata: { name: string } }[] }>(
        'GET',
        '/api/v1/namespaces/kube-system/pods?labelSelector=k3os-migrate/collector',
      )
      return body.items.map(({ metadata }) => metadata.name)
    }

    test('a pod is admitted, runs on a tainted node, and is gone when it could not be entered', async () => {
      let during: string[] = []
      const onStart = (): void => {
        void left().then((names) => (during = names))
      }
      const failed = pods.collect('n1', { ...options, onStart }, new AbortController().signal)
      await expect(failed).rejects.toMatchObject({
        exitCode: 74,
        message: expect.stringMatching(
          /^reading n1 through the pod kube-system\/k3os-migrate-collector-\S+ failed: /,
        ),
      })
      expect(during).toHaveLength(1)
      await expect.poll(left, { timeout: 20_000 }).toEqual([])
    })

    test('a pod whose node does not take it is removed when its time is over', async () => {
      await cluster.createNode({ name: 'dead' })
      const late = pods.collect('dead', { ...options, timeoutMs: 3000 }, new AbortController().signal)
      await expect(late).rejects.toMatchObject({ message: 'dead did not finish within 3 s' })
      await expect.poll(left, { timeout: 20_000 }).toEqual([])
    })

    test('a pod is removed after Ctrl-C too', async () => {
      const stop = new AbortController()
      const stopped = pods.collect('dead', options, stop.signal)
      await expect.poll(left, { timeout: 20_000 }).toHaveLength(1)
      stop.abort('SIGINT')
      await expect(stopped).rejects.toBe('SIGINT')
      await expect.poll(left, { timeout: 20_000 }).toEqual([])
    })

    test('what a killed run left is cleaned up by the one who made it', async () => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'k3os-migrate-collector-lost',
          labels: { 'k3os-migrate/collector': 'true' },
          annotations: { 'k3os-migrate/owner': 'kim@laptop' },
        },
        spec: { nodeName: 'n1', containers: [{ name: 'collector', image: 'busybox' }] },
      }
      const made = await cluster.request('POST', '/api/v1/namespaces/kube-system/pods', pod)
      expect(made.status).toBe(201)
      const signal = new AbortController().signal
      expect(await pods.cleanUp('sam@desk', signal)).toEqual({
        removed: [],
        left: ['kube-system/k3os-migrate-collector-lost (of kim@laptop)'],
      })
      expect(await pods.cleanUp('kim@laptop', signal)).toEqual({
        removed: ['kube-system/k3os-migrate-collector-lost'],
        left: [],
      })
      await expect.poll(left, { timeout: 20_000 }).toEqual([])
    })
  })
}

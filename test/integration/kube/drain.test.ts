import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.ts'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { drainNode, type DrainOutcome, type DrainRequest } from '../../../src/migrate/drain.ts'
import type { DrainEvent } from '../../../src/migrate/drain-events.ts'
import type { Kube } from '../../../src/migrate/ports.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import {
  apply,
  budget,
  daemonSet,
  deployment,
  namespace,
  pods,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'

const never = new AbortController().signal

for (const age of ['1.20', '1.35'] as const) {
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)))(`draining a node of ${age}`, () => {
    let cluster: ControlPlane
    let kube: Kube

    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      ;({ kube } = await connectCluster({ kubeconfig: cluster.kubeconfig }, {}))
      for (const name of ['n1', 'n2']) await cluster.createNode({ name })
      await Promise.all([cluster.startKubelet('n1'), cluster.startKubelet('n2')])
      await kube.patchNode('n2', { unschedulable: true }, never)
      await apply(
        cluster,
        namespace('shop'),
        deployment('web', 3, 1),
        budget(age, 'web', 3),
        daemonSet('logs'),
      )
      await untilReady(cluster, 'web', 3)
      await untilReady(cluster, 'logs', 2)
      await untilBudgetAllows(cluster, age, 'web', 0)
      await kube.patchNode('n2', { unschedulable: false }, never)
      await kube.patchNode('n1', { unschedulable: true }, never)
    })
    afterAll(async () => {
      await cluster?.stop()
    })

    async function drain(
      node: string,
      timeoutMs: number,
      onEvent: (event: DrainEvent) => void = () => {},
    ): Promise<DrainOutcome> {
      const allow = { deleteEmptyDir: false, force: false }
      const request: DrainRequest = {
        kube,
        clock: systemClock,
        node,
        timeoutMs,
        allow,
        onEvent,
        signal: never,
      }
      return drainNode(request)
    }

    test('a budget without room blocks it, by name, and nothing moves', async () => {
      const before = (await pods(cluster, 'web')).map(({ metadata }) => metadata.uid)
      const outcome = await drain('n1', 4000)
      expect(outcome).toMatchObject({ status: 'blocked', reason: 'not drained within 4 s', evicted: [] })
      const blocked = outcome.status === 'blocked' ? outcome.pods : []
      expect(blocked.map(({ uid }) => uid).toSorted()).toEqual(before.toSorted())
      for (const pod of blocked)
        expect(pod).toMatchObject({
          state: 'budget',
          budget: 'shop/web',
          numbers: { needed: 3, current: 3 },
          attempts: 1,
          next: 'kubectl get pdb -n shop web',
        })
      expect((await pods(cluster, 'web')).map(({ metadata }) => metadata.uid).toSorted()).toEqual(
        before.toSorted(),
      )
    })

    test('it finishes when the budget is given room, with the pods on the other node', async () => {
      let patched: Promise<void> | undefined
      const outcome = await drain('n1', 120_000, ({ type }) => {
        if (type === 'blocked') patched ??= apply(cluster, budget(age, 'web', 1))
      })
      await patched
      expect(outcome).toMatchObject({ status: 'drained', evicted: { length: 3 } })
      await untilReady(cluster, 'web', 3)
      const places = (await pods(cluster, 'web')).map(({ spec }) => spec.nodeName)
      expect(places).toEqual(['n2', 'n2', 'n2'])
    })

    test('an API server that dies and returns meanwhile makes no pod gone', async () => {
      await kube.patchNode('n1', { unschedulable: false }, never)
      await apply(cluster, deployment('slow', 2, 12, { nodeSelector: { 'kubernetes.io/hostname': 'n2' } }))
      await untilReady(cluster, 'slow', 2)
      await kube.patchNode('n2', { unschedulable: true }, never)
      const seen: string[] = []
      let outage: Promise<void> | undefined
      async function restartApiServer(): Promise<void> {
        await cluster.killApiServer()
        seen.push('killed')
        await expect.poll(() => seen.includes('unanswered'), { timeout: 60_000 }).toBe(true)
        await cluster.startApiServer()
      }
      const outcome = await drain('n2', 150_000, ({ type }) => {
        seen.push(type)
        if (type === 'accepted') outage ??= restartApiServer()
      })
      await outage
      expect(outcome.status).toBe('drained')
      const dead = seen.slice(seen.indexOf('killed'), seen.lastIndexOf('unanswered'))
      expect(dead).not.toContain('gone')
      const left = (await pods(cluster)).filter(({ spec }) => spec.nodeName === 'n2')
      expect(left.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^logs-/)])
    })
  })
}

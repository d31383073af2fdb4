import { describe, expect, test } from 'vitest'
import type { PodDisruptionBudget } from '../../../src/core/inventory.ts'
import { blockedBy, DrainedNode, passing } from '../../support/drain-node.ts'
import { aPod } from '../../support/kube-data.ts'

const web = (name: string) => aPod({ name, labels: { app: 'web' } })

function budgetFor(app: string, disruptionsAllowed: number): PodDisruptionBudget {
  return {
    namespace: 'shop',
    name: app,
    apiVersion: 'policy/v1',
    selector: { matchLabels: { app }, matchExpressions: [] },
    minAvailable: 2,
    maxUnavailable: null,
    disruptionsAllowed,
    currentHealthy: 2 + disruptionsAllowed,
    desiredHealthy: 2,
    expectedPods: 3,
  }
}

describe('evictions of the pods of one budget', () => {
  test('are no more at a time than it allows', async () => {
    const node = new DrainedNode(['a', 'b', 'c', 'd'].map(web))
    // Each one that goes is replaced elsewhere before the budgets are read again.
    await node.drain({ budgets: async () => [budgetFor('web', 2)] })
    const [first] = node.evictions
    expect(node.evictions.filter(({ atMs }) => atMs === first?.atMs)).toHaveLength(2)
    expect(new Set(node.evictions.map(({ uid }) => uid)).size).toBe(4)
  })

  test('are asked for by one of them while it allows none', async () => {
    const node = new DrainedNode(['a', 'b', 'c', 'd'].map(web))
    node.answer = () => blockedBy('web')
    await node.drain({ budgets: async () => [budgetFor('web', 0)], timeoutMs: 60_000 })
    expect(new Set(node.evictions.map(({ uid }) => uid))).toEqual(new Set(['uid-a']))
  })

  test('are all reported as held by it, those that did not ask too', async () => {
    const node = new DrainedNode(['a', 'b'].map(web))
    node.answer = () => blockedBy('web')
    const outcome = await node.drain({ budgets: async () => [budgetFor('web', 0)], timeoutMs: 60_000 })
    expect(outcome.status === 'blocked' && outcome.pods.map(({ message }) => message)).toEqual([
      expect.stringContaining('shop/web'),
      expect.stringContaining('shop/web'),
    ])
  })

  test('go on when it allows some again', async () => {
    const node = new DrainedNode(['a', 'b'].map(web))
    const allows = () => (node.clock.monotonicMs() < 20_000 ? 0 : 1)
    node.answer = () => (allows() === 0 ? blockedBy('web') : undefined)
    const outcome = await node.drain({ budgets: async () => [budgetFor('web', allows())] })
    expect(outcome.status).toBe('drained')
  })

  test('do not wait for budgets of others', async () => {
    const node = new DrainedNode([web('a'), aPod({ name: 'x', labels: { app: 'other' } })])
    node.answer = (pod) => (pod.name === 'a' ? blockedBy('web') : undefined)
    await node.drain({ budgets: async () => [budgetFor('web', 0)], timeoutMs: 30_000 })
    expect(node.pods.has('uid-x')).toBe(false)
  })
})

test('pods that are not ready ask for themselves: the server may let them go without the budget', async () => {
  const node = new DrainedNode(['a', 'b'].map((name) => ({ ...web(name), ready: false })))
  await node.drain({ budgets: async () => [budgetFor('web', 0)] })
  expect(node.evictions.map(({ uid }) => uid)).toEqual(['uid-a', 'uid-b'])
})

test('budgets are read once where none guards a pod of the node', async () => {
  const node = new DrainedNode(['a', 'b', 'c'].map(web))
  let reads = 0
  await node.drain({
    budgets: async () => {
      reads += 1
      return [budgetFor('other', 0)]
    },
  })
  expect(reads).toBe(1)
})

test('every pod asks while budgets cannot be read', async () => {
  const node = new DrainedNode(['a', 'b'].map(web))
  const outcome = await node.drain({
    budgets: async () => {
      throw passing('connection refused')
    },
  })
  expect(outcome).toEqual({ status: 'drained', evicted: ['uid-a', 'uid-b'] })
})

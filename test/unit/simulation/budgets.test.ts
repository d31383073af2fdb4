import { expect, test } from 'vitest'
import { countBudget, workloadKey } from '../../../src/simulation/budgets.ts'
import { aBudget, aPod } from '../../support/kube-data.ts'

/** As many pods of one ReplicaSet, the last ones not ready. */
function counted(ready: number, unready: number, changes: Parameters<typeof aBudget>[0], missing = 0) {
  const pods = Array.from({ length: ready + unready }, (_, index) =>
    aPod({ name: `web-${index}`, ready: index < ready }),
  )
  const replicas = new Map(pods.slice(0, 1).map((pod) => [workloadKey(pod), pods.length]))
  return countBudget(aBudget(changes), pods, replicas, missing)
}

test.each([
  ['a number', 3, 0, { minAvailable: 2 }, { desiredHealthy: 2, disruptionsAllowed: 1 }],
  ['a percentage, rounded up', 3, 0, { minAvailable: '50%' }, { desiredHealthy: 2, disruptionsAllowed: 1 }],
  ['all', 3, 0, { minAvailable: '100%' }, { desiredHealthy: 3, disruptionsAllowed: 0 }],
  [
    'what may be away',
    3,
    0,
    { minAvailable: null, maxUnavailable: 1 },
    { desiredHealthy: 2, disruptionsAllowed: 1 },
  ],
  [
    'what may be away, in percent, rounded up',
    5,
    0,
    { minAvailable: null, maxUnavailable: '30%' },
    { desiredHealthy: 3, disruptionsAllowed: 2 },
  ],
  ['with a sick pod', 2, 1, { minAvailable: 2 }, { currentHealthy: 2, disruptionsAllowed: 0 }],
])('%s', (_, ready, unready, changes, expected) => {
  expect(counted(ready, unready, changes)).toMatchObject({ expectedPods: ready + unready, ...expected })
})

test('pods that the inventory does not show are still expected', () => {
  expect(counted(2, 0, { minAvailable: null, maxUnavailable: 1 }, 1)).toMatchObject({
    expectedPods: 3,
    desiredHealthy: 2,
    disruptionsAllowed: 0,
  })
})

test('a budget of nothing allows nothing', () => {
  expect(countBudget(aBudget(), [], new Map(), 0).disruptionsAllowed).toBe(0)
})

import { describe, expect, test } from 'vitest'
import type { Pod } from '../../../src/core/inventory.ts'
import { budgetVerdicts } from '../../../src/core/pdb.ts'
import { aBudget, aPod } from '../../support/kube-data.ts'

const web = (count: number, changes: Partial<Pod> = {}): Pod[] =>
  Array.from({ length: count }, (_, index) => aPod({ name: `web-${index}`, ...changes }))

function verdicts(...parameters: Parameters<typeof budgetVerdicts>) {
  return budgetVerdicts(...parameters).map(({ pdb, verdict, rounds }) => ({ pdb: pdb.name, verdict, rounds }))
}

describe('what a budget will say to the drain', () => {
  test('enough room passes at once', () => {
    expect(verdicts('n1', web(1), [aBudget()])).toEqual([{ pdb: 'web', verdict: 'ok', rounds: 1 }])
  })

  test('less room than pods passes in rounds', () => {
    expect(verdicts('n1', web(5), [aBudget({ disruptionsAllowed: 2 })])).toEqual([
      { pdb: 'web', verdict: 'ok', rounds: 3 },
    ])
  })

  test.each([
    ['maxUnavailable 0', { minAvailable: null, maxUnavailable: 0, desiredHealthy: 3 }],
    ['maxUnavailable 0%', { minAvailable: null, maxUnavailable: '0%', desiredHealthy: 3 }],
    ['minAvailable 100%', { minAvailable: '100%', desiredHealthy: 3 }],
    ['minAvailable of all pods', { minAvailable: 3, desiredHealthy: 3 }],
    [
      'one replica of which one is needed',
      { minAvailable: 1, desiredHealthy: 1, currentHealthy: 1, expectedPods: 1 },
    ],
    [
      'a status that is not computed yet, maxUnavailable 0',
      { minAvailable: null, maxUnavailable: 0, expectedPods: 0 },
    ],
  ])('%s can never pass', (_what, changes) => {
    const budget = aBudget({ disruptionsAllowed: 0, ...changes })
    expect(verdicts('n1', web(1), [budget])).toEqual([{ pdb: 'web', verdict: 'structural', rounds: 0 }])
  })

  test('too few healthy pods now may pass later', () => {
    const budget = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 })
    expect(verdicts('n1', web(1), [budget])).toEqual([{ pdb: 'web', verdict: 'temporary', rounds: 0 }])
  })

  test('pods that can run nowhere else use the budget up', () => {
    const staysAway = ({ name }: Pod) => name === 'web-1'
    expect(verdicts('n1', web(2), [aBudget()], { staysAway })).toEqual([
      { pdb: 'web', verdict: 'never-refills', rounds: 0 },
    ])
  })

  test('a pod that can run nowhere else passes when there is room for it and one more', () => {
    const staysAway = ({ name }: Pod) => name === 'web-1'
    expect(verdicts('n1', web(3), [aBudget({ disruptionsAllowed: 2 })], { staysAway })).toEqual([
      { pdb: 'web', verdict: 'ok', rounds: 2 },
    ])
  })

  test('pods that can run nowhere else pass when there is room for all', () => {
    const budget = aBudget({ disruptionsAllowed: 2 })
    expect(verdicts('n1', web(2), [budget], { staysAway: () => true })).toEqual([
      { pdb: 'web', verdict: 'ok', rounds: 1 },
    ])
  })

  test('a pod guarded by two budgets is never evicted', () => {
    const [verdict] = budgetVerdicts('n1', web(2), [aBudget(), aBudget({ name: 'also' })])
    expect({
      verdict: verdict?.verdict,
      budgets: [verdict?.pdb.name, ...(verdict?.others ?? []).map(({ name }) => name)],
      pods: verdict?.pods.map(({ name }) => name),
    }).toEqual({ verdict: 'two-budgets', budgets: ['web', 'also'], pods: ['web-0', 'web-1'] })
  })

  test('pods that are not ready leave without using the budget while the others are enough', () => {
    const budget = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 })
    expect(verdicts('n1', web(1, { ready: false }), [budget])).toEqual([
      { pdb: 'web', verdict: 'ok', rounds: 1 },
    ])
  })

  test('pods that are not ready are held while too few others are', () => {
    const budget = aBudget({ disruptionsAllowed: 0, currentHealthy: 1 })
    expect(verdicts('n1', web(1, { ready: false }), [budget])).toEqual([
      { pdb: 'web', verdict: 'temporary', rounds: 0 },
    ])
  })

  test.each<[string, Partial<Pod>]>([
    ['on another node', { node: 'n2' }],
    ['pending', { phase: 'Pending' }],
    ['finished', { phase: 'Succeeded' }],
    ['ending', { terminating: true }],
    ['mirror', { mirror: true }],
    ['of a DaemonSet', { controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd' } }],
    ['in another namespace', { namespace: 'bank' }],
  ])('a pod %s asks no budget', (_what, changes) => {
    expect(verdicts('n1', web(1, changes), [aBudget({ disruptionsAllowed: 0 })])).toEqual([])
  })
})

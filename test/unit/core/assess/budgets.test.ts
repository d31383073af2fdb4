import { expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts, PodDisruptionBudget } from '../../../../src/core/inventory.ts'
import { cluster, inventory, kubeNode, localPv, look, of, pod, volume } from './builders.ts'

function budget(name: string, changes: Partial<PodDisruptionBudget> = {}): PodDisruptionBudget {
  return {
    namespace: 'shop',
    name,
    apiVersion: 'policy/v1',
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
    minAvailable: 1,
    maxUnavailable: null,
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
    ...changes,
  }
}

const web = pod('web-1', { labels: { app: 'web' } })

function withBudgets(pdbs: PodDisruptionBudget[], changes: Partial<ClusterFacts> = {}): Assessment {
  return look(inventory(cluster({ pods: [web], pdbs, ...changes })))
}

function pdbRules(assessment: Assessment): string[] {
  return assessment.findings.map(({ rule }) => rule).filter((rule) => rule.startsWith('PRE-PDB'))
}

test('a budget with room says nothing', () => {
  expect(pdbRules(withBudgets([budget('web')]))).toEqual([])
})

test('a budget of everything is structural and comes with a patch', () => {
  const strict = budget('web', { minAvailable: 2, disruptionsAllowed: 0, desiredHealthy: 2 })
  const [f] = of(withBudgets([strict]), 'PRE-PDB-STRUCTURAL')
  expect(f).toMatchObject({
    severity: 'inhibitor',
    key: 'PRE-PDB-STRUCTURAL:PodDisruptionBudget/shop/web:a1',
  })
  expect(f?.remediations.at(-1)?.text).toBe(
    `kubectl -n shop patch poddisruptionbudget web --type merge -p '{"spec":{"minAvailable":null,"maxUnavailable":1}}'`,
  )
})

test('a budget short of healthy pods is temporary', () => {
  const short = budget('web', {
    disruptionsAllowed: 0,
    currentHealthy: 1,
    desiredHealthy: 2,
    expectedPods: 3,
  })
  expect(of(withBudgets([short]), 'PRE-PDB-TEMPORARY')[0]?.severity).toBe('high')
})

test('two budgets for one pod name each other', () => {
  expect(of(withBudgets([budget('web'), budget('all')]), 'PRE-PDB-TWICE')[0]?.summary).toBe(
    'web-1 on a1 is guarded by more than one budget: web, all',
  )
})

test('replacements bound to the node never refill the budget', () => {
  const pods = ['web-1', 'web-2'].map((name) =>
    pod(name, { labels: { app: 'web' }, volumes: [volume('persistentVolumeClaim', { claim: name })] }),
  )
  const persistentVolumes = pods.map(({ name }) => localPv(name, { claim: { namespace: 'shop', name } }))
  expect(pdbRules(withBudgets([budget('web')], { pods, persistentVolumes }))).toEqual([
    'PRE-PDB-NEVER-REFILLS',
  ])
})

test('on the only node there is nowhere to refill from', () => {
  const pods = ['web-1', 'web-2'].map((name) => pod(name, { labels: { app: 'web' } }))
  expect(pdbRules(withBudgets([budget('web')], { pods }))).toEqual([])
  expect(pdbRules(withBudgets([budget('web')], { pods, nodes: [kubeNode('a1')] }))).toEqual([
    'PRE-PDB-NEVER-REFILLS',
  ])
})

test('a selector nobody can read is not "guards nothing"', () => {
  const selector = { matchLabels: {}, matchExpressions: [{ key: 'x', operator: 'Gt', values: ['1'] }] }
  expect(of(withBudgets([budget('web', { selector })]), 'INV-CLUSTER-PARTIAL')[0]?.result).toBe('error')
})

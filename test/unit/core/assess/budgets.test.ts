import { expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts, Pod, PodDisruptionBudget } from '../../../../src/core/inventory.ts'
import { anywhere } from '../../../../src/core/kube-pod.ts'
import { workloadOf } from '../../../support/gate-parts.ts'
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

const named = (names: readonly string[], changes: Partial<Pod> = {}): Pod[] =>
  names.map((name) => pod(name, { labels: { app: 'web' }, ...changes }))

test('what has no room elsewhere does not refill: the finding has the numbers and the reason', () => {
  const pods = named(['web-1', 'web-2', 'web-3'], { requests: { memory: '5Gi' } })
  const nodes = ['s1', 'a1'].map((name) =>
    kubeNode(name, { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } }),
  )
  const two = budget('web', { disruptionsAllowed: 2, currentHealthy: 3 })
  const [f] = of(withBudgets([two], { pods, nodes }), 'PRE-PDB-NEVER-REFILLS')
  expect(f?.summary).toBe(
    'the budget shop/web lets 2 of the 3 pods web-1, web-2, web-3 leave a1, then perhaps never another: 2 of them are not replaced elsewhere',
  )
  expect(f?.diagnosis).toBe(
    'An eviction uses the budget up until another pod takes the place, and none does for web-2 (s1: memory: needs 5 GiB, 3 GiB free), web-3 (s1: memory: needs 5 GiB, 3 GiB free) while this node is away.',
  )
  expect(f?.remediations.map(({ text }) => text)).toContain('kubectl -n shop get pods -o wide web-2 web-3')
})

test('passes while more may go than are not replaced', () => {
  const pods = named(['web-1', 'web-2', 'web-3'], { requests: { memory: '3Gi' } })
  const nodes = ['s1', 'a1'].map((name) =>
    kubeNode(name, { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } }),
  )
  const two = budget('web', { disruptionsAllowed: 2, currentHealthy: 3 })
  expect(pdbRules(withBudgets([two], { pods, nodes }))).toEqual([])
})

test('replicas that must stand apart on as many nodes as there are never refill', () => {
  const apart = {
    ...anywhere,
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
  }
  const pods = [
    ...named(['web-1', 'web-2'], { scheduling: apart }),
    ...named(['web-3'], { node: 's1', scheduling: apart }),
  ]
  expect(of(withBudgets([budget('web')], { pods }), 'PRE-PDB-NEVER-REFILLS')[0]?.diagnosis).toContain(
    'web-1 (s1: ',
  )
})

test('pods without controller, and those their controller does not want, never refill', () => {
  const bare = named(['web-1', 'web-2'], { controller: null })
  expect(of(withBudgets([budget('web')], { pods: bare }), 'PRE-PDB-NEVER-REFILLS')[0]?.diagnosis).toContain(
    'web-1 (it has no controller), web-2 (it has no controller)',
  )
  const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' }
  const pods = named(['web-1', 'web-2'], { controller })
  const scaled = (desired: number) =>
    of(
      withBudgets([budget('web')], { pods, workloads: [workloadOf('ReplicaSet', 'web', { desired })] }),
      'PRE-PDB-NEVER-REFILLS',
    )
  expect(scaled(2)).toEqual([])
  expect(scaled(0)[0]?.diagnosis).toContain('web-1 (ReplicaSet/web wants 0 of the 2 it has)')
})

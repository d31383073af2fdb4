import { describe, expect, it } from 'vitest'
import { explainNode } from '../../../src/core/explain-node.ts'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { aBudget, aPod, aVolume } from '../../support/kube-data.ts'
import { noObjects } from '../../support/inventory-parts.ts'
import { plan as somePlan } from '../output/report/builders.ts'
import { kubeNode } from './assess/builders.ts'

const kept = '/var/lib/rancher/k3s/storage/pvc-1'

function cluster(pods: ClusterFacts['pods']): ClusterFacts {
  return {
    ...noObjects,
    server: 'https://192.0.2.1:6443',
    uid: 'cluster-1',
    version: 'v1.21.5+k3s2',
    nodes: [kubeNode('a1')],
    pods,
    pdbs: [aBudget()],
    persistentVolumes: [
      {
        name: 'pvc-1',
        storageClass: 'local-path',
        type: 'hostPath',
        path: kept,
        nodes: ['a1'],
        reclaimPolicy: 'Delete',
        claim: { namespace: 'shop', name: 'data' },
        capacity: null,
      },
    ],
    daemonSets: [{ namespace: 'shop', name: 'logs' }],
    upgradePlans: [],
    failures: [],
  }
}

function explained(pods: ClusterFacts['pods'], policy: Partial<Plan['policy']> = {}) {
  const base = somePlan()
  const nodes = base.nodes.map((node) => ({
    ...node,
    fingerprint: { ...node.fingerprint, volumes: { 'pvc-1': 'x' } },
  }))
  return explainNode({ ...base, nodes, policy: { ...base.policy, ...policy } }, 'a1', cluster(pods))
}

const onA1 = { node: 'a1' }

describe('what happens to a pod', () => {
  it.each([
    ['of a ReplicaSet', aPod({ name: 'p', ...onA1 }), 'moves', /ReplicaSet web-1 starts another one/],
    [
      'of a DaemonSet',
      aPod({ name: 'p', ...onA1, controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' } }),
      'stays',
      /on every node/,
    ],
    ['that has done its work', aPod({ name: 'p', ...onA1, phase: 'Succeeded' }), 'ends', /done its work/],
    [
      'without a controller',
      aPod({ name: 'p', ...onA1, controller: null }),
      'stops the drain',
      /no controller/,
    ],
  ])('%s', (_, pod, fate, because) => {
    expect(explained([pod]).pods).toMatchObject([
      { pod: 'shop/p', fate, because: expect.stringMatching(because) },
    ])
  })

  it('that is given up by name', () => {
    const pod = aPod({ name: 'p', ...onA1, controller: null })
    expect(explained([pod], { abandonPods: ['shop/p'] }).pods).toMatchObject([{ fate: 'is lost' }])
  })

  it('names the budgets it has to pass', () => {
    expect(explained([aPod({ name: 'p', ...onA1 })]).pods[0]?.budgets).toEqual([
      'shop/web (1 of 3 may be away)',
    ])
  })

  it('on another node is not said here', () => {
    expect(explained([aPod({ name: 'p', node: 'a2' })]).pods).toEqual([])
  })
})

describe('what happens to data', () => {
  it('that the plan keeps', () => {
    const pod = aPod({
      name: 'p',
      ...onA1,
      volumes: [{ ...aVolume('persistentVolumeClaim'), claim: 'data' }],
    })
    expect(explained([pod]).volumes).toContainEqual({
      volume: 'shop/data',
      pod: 'shop/p',
      fate: 'stays on the disk',
      because: `${kept} is compared before k3s may start`,
    })
  })

  it('in an emptyDir', () => {
    const pod = aPod({ name: 'p', ...onA1, volumes: [aVolume('emptyDir', 'cache')] })
    expect(explained([pod]).volumes).toContainEqual(
      expect.objectContaining({ volume: 'emptyDir cache', fate: 'is deleted' }),
    )
  })
})

it('says how long at worst, with and without a way back', () => {
  const { worst, steps } = explained([])
  const sum = (undone: boolean) =>
    steps
      .filter((step) => step.undone === undone && step.id !== 'workloads' && step.id !== 'soak')
      .reduce((total, { timeoutMs }) => total + timeoutMs + 60_000, 0)
  expect(worst).toEqual({ undoableMs: sum(true), forwardMs: sum(false), soakMs: 0 })
})

it('refuses a node that is not in the plan', () => {
  expect(() => explainNode(somePlan(), 'nobody', cluster([]))).toThrow('the plan has no node nobody')
})

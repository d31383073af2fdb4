import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { Workload } from '../../../../src/core/cluster-objects.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { checkResult, cluster, inventory, look, of, pod } from './builders.ts'

function workload(name: string, changes: Partial<Workload> = {}): Workload {
  return {
    kind: 'Deployment',
    namespace: 'shop',
    name,
    desired: 2,
    ready: 2,
    selector: null,
    controller: null,
    paused: false,
    ...changes,
  }
}

function withFacts(changes: Partial<ClusterFacts>): Assessment {
  return look(inventory(cluster(changes)))
}

describe('PRE-BASELINE', () => {
  test('passes when every workload is complete', () => {
    expect(checkResult(withFacts({ workloads: [workload('web')] }), 'PRE-BASELINE')).toBe('pass')
  })

  test.each([
    ['shop', 'high'],
    ['kube-system', 'inhibitor'],
  ])('a workload of %s that lacks a pod is %s', (namespace, severity) => {
    const [f] = of(withFacts({ workloads: [workload('web', { namespace, ready: 1 })] }), 'PRE-BASELINE')
    expect(f).toMatchObject({
      severity,
      summary: `Deployment ${namespace}/web has 1 of 2 pods ready`,
    })
  })

  test('counts the Deployment once, not its ReplicaSet, and no Job', () => {
    const workloads = [
      workload('web', { ready: 0 }),
      workload('web-5c9f', { kind: 'ReplicaSet', controller: 'Deployment/web', ready: 0 }),
      workload('report', { kind: 'Job', desired: 1, ready: 0 }),
    ]
    expect(of(withFacts({ workloads }), 'PRE-BASELINE')).toHaveLength(1)
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-BASELINE')).toBe('skip')
  })
})

describe('PRE-SINGLE-REPLICA', () => {
  const web = pod('web-5c9f-x', {
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5c9f' },
  })
  const owned = (desired: number) => [
    workload('web', { desired, ready: desired }),
    workload('web-5c9f', { kind: 'ReplicaSet', controller: 'Deployment/web', desired, ready: desired }),
  ]

  test('passes with two replicas', () => {
    expect(checkResult(withFacts({ workloads: owned(2), pods: [web] }), 'PRE-SINGLE-REPLICA')).toBe('pass')
  })

  test('names the top controller, the node and the pod', () => {
    const [f] = of(withFacts({ workloads: owned(1), pods: [web] }), 'PRE-SINGLE-REPLICA')
    expect(f).toMatchObject({
      key: 'PRE-SINGLE-REPLICA:Deployment/shop/web:a1',
      severity: 'medium',
      nodes: ['a1'],
      summary:
        'Deployment shop/web has one replica, on a1: it is down from the eviction of web-5c9f-x until another is ready',
    })
    expect(f?.remediations.map(({ text }) => text)).toContain(
      'kubectl -n shop scale deployment/web --replicas=2',
    )
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-SINGLE-REPLICA')).toBe('skip')
  })
})

describe('PRE-JOBS', () => {
  const ofJob = (name: string, phase: string) =>
    pod(name, { phase, controller: { apiVersion: 'batch/v1', kind: 'Job', name: 'report' } })

  test('passes when the pods of Jobs have ended', () => {
    expect(checkResult(withFacts({ pods: [ofJob('report-1', 'Succeeded')] }), 'PRE-JOBS')).toBe('pass')
  })

  test('names a Job at work once, with all its pods, and waits for it', () => {
    const pods = [ofJob('report-1', 'Running'), ofJob('report-2', 'Running')]
    const [f, ...more] = of(withFacts({ pods }), 'PRE-JOBS')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      severity: 'medium',
      summary:
        'the Job shop/report runs on a1 (report-1, report-2): evicted, it starts again from the beginning',
    })
    expect(f?.remediations.at(-1)?.text).toBe(
      'kubectl -n shop wait --for=condition=complete --timeout=1h job/report',
    )
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-JOBS')).toBe('skip')
  })
})

describe('PRE-DAEMONSET', () => {
  const assessed = (daemonSets: ClusterFacts['daemonSets']) => look(inventory(cluster({ daemonSets })))

  test('stops when a part of the system lacks a pod, and is high elsewhere', () => {
    const assessment = assessed([
      { namespace: 'kube-system', name: 'svclb', desired: 3, ready: 2 },
      { namespace: 'shop', name: 'exporter', desired: 3, ready: 0 },
    ])
    expect(of(assessment, 'PRE-DAEMONSET').map(({ severity, summary }) => [severity, summary])).toEqual([
      ['inhibitor', 'the DaemonSet kube-system/svclb has 2 of 3 pods ready'],
      ['high', 'the DaemonSet shop/exporter has 0 of 3 pods ready'],
    ])
  })

  test('is not taken for complete where nobody counted', () => {
    expect(checkResult(assessed([{ namespace: 'shop', name: 'exporter' }]), 'PRE-DAEMONSET')).toBe('skip')
  })
})

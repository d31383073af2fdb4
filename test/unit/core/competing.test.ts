import { describe, expect, test } from 'vitest'
import type { Workload } from '../../../src/core/cluster-objects.ts'
import { pausesOf, pauseText } from '../../../src/core/competing.ts'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import { cluster } from './assess/builders.ts'

const one = (kind: Workload['kind'], name: string, changes: Partial<Workload> = {}): Workload => ({
  kind,
  namespace: 'ops',
  name,
  desired: 1,
  ready: 1,
  selector: null,
  controller: null,
  paused: false,
  ...changes,
})

const pauses = (facts: Partial<ClusterFacts>) => pausesOf(cluster(facts)).map(pauseText)

describe('a run stops', () => {
  test('what works on nodes by itself, each in the way of its kind', () => {
    const workloads = [
      one('Deployment', 'cluster-autoscaler'),
      one('StatefulSet', 'rel-descheduler'),
      one('CronJob', 'descheduler', { desired: 0 }),
    ]
    const daemonSets = [{ namespace: 'kube-system', name: 'kured' }]
    expect(pauses({ workloads, daemonSets })).toEqual([
      'kured (DaemonSet kube-system/kured: its reboot lock is taken)',
      'cluster-autoscaler (Deployment ops/cluster-autoscaler: 0 replicas)',
      'descheduler (StatefulSet ops/rel-descheduler: 0 replicas)',
      'descheduler (CronJob ops/descheduler: suspended)',
    ])
  })

  test('what is at rest already, in case a run that died has stopped it', () => {
    const workloads = [
      one('Deployment', 'cluster-autoscaler', { desired: 0, ready: 0 }),
      one('CronJob', 'descheduler', { desired: 0, paused: true }),
    ]
    expect(pauses({ workloads })).toEqual([
      'cluster-autoscaler (Deployment ops/cluster-autoscaler: at rest already)',
      'descheduler (CronJob ops/descheduler: at rest already)',
    ])
  })

  test('the system-upgrade-controller only where it has Plans', () => {
    const workloads = [one('Deployment', 'system-upgrade-controller')]
    const upgradePlans = [{ namespace: 'ops', name: 'k3s', image: null, nodeSelector: null }]
    expect([pauses({ workloads }), pauses({ workloads, upgradePlans }).length]).toEqual([[], 1])
  })
})

describe('a run does not stop', () => {
  test.each([
    ['Flux', [one('Deployment', 'kustomize-controller')]],
    ['Argo CD', [one('StatefulSet', 'argocd-application-controller')]],
    ['what belongs to something else', [one('Deployment', 'descheduler', { controller: 'Thing/x' })]],
    ['what is only called so', [one('Deployment', 'kured')]],
    ['applications', [one('Deployment', 'web')]],
  ])('%s', (_, workloads) => {
    expect(pauses({ workloads })).toEqual([])
  })

  test('a DaemonSet that is no kured: it has no lock', () => {
    expect(pauses({ daemonSets: [{ namespace: 'ops', name: 'descheduler' }] })).toEqual([])
  })
})

import { describe, expect, test } from 'vitest'
import { leavingOf, type Leaving } from '../../../../src/core/assess/leaving.ts'
import type { ClusterFacts, Pod } from '../../../../src/core/inventory.ts'
import { workloadOf } from '../../../support/gate-parts.ts'
import { cluster, pod } from './builders.ts'

/** Drains a1 of those pods that stand there. */
function leave(changes: Partial<ClusterFacts>): Leaving {
  const facts = cluster(changes)
  return leavingOf(facts)(
    'a1',
    facts.pods.filter(({ node }) => node === 'a1'),
  )
}

const ofSet = (names: readonly string[], changes: Partial<Pod> = {}): Pod[] =>
  names.map((name) =>
    pod(name, { controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' }, ...changes }),
  )
const set = (desired: number) => workloadOf('ReplicaSet', 'web', { desired })
const names = (pods: readonly { pod: Pod }[]): string[] => pods.map(({ pod: { name } }) => name)

describe('pods that leave a node', () => {
  test('come back while their controller wants as many', () => {
    expect(leave({ pods: ofSet(['web-1', 'web-2']), workloads: [set(2)] }).lost).toEqual([])
  })

  test('come back for a controller that still wants more', () => {
    expect(leave({ pods: ofSet(['web-1', 'web-2']), workloads: [set(5)] }).lost).toEqual([])
  })

  test('do not come back by as many as the controller has too much', () => {
    const pods = [...ofSet(['web-1', 'web-2']), ...ofSet(['web-3', 'web-4'], { node: 's1' })]
    const { lost, back } = leave({ pods, workloads: [set(3)] })
    expect(lost).toMatchObject([
      {
        pod: { name: 'web-1' },
        why: { kind: 'not-wanted', controller: 'ReplicaSet/web', wants: 3, runs: 4 },
      },
    ])
    expect(back.map(({ name }) => name)).toEqual(['web-2'])
  })

  test('that are not ready are the first the controller does without', () => {
    const pods = [...ofSet(['web-1']), ...ofSet(['web-2'], { ready: false })]
    expect(names(leave({ pods, workloads: [set(1)] }).lost)).toEqual(['web-2'])
  })

  test('that end already are not counted among what the controller has', () => {
    const pods = [
      ...ofSet(['web-1']),
      ...ofSet(['web-2'], { node: 's1', terminating: true }),
      ...ofSet(['web-3'], { node: 's1', phase: 'Failed' }),
    ]
    expect(leave({ pods, workloads: [set(1)] }).lost).toEqual([])
  })

  test('of a controller that is scaled to nothing are all lost', () => {
    expect(names(leave({ pods: ofSet(['web-1', 'web-2']), workloads: [set(0)] }).lost)).toEqual([
      'web-1',
      'web-2',
    ])
  })

  test('of a controller that is gone are lost, as long as controllers of its kind were read', () => {
    const pods = ofSet(['web-1'])
    const other = workloadOf('ReplicaSet', 'other')
    expect(leave({ pods, workloads: [other] }).lost.map(({ why }) => why)).toEqual([
      { kind: 'controller-gone', controller: 'ReplicaSet/web' },
    ])
    expect(leave({ pods, workloads: [] }).lost).toEqual([])
  })

  test('of a DaemonSet that is gone, and without controller, are lost', () => {
    const controller = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent' }
    const pods = [pod('agent-x', { controller }), pod('debug', { controller: null })]
    expect(leave({ pods }).lost.map(({ why }) => why)).toEqual([
      { kind: 'controller-gone', controller: 'DaemonSet/agent' },
      { kind: 'no-controller' },
    ])
  })

  test('of a Job come back only for completions still to come, and not while it is suspended', () => {
    const controller = { apiVersion: 'batch/v1', kind: 'Job', name: 'backup' }
    const pods = [pod('backup-x', { controller })]
    const job = (changes: object) => workloadOf('Job', 'backup', changes)
    const lost = [job({ desired: 1 }), job({ desired: 0 }), job({ desired: 1, paused: true })].map(
      (workload) => leave({ pods, workloads: [workload] }).lost.length,
    )
    expect(lost).toEqual([0, 1, 1])
  })

  test('of a foreign controller come back as far as anybody can tell', () => {
    const controller = { apiVersion: 'kubevirt.io/v1', kind: 'ReplicaSet', name: 'vm' }
    expect(leave({ pods: [pod('vm-1', { controller })], workloads: [set(1)] }).lost).toEqual([])
  })

  test('need no room when they do not come back', () => {
    const pods = ofSet(['web-1', 'web-2'], { requests: { memory: '6Gi' } })
    expect(names(leave({ pods, workloads: [set(2)] }).unplaced)).toEqual(['web-2'])
    expect(leave({ pods, workloads: [set(1)] }).unplaced).toEqual([])
  })
})

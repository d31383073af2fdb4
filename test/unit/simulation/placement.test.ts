import { describe, expect, it } from 'vitest'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import { placeFor } from '../../../src/simulation/placement.ts'
import { aPod } from '../../support/kube-data.ts'
import { kubeNode } from '../core/assess/builders.ts'

const soft = { key: 'k3os-migrate/still-to-move', value: 'run', effect: 'PreferNoSchedule' }

function placed(pod: ReturnType<typeof aPod>, seen: Partial<ClusterFacts>): string | undefined {
  return placeFor(pod, { nodes: [], pods: [], persistentVolumes: [], ...seen })
}
const waiting = aPod({ name: 'p', node: null, requests: { memory: '1Gi' } })

describe('a pod', () => {
  it('rather goes where nothing asks it to stay away, however full', () => {
    const nodes = [kubeNode('n1', { taints: [soft] }), kubeNode('n2')]
    const pods = [aPod({ name: 'a', node: 'n2' }), aPod({ name: 'b', node: 'n2' })]
    expect(placed(waiting, { nodes, pods })).toBe('n2')
  })

  it('still goes there when nothing else suits', () => {
    expect(placed(waiting, { nodes: [kubeNode('n1', { taints: [soft] })] })).toBe('n1')
  })

  it('goes where there are the fewest pods', () => {
    const pods = [aPod({ name: 'a', node: 'n1' })]
    expect(placed(waiting, { nodes: [kubeNode('n1'), kubeNode('n2')], pods })).toBe('n2')
  })

  it('waits where there is no room', () => {
    const pods = [aPod({ name: 'a', node: 'n1', requests: { memory: '7Gi' } })]
    expect(placed(waiting, { nodes: [kubeNode('n1')], pods })).toBeUndefined()
  })

  it('follows its volume', () => {
    const pod = aPod({
      name: 'p',
      node: null,
      volumes: [{ name: 'data', type: 'persistentVolumeClaim', path: null, claim: 'c', readOnly: false }],
    })
    const volume = { name: 'v', storageClass: null, type: 'local' as const, path: '/x', nodes: ['n2'] }
    const persistentVolumes = [
      { ...volume, reclaimPolicy: 'Retain', claim: { namespace: 'shop', name: 'c' }, capacity: null },
    ]
    const nodes = [kubeNode('n1'), kubeNode('n2', { unschedulable: true })]
    expect(placed(pod, { nodes, persistentVolumes })).toBeUndefined()
    expect(placed(pod, { nodes: [kubeNode('n1'), kubeNode('n2')], persistentVolumes })).toBe('n2')
  })

  it('keeps away from its like when it must', () => {
    const apart = {
      labelSelector: { matchLabels: { app: 'web' } },
      topologyKey: 'kubernetes.io/hostname',
    }
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } }
    const pod = aPod({ name: 'p', node: null, scheduling: { ...waiting.scheduling, affinity } })
    const nodes = [kubeNode('n1'), kubeNode('n2')]
    expect(placed(pod, { nodes, pods: [aPod({ name: 'a', node: 'n1' })] })).toBe('n2')
    const both = [aPod({ name: 'a', node: 'n1' }), aPod({ name: 'b', node: 'n2' })]
    expect(placed(pod, { nodes, pods: both })).toBeUndefined()
  })
})

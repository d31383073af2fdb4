import { describe, expect, test } from 'vitest'
import type { NodeFacts, Pod } from '../../../../src/core/inventory.ts'
import { plainMachine } from '../../../support/inventory-parts.ts'
import { cluster, inventory, localPv, look, machine, pod, volume } from './builders.ts'

function dataOn(pods: readonly Pod[], facts: Partial<NodeFacts> = {}) {
  const persistentVolumes = [localPv('pvc-1'), localPv('pvc-2', { nodes: ['s1'] })]
  const document = inventory(cluster({ pods: [...pods], persistentVolumes }), [
    machine('s1'),
    machine('a1', facts),
  ])
  return look(document).nodes.find(({ name }) => name === 'a1')?.data
}

describe('the data of a node', () => {
  const web = pod('web', { uid: '4f6e', volumes: [volume('emptyDir', { name: 'uploads' })] })
  const path = '/var/lib/kubelet/pods/4f6e/volumes/kubernetes.io~empty-dir/uploads'

  test('names where an emptyDir lies, with its size when that was measured', () => {
    expect(dataOn([web], { usage: { [path]: 2048 } })).toContainEqual({
      kind: 'emptyDir',
      path,
      volume: 'uploads',
      claim: null,
      pods: ['shop/web'],
      bytes: 2048,
      reclaimPolicy: null,
    })
  })

  test('follows a kubelet that keeps its volumes elsewhere', () => {
    const service = {
      ...plainMachine.service,
      arguments: ['agent', '--kubelet-arg', 'root-dir=/data/kubelet/'],
    }
    expect(dataOn([web], { service })?.find(({ kind }) => kind === 'emptyDir')?.path).toBe(
      '/data/kubelet/pods/4f6e/volumes/kubernetes.io~empty-dir/uploads',
    )
  })

  test('leaves out volumes of other nodes and what is kept in memory', () => {
    const cache = pod('cache', { volumes: [volume('emptyDir-memory')] })
    expect(dataOn([cache])?.map(({ volume: name }) => name)).toEqual(['pvc-1'])
  })
})

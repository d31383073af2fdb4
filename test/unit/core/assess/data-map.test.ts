import { describe, expect, test } from 'vitest'
import type { NodeFacts, Pod } from '../../../../src/core/inventory.ts'
import { plainMachine } from '../../../support/inventory-parts.ts'
import { cluster, disk, inventory, localPv, look, machine, nodeFacts, pod, volume } from './builders.ts'

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
      place: 'disk',
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

  describe('by where it lies', () => {
    const mount = { fsType: 'ext4', readOnly: false, network: false }
    const storage = (device: string, network = false): Partial<NodeFacts> => ({
      disks: [disk('sda', 61_440), disk('sdb', 900_000, 'DATA')],
      storage: {
        ...plainMachine.storage,
        extraMounts: [{ ...mount, device, path: '/opt/data', network }],
      },
    })
    const cam = pod('cam', { volumes: [volume('hostPath', { path: '/opt/data/video' })] })
    const placeOf = (facts: Partial<NodeFacts>) =>
      dataOn([cam], facts)?.find(({ kind }) => kind === 'hostPath')?.place

    test.each<[string, Partial<NodeFacts>, string]>([
      ['the disk of k3OS', {}, 'disk'],
      ['a disk of its own', storage('/dev/sdb1'), 'other-disk'],
      ['another partition of the disk of k3OS', storage('/dev/sda1'), 'disk'],
      ['a device nobody can place', storage('/dev/mapper/data'), 'disk'],
      ['a file server', storage('nas:/data', true), 'network'],
    ])('on %s', (_, facts, place) => {
      expect(placeOf(facts)).toBe(place)
    })

    test('a volume in the network is named where a pod uses it', () => {
      const web = pod('web', { volumes: [volume('persistentVolumeClaim', { claim: 'files' })] })
      const persistentVolumes = [
        localPv('files', {
          type: 'other',
          nodes: [],
          path: null,
          claim: { namespace: 'shop', name: 'files' },
        }),
      ]
      const { nodes } = look(inventory(cluster({ pods: [web], persistentVolumes })))
      expect(nodes.map(({ data }) => data.filter(({ kind }) => kind === 'volume'))).toMatchObject([
        [],
        [{ place: 'network', volume: 'files', claim: 'shop/files', pods: ['shop/web'] }],
      ])
    })

    test('a datastore outside, and one that other members hold as well', () => {
      const servers = (datastore: NodeFacts['k3s']['datastore'], ...names: readonly string[]) =>
        look(
          inventory(
            cluster(),
            names.map((name) => machine(name, { k3s: { ...nodeFacts(name).k3s, datastore } })),
          ),
        ).nodes.map(({ data }) => data[0]?.place)
      expect(servers('external', 's1')).toEqual(['network'])
      expect(servers('etcd', 's1', 's2')).toEqual(['replicated', 'replicated'])
      expect(servers('etcd', 's1')).toEqual(['disk'])
    })
  })

  test('leaves out volumes of other nodes and what is kept in memory', () => {
    const cache = pod('cache', { volumes: [volume('emptyDir-memory')] })
    expect(dataOn([cache])?.map(({ volume: name }) => name)).toEqual(['pvc-1'])
  })
})

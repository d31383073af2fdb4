import { expect, test } from 'vitest'
import { diffInventories } from '../../../src/core/inventory-diff.ts'
import { cluster, disk, inventory, kubeNode, machine, pod } from './assess/builders.ts'

const before = inventory()

test('an inventory is equal to itself', () => {
  expect(diffInventories(before, structuredClone(before), true)).toEqual({
    nodes: { added: [], removed: [], changed: [] },
    cluster: [],
  })
})

test('nodes come and go by name', () => {
  const after = inventory(cluster(), [machine('s1'), machine('b1')])
  expect(diffInventories(before, after).nodes).toMatchObject({ added: ['b1'], removed: ['a1'], changed: [] })
})

test('values are named by their path, entries of lists by their name', () => {
  const after = inventory(cluster({ nodes: [kubeNode('s1', { labels: {} }), kubeNode('a1')] }), [
    machine('s1'),
    machine('a1', {
      memoryMib: 4000,
      disks: [disk('sda', 61_440), disk('sdb', 100)],
      markers: ['ephemeral'],
    }),
  ])
  const { nodes, cluster: changes } = diffInventories(before, after)
  expect(nodes.changed).toEqual([
    {
      name: 'a1',
      changes: [
        { path: 'facts.markers[ephemeral]', before: null, after: 'ephemeral' },
        { path: 'facts.memoryMib', before: 7800, after: 4000 },
        { path: 'facts.disks[sdb]', before: null, after: disk('sdb', 100) },
      ],
    },
  ])
  expect(changes).toContainEqual({ path: 'nodes[s1].labels[k3os.io/mode]', before: 'local', after: null })
})

test('what changes by itself is shown on request only', () => {
  const gate = { namespace: 'shop', name: 'gate', exists: true, ready: [], notReady: 0 }
  const before = inventory(cluster({ webhookServices: [gate] }))
  const after = inventory(cluster({ pods: [pod('web')], webhookServices: [{ ...gate, notReady: 1 }] }), [
    machine('s1', { bootId: 'another', usage: { '/home': 1 }, clockOffsetSeconds: 2 }),
    machine('a1'),
  ])
  expect(diffInventories(before, after)).toMatchObject({ nodes: { changed: [] }, cluster: [] })
  const all = diffInventories(before, after, true)
  expect(all.nodes.changed[0]?.changes.map(({ path }) => path)).toEqual([
    'facts.bootId',
    'facts.usage[/home]',
    'facts.clockOffsetSeconds',
  ])
  expect(all.cluster.map(({ path }) => path)).toEqual([
    'pods[shop/web]',
    'webhookServices[shop/gate].notReady',
  ])
})

test('a node that can no longer be read is a change, not nothing', () => {
  const after = inventory(cluster(), [
    machine('s1'),
    { name: 'a1', address: 'a1.example', status: 'error', reason: 'it does not answer' },
  ])
  const [a1] = diffInventories(before, after).nodes.changed
  expect(a1?.changes).toContainEqual({ path: 'status', before: 'read', after: 'error' })
  expect(a1?.changes).toContainEqual({ path: 'reason', before: null, after: 'it does not answer' })
})

test('so is a cluster', () => {
  const after = { ...before, cluster: { status: 'error' as const, reason: 'no permission' } }
  expect(diffInventories(before, after).cluster).toContainEqual({
    path: 'status',
    before: 'read',
    after: 'error',
  })
})

import { describe, expect, test } from 'vitest'
import type { AssessedNode } from '../../../../src/core/assessment.ts'
import type { ClusterFacts, NodeFacts } from '../../../../src/core/inventory.ts'
import { cluster, inventory, localPv, look, machine, nodeFacts, pod, volume } from './builders.ts'

function a1(changes: Partial<ClusterFacts> = {}, facts: Partial<NodeFacts> = {}): AssessedNode {
  const { nodes } = look(inventory(cluster(changes), [machine('s1'), machine('a1', facts)]))
  const node = nodes.find(({ name }) => name === 'a1')
  if (node === undefined) throw new Error('a1 was not assessed')
  return node
}

const parts = ({ estimate }: AssessedNode) =>
  Object.fromEntries(estimate.parts.map(({ what, seconds }) => [what, seconds]))

describe('the time of a node', () => {
  test('without pods and data is what every agent takes', () => {
    const node = a1()
    expect(parts(node)).toEqual({ 'change the system': 600, rejoin: 120, watch: 300 })
    expect(node.estimate.seconds).toBe(1020)
  })

  test('has 5 s for each pod and the longest time one may take to end', () => {
    const node = a1({ pods: [pod('a'), pod('b', { graceSeconds: 90 })] })
    expect([node.evictions, parts(node)['drain']]).toEqual([2, 2 * 5 + 90])
  })

  test('does not believe a grace period of days', () => {
    expect(parts(a1({ pods: [pod('a', { graceSeconds: 1_000_000 })] }))['drain']).toBe(605)
  })

  test('waits as often as the strictest budget asks', () => {
    const pods = ['a', 'b', 'c'].map((name) => pod(name, { labels: { app: 'web' } }))
    const pdb: ClusterFacts['pdbs'][0] = {
      namespace: 'shop',
      name: 'web',
      apiVersion: 'policy/v1',
      selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
      minAvailable: null,
      maxUnavailable: 1,
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
    }
    expect(parts(a1({ pods, pdbs: [pdb] }))['drain']).toBe(3 * 5 + 3 * 30)
  })

  test('reads data twice, and says which sizes are not known', () => {
    const path = '/var/lib/rancher/k3s/storage/pvc-1'
    const gib = 1024 ** 3
    const node = a1(
      { persistentVolumes: [localPv('pvc-1'), localPv('pvc-2')] },
      { localVolumes: [{ path, bytes: gib }] },
    )
    const [part] = node.estimate.parts.filter(({ what }) => what === 'compare data')
    expect(part).toEqual({
      what: 'compare data',
      seconds: 21,
      because: '1024 MiB read before and after at 100 MiB/s (1 of 2 sizes are not known and count as 0)',
    })
  })

  test('of a server is longer by its watch', () => {
    const { nodes } = look(inventory())
    expect(nodes.map(({ name, estimate }) => [name, estimate.parts.at(-1)?.seconds])).toEqual([
      ['s1', 900],
      ['a1', 300],
    ])
  })
})

describe('the data map', () => {
  test('has everything a wiped disk takes with it', () => {
    const pods = [
      pod('db-0', { volumes: [volume('persistentVolumeClaim', { claim: 'data-db-0' })] }),
      pod('cam', { volumes: [volume('hostPath', { path: '/opt/recordings' })] }),
      pod('web', { volumes: [volume('emptyDir', { name: 'uploads' })] }),
    ]
    const facts = {
      localVolumes: [
        { path: '/var/lib/rancher/k3s/storage/pvc-1', bytes: 10 },
        { path: '/var/lib/rancher/k3s/storage/old', bytes: 20 },
      ],
      usage: { '/opt/recordings': 30 },
    }
    expect(a1({ pods, persistentVolumes: [localPv('pvc-1')] }, facts).data).toMatchObject([
      { kind: 'volume', claim: 'shop/data-db-0', pods: ['shop/db-0'], bytes: 10, reclaimPolicy: 'Delete' },
      { kind: 'hostPath', path: '/opt/recordings', pods: ['shop/cam'], bytes: 30 },
      { kind: 'emptyDir', volume: 'uploads', pods: ['shop/web'], bytes: null },
      { kind: 'orphan', path: '/var/lib/rancher/k3s/storage/old', bytes: 20 },
    ])
  })

  test('has the datastore of a server, and says when it is outside', () => {
    const kinds = (datastore: NodeFacts['k3s']['datastore']) =>
      look(inventory(cluster(), [machine('s1', { k3s: { ...nodeFacts('s1').k3s, datastore } })])).nodes[0]
        ?.data
    expect(kinds('sqlite')).toMatchObject([{ kind: 'datastore', path: '/var/lib/rancher/k3s/server/db' }])
    expect(kinds('external')).toMatchObject([{ kind: 'datastore', place: 'network', path: null }])
  })
})

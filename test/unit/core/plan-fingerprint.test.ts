import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import {
  baselineOf,
  clusterChanges,
  clusterGates,
  machineChanges,
  softTaint,
  stateDiskSerial,
  volumesOf,
} from '../../../src/core/plan-fingerprint.ts'
import type { Plan, PlanNode } from '../../../src/core/plan.ts'
import { aBudget, aPod } from '../../support/kube-data.ts'
import { noObjects } from '../../support/inventory-parts.ts'
import { plan as somePlan } from '../output/report/builders.ts'
import { disk, kubeNode, nodeFacts } from './assess/builders.ts'

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

function volume(name: string, changes: Partial<ClusterFacts['persistentVolumes'][0]> = {}) {
  return {
    name,
    storageClass: 'local-path',
    type: 'hostPath' as const,
    path: `/data/${name}`,
    nodes: ['n1'],
    reclaimPolicy: 'Delete',
    claim: { namespace: 'shop', name },
    capacity: null,
    ...changes,
  }
}

/** Two nodes; a budget guards pods on both, a volume is on the first. */
function aCluster(changes: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    ...noObjects,
    server: 'https://192.0.2.1:6443',
    uid: 'cluster-1',
    version: 'v1.21.5+k3s2',
    nodes: [kubeNode('n1'), kubeNode('n2')],
    pods: [aPod({ name: 'web-1' }), aPod({ name: 'web-2', node: 'n2' })],
    pdbs: [aBudget()],
    persistentVolumes: [volume('v1')],
    daemonSets: [],
    upgradePlans: [],
    failures: [],
    ...changes,
  }
}

function planOf(cluster: ClusterFacts): Plan {
  const base = somePlan()
  const [pattern] = base.nodes
  if (pattern === undefined) throw new Error('no node')
  const nodes = cluster.nodes.map((node): PlanNode => ({
    ...pattern,
    name: node.name,
    fingerprint: {
      ...pattern.fingerprint,
      nodeUid: node.uid,
      systemUuid: node.systemUuid,
      baseline: baselineOf(node, sha256),
      volumes: volumesOf(node, cluster, sha256),
    },
  }))
  return { ...base, nodes, gates: clusterGates(cluster, sha256) }
}

function changesOf(name: string, now: ClusterFacts, planned = aCluster()): string[] {
  const plan = planOf(planned)
  const node = plan.nodes.find((one) => one.name === name)
  if (node === undefined) throw new Error(`no node ${name}`)
  return clusterChanges(plan, node, now, sha256)
}

const n1 = (changes: Parameters<typeof kubeNode>[1]) => ({ nodes: [kubeNode('n1', changes), kubeNode('n2')] })

describe('a plan still holds', () => {
  it('when nothing has changed', () => {
    expect(changesOf('n1', aCluster())).toEqual([])
  })

  it('when its own run put its taint on the node', () => {
    const taints = [{ key: softTaint, value: 'run-1', effect: 'PreferNoSchedule' }]
    expect(changesOf('n1', aCluster(n1({ taints })))).toEqual([])
  })

  it('when the cluster itself marks a node for a while', () => {
    const taints = [{ key: 'node.kubernetes.io/disk-pressure', value: '', effect: 'NoSchedule' }]
    expect(changesOf('n1', aCluster(n1({ taints })))).toEqual([])
  })

  it('when pods came from a node that is done, with their budget and their directories', () => {
    const writes = { name: 'host', type: 'hostPath', path: '/srv/spool', claim: null, readOnly: false }
    const spool = aPod({ name: 'spool-1', node: 'n2', volumes: [writes] })
    const planned = aCluster({ pods: [spool, aPod({ name: 'web-1' })] })
    const moved = [{ ...spool, name: 'spool-2', uid: 'u2', node: 'n1' }, aPod({ name: 'web-9', uid: 'u9' })]
    expect(changesOf('n1', aCluster({ pods: moved }), planned)).toEqual([])
  })

  it('when something changed that does not concern the node', () => {
    const other = aBudget({
      name: 'other',
      selector: { matchLabels: { app: 'other' }, matchExpressions: [] },
    })
    const now = aCluster({
      pdbs: [aBudget(), other],
      persistentVolumes: [volume('v1'), volume('v2', { nodes: ['n2'] })],
    })
    expect(changesOf('n1', now)).toEqual([])
  })

  it('when only the counts of a budget changed', () => {
    expect(
      changesOf('n1', aCluster({ pdbs: [aBudget({ disruptionsAllowed: 0, currentHealthy: 2 })] })),
    ).toEqual([])
  })
})

describe('a plan is stale', () => {
  it.each<[string, Partial<ClusterFacts>, string]>([
    [
      'another cluster',
      { uid: 'cluster-2' },
      'this is another cluster (kube-system cluster-2, planned cluster-1)',
    ],
    ['a node that is gone', { nodes: [kubeNode('n2')] }, 'the cluster has no such node'],
    ['another Node object', n1({ uid: 'new' }), 'it is another Node object'],
    ['another machine', n1({ systemUuid: 'X' }), 'it is another machine (system UUID X)'],
    ['another system', n1({ osImage: 'Debian GNU/Linux 13' }), 'system changed'],
    ['another k3s', n1({ kubeletVersion: 'v1.22.0+k3s1' }), 'k3s version changed'],
    ['labels', n1({ labels: { zone: 'b' } }), 'labels changed'],
    ['taints', n1({ taints: [{ key: 'a', value: '', effect: 'NoSchedule' }] }), 'taints changed'],
    ['a cordon', n1({ unschedulable: true }), 'cordoned changed'],
    ['a new volume', { persistentVolumes: [volume('v1'), volume('v2')] }, 'volume v2 is new'],
    ['a volume that is gone', { persistentVolumes: [] }, 'volume v1 is gone'],
    ['a volume elsewhere', { persistentVolumes: [volume('v1', { path: '/x' })] }, 'volume v1 changed'],
    ['a stricter budget', { pdbs: [aBudget({ minAvailable: 3 })] }, 'disruption budget shop/web changed'],
    ['a second budget', { pdbs: [aBudget(), aBudget({ name: 'two' })] }, 'disruption budget shop/two is new'],
    [
      'an upgrade Plan for the node',
      {
        upgradePlans: [
          {
            namespace: 'k3os-system',
            name: 'k3os-latest',
            image: 'rancher/k3os',
            nodeSelector: { matchLabels: { 'k3os.io/mode': 'local' }, matchExpressions: [] },
          },
        ],
      },
      'upgrade Plan k3os-system/k3os-latest is new',
    ],
    [
      'a workload that writes to the disk',
      {
        pods: [
          aPod({
            name: 'web-1',
            volumes: [{ name: 'h', type: 'hostPath', path: '/srv/new', claim: null, readOnly: false }],
          }),
        ],
      },
      'directory /srv/new written to by ReplicaSet shop/web-1 is new',
    ],
  ])('for %s', (_, changes, expected) => {
    expect(changesOf('n1', aCluster(changes))).toEqual([expected])
  })

  it('for nobody when a part of the cluster could not be read: that is no answer', () => {
    const failures = [{ what: 'list poddisruptionbudgets.policy', reason: 'forbidden' }]
    expect(() => changesOf('n1', aCluster({ failures }))).toThrow(/cannot be said: list poddisruptionbudgets/)
  })

  it('for one node does not mean for the other', () => {
    expect(changesOf('n2', aCluster(n1({ labels: {} })))).toEqual([])
  })
})

describe('a machine', () => {
  const planned = planOf(aCluster()).nodes[0]
  if (planned === undefined) throw new Error('no node')
  const node: PlanNode = {
    ...planned,
    fingerprint: { ...planned.fingerprint, diskSerial: 'serial-sda', config: { '/a': '1', '/b': '2' } },
  }

  it('is the planned one with its disk and its configuration', () => {
    expect(machineChanges(node, nodeFacts('n1'), { '/a': '1', '/b': '2' })).toEqual([])
  })

  it('with another disk is not', () => {
    const facts = nodeFacts('n1', { disks: [{ ...disk('sda', 1), serial: 'other' }] })
    expect(machineChanges(node, facts, { '/a': '1', '/b': '2' })).toEqual([
      'its disk has the serial number other, planned serial-sda',
    ])
  })

  it('that does not tell its disk any more is not', () => {
    const facts = nodeFacts('n1', { disks: [{ ...disk('sda', 1), serial: null }] })
    expect(machineChanges(node, facts, { '/a': '1', '/b': '2' })).toEqual([
      'its disk has the serial number (none), planned serial-sda',
    ])
  })

  it('names each file of its configuration that is not what was translated', () => {
    expect(machineChanges(node, nodeFacts('n1'), { '/a': '9', '/c': '3' })).toEqual([
      'configuration /a changed',
      'configuration /b is gone',
      'configuration /c is new',
    ])
  })
})

it('knows the disk of k3OS among several by its label', () => {
  const facts = nodeFacts('n1', { disks: [disk('sda', 1, null), disk('sdb', 2)] })
  expect(stateDiskSerial(facts)).toBe('serial-sdb')
})

it('does not guess between two disks without the label', () => {
  const facts = nodeFacts('n1', { disks: [disk('sda', 1, null), disk('sdb', 2, null)] })
  expect(stateDiskSerial(facts)).toBeNull()
})

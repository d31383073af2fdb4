import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts, NodeFacts } from '../../../../src/core/inventory.ts'
import { workloadOf } from '../../../support/gate-parts.ts'
import { cluster, inventory, kubeNode, localPv, look, machine, of, pod, volume } from './builders.ts'

function withCluster(changes: Partial<ClusterFacts>, facts: Partial<NodeFacts> = {}): Assessment {
  return look(inventory(cluster(changes), [machine('s1'), machine('a1', facts)]))
}

describe('pods without controller', () => {
  test('are inhibitors, one each', () => {
    const assessment = withCluster({ pods: [pod('debug', { controller: null }), pod('web')] })
    expect(of(assessment, 'PRE-UNMANAGED').map(({ key }) => key)).toEqual(['PRE-UNMANAGED:Pod/shop/debug'])
  })

  test('that are finished, mirrors or of a DaemonSet do not count', () => {
    const daemon = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent' }
    const pods = [
      pod('done', { controller: null, phase: 'Succeeded' }),
      pod('static', { controller: null, mirror: true }),
      pod('agent-x', { controller: daemon }),
    ]
    const assessment = withCluster({ pods, daemonSets: [{ namespace: 'shop', name: 'agent' }] })
    expect(of(assessment, 'PRE-UNMANAGED')).toHaveLength(0)
  })

  test('of a DaemonSet that is gone are among them', () => {
    const controller = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent' }
    const [f] = of(withCluster({ pods: [pod('agent-x', { controller })] }), 'PRE-UNMANAGED')
    expect(f?.summary).toBe(
      'the pod shop/agent-x on a1 belonged to DaemonSet/agent, which is gone: once evicted it does not come back',
    )
  })

  test('and those that their controller does not want any more are one low finding', () => {
    const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5c9f' }
    const pods = ['web-1', 'web-2', 'web-3'].map((name) => pod(name, { controller }))
    const workloads = [workloadOf('ReplicaSet', 'web-5c9f', { desired: 1 })]
    const [f, ...more] = of(withCluster({ pods, workloads }), 'PRE-NOT-REPLACED')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-NOT-REPLACED:Node/a1:shop/ReplicaSet/web-5c9f',
      severity: 'low',
      summary:
        'web-1, web-2 of shop on a1 do not come back once evicted: ReplicaSet/web-5c9f has 3 pods and wants 1',
    })
    expect(f?.remediations.at(-1)?.text).toBe('kubectl -n shop scale replicaset/web-5c9f --replicas=3')
  })

  test('on nodes that have moved already do not count', () => {
    const moved = kubeNode('d1', { osImage: 'Debian GNU/Linux 13 (trixie)' })
    const pods = [pod('debug', { controller: null, node: 'd1' })]
    expect(
      of(withCluster({ nodes: [kubeNode('s1'), kubeNode('a1'), moved], pods }), 'PRE-UNMANAGED'),
    ).toEqual([])
  })

  test('that the plan gives up stop nothing', () => {
    const settled = { deleteEmptyDir: false, abandonPods: ['shop/debug'], keptData: new Map() }
    const pods = [pod('debug', { controller: null })]
    const [f] = of(look(inventory(cluster({ pods })), { settled }), 'PRE-UNMANAGED')
    expect(f?.severity).toBe('low')
  })
})

describe('emptyDir', () => {
  test('on disk is high', () => {
    const pods = [pod('web', { volumes: [volume('emptyDir', { name: 'uploads' })] })]
    expect(of(withCluster({ pods }), 'PRE-EMPTYDIR')[0]).toMatchObject({
      severity: 'high',
      summary:
        'the pod shop/web on a1 loses what is in its emptyDir when it is evicted: uploads (size unknown)',
    })
  })

  const path = '/var/lib/kubelet/pods/4f6e/volumes/kubernetes.io~empty-dir/uploads'
  const web = pod('web', {
    uid: '4f6e',
    volumes: [volume('emptyDir', { name: 'uploads' }), volume('emptyDir', { name: 'cache' })],
  })
  const usage = { [path]: 3 * 2 ** 30 }

  test('of 3 GiB stops the drain, apart from the small one beside it', () => {
    const assessment = withCluster({ pods: [web] }, { usage })
    expect(of(assessment, 'PRE-EMPTYDIR-LARGE')).toMatchObject([
      {
        key: 'PRE-EMPTYDIR-LARGE:Pod/shop/web',
        severity: 'inhibitor',
        summary: 'the pod shop/web on a1 loses what is in its emptyDir when it is evicted: uploads (3 GiB)',
      },
    ])
    expect(of(assessment, 'PRE-EMPTYDIR')).toMatchObject([{ summary: expect.stringContaining('cache') }])
  })

  test('of 3 GiB is not settled by a plan that lets emptyDir go', () => {
    const settled = { deleteEmptyDir: true, abandonPods: [], keptData: new Map() }
    const document = inventory(cluster({ pods: [web] }), [machine('s1'), machine('a1', { usage })])
    const assessment = look(document, { settled })
    expect(of(assessment, 'PRE-EMPTYDIR-LARGE')[0]?.severity).toBe('inhibitor')
    expect(of(assessment, 'PRE-EMPTYDIR')[0]?.severity).toBe('low')
  })

  test('in memory is not data anybody keeps', () => {
    const pods = [pod('web', { volumes: [volume('emptyDir-memory')] })]
    expect(of(withCluster({ pods }), 'PRE-EMPTYDIR')).toHaveLength(0)
  })
})

describe('hostPath', () => {
  const hostPath = (path: string, readOnly = false) => [volume('hostPath', { path, readOnly })]

  test('one finding per directory, with all writers and the size', () => {
    const pods = [pod('b', { volumes: hostPath('/opt/data') }), pod('a', { volumes: hostPath('/opt/data') })]
    const [f, ...more] = of(withCluster({ pods }, { usage: { '/opt/data': 3_221_225_472 } }), 'PRE-HOSTPATH')
    expect(more).toEqual([])
    expect(f?.summary).toBe('/opt/data on a1 (3 GiB) is written by shop/a, shop/b through a hostPath volume')
  })

  test.each([
    ['/var/log/pods', false],
    ['/run/containerd', false],
    ['/opt/data', true],
  ])('%s (read-only %s) needs nothing', (path, readOnly) => {
    expect(
      of(withCluster({ pods: [pod('a', { volumes: hostPath(path, readOnly) })] }), 'PRE-HOSTPATH'),
    ).toEqual([])
  })

  test('below a name that only looks like a system path', () => {
    expect(
      of(withCluster({ pods: [pod('a', { volumes: hostPath('/var/logistics') })] }), 'PRE-HOSTPATH'),
    ).toHaveLength(1)
  })
})

describe('local volumes', () => {
  const path = '/var/lib/rancher/k3s/storage/pvc-1'
  const user = pod('db-0', { volumes: [volume('persistentVolumeClaim', { claim: 'data-db-0' })] })

  test('are inhibitors that name claim, size, path, pod and reclaim policy', () => {
    const [f] = of(
      withCluster(
        { persistentVolumes: [localPv('pvc-1')], pods: [user] },
        { localVolumes: [{ path, bytes: 1_288_490_189 }] },
      ),
      'PRE-LOCALPV',
    )
    expect(f).toMatchObject({
      severity: 'inhibitor',
      summary: 'the data of shop/data-db-0 (1.2 GiB) is only on a1',
    })
    expect(f?.diagnosis).toContain(path)
    expect(f?.diagnosis).toContain('shop/db-0')
    expect(f?.diagnosis).toContain('reclaim policy is Delete')
    expect(f?.remediations.map(({ text }) => text)).toContain(
      `kubectl patch persistentvolume pvc-1 -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`,
    )
  })

  test('elsewhere are not', () => {
    const other = [localPv('pvc-1', { nodes: ['x9'] }), localPv('pvc-2', { type: 'other', nodes: [] })]
    expect(of(withCluster({ persistentVolumes: other }), 'PRE-LOCALPV')).toHaveLength(0)
  })

  test('without affinity are where a pod uses them', () => {
    const assessment = withCluster({ persistentVolumes: [localPv('pvc-1', { nodes: [] })], pods: [user] })
    expect(of(assessment, 'PRE-LOCALPV').map(({ key }) => key)).toEqual([
      'PRE-LOCALPV:PersistentVolume/pvc-1:a1',
    ])
  })

  test('that the plan keeps are said, and stop nothing', () => {
    const settled = {
      deleteEmptyDir: false,
      abandonPods: [],
      keptData: new Map([['a1', ['/var/lib/rancher/k3s/storage']]]),
    }
    const [f] = of(
      look(inventory(cluster({ persistentVolumes: [localPv('pvc-1')] })), { settled }),
      'PRE-LOCALPV',
    )
    expect(f).toMatchObject({ severity: 'info', remediations: [] })
  })

  test('that no PersistentVolume names are noted', () => {
    const facts = {
      localVolumes: [
        { path, bytes: 10 },
        { path: `${path}-old`, bytes: 20 },
      ],
    }
    const assessment = withCluster({ persistentVolumes: [localPv('pvc-1')] }, facts)
    expect(of(assessment, 'PRE-ORPHAN-VOLUME').map(({ summary }) => summary)).toEqual([
      `${path}-old on a1 (20 B) belongs to no PersistentVolume`,
    ])
  })
})

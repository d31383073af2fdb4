import { describe, expect, test } from 'vitest'
import {
  kubeNode,
  persistentVolume,
  podDisruptionBudget,
  upgradePlan,
} from '../../../src/core/kube-objects.ts'
import { containerRestarts, pod } from '../../../src/core/kube-pod.ts'
import { nodeLabels } from '../../support/kube-data.ts'

describe('Node', () => {
  test('a node that has just been registered has nothing but a name', () => {
    expect(kubeNode({ metadata: { name: 'n1' } })).toMatchObject({
      name: 'n1',
      ready: false,
      unschedulable: false,
      taints: [],
      podCidr: null,
    })
  })

  test('a taint without value has the empty one', () => {
    const raw = { metadata: { name: 'n1' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }
    expect(kubeNode(raw).taints).toEqual([{ key: 'k', value: '', effect: 'NoSchedule' }])
  })

  test('an unknown Ready condition is not ready', () => {
    const raw = { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
    expect(kubeNode(raw).ready).toBe(false)
  })

  test('secrets that an old k3s left in its annotations are masked', () => {
    const args = [
      'server',
      '--token',
      'S3CRET',
      '--etcd-s3-secret-key=S3CRET',
      '--agent-token-file',
      '/t',
      '-t',
      'S3CRET',
    ]
    const annotations = {
      'k3s.io/node-args': JSON.stringify(args),
      'k3s.io/node-env': JSON.stringify({ K3S_TOKEN: 'S3CRET', K3S_URL: 'https://s' }),
    }
    const masked = kubeNode({ metadata: { name: 'n1', annotations } }).annotations
    expect(JSON.stringify(masked)).not.toContain('S3CRET')
    expect(JSON.parse(masked['k3s.io/node-args'] ?? '')).toContain('/t')
    expect(masked['k3s.io/node-env']).toContain('https://s')
  })

  test('an annotation of k3s that is not JSON is masked as a whole', () => {
    const annotations = { 'k3s.io/node-args': 'server --token S3CRET' }
    expect(kubeNode({ metadata: { name: 'n1', annotations } }).annotations['k3s.io/node-args']).toBe(
      '********',
    )
  })

  test('what does not fit is an error that names the field and not the value', () => {
    const raw = { metadata: { name: 'n1', labels: { a: { secret: 'S3CRET' } } } }
    expect(() => kubeNode(raw)).toThrow(
      /^the API server sent a Node that cannot be read \(metadata\.labels\.a\)$/,
    )
  })
})

describe('Pod', () => {
  const raw = (changes: { metadata?: object; spec?: object; status?: object }) => ({
    metadata: { name: 'p', namespace: 'shop', uid: 'u', ...changes.metadata },
    spec: { containers: [], ...changes.spec },
    status: changes.status ?? {},
  })

  test('its controller is the owner that says so, not the first', () => {
    const owner = { apiVersion: 'v1', kind: 'Other', name: 'x', uid: '1' }
    const real = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '2', controller: true }
    expect(pod(raw({ metadata: { ownerReferences: [owner, real] } })).controller?.name).toBe('web')
    expect(pod(raw({ metadata: { ownerReferences: [owner] } })).controller).toBeNull()
  })

  test.each([
    ['JSON', '2026-01-01T00:00:00Z'],
    ['the library', new Date()],
  ])('a deletion time from %s means ending', (_what, deletionTimestamp) => {
    expect(pod(raw({ metadata: { deletionTimestamp } })).terminating).toBe(true)
  })

  test('no deletion time means staying', () => {
    expect(pod(raw({})).terminating).toBe(false)
  })

  test('volumes have their kind, path and claim, and are read-only where every mount is', () => {
    const volumes = [
      { name: 'a', emptyDir: {} },
      { name: 'm', emptyDir: { medium: 'Memory' } },
      { name: 'h', hostPath: { path: '/data' } },
      { name: 'c', persistentVolumeClaim: { claimName: 'db' } },
      { name: 's', secret: { secretName: 'x' } },
      { name: 'n', nfs: { server: 'x', path: '/' } },
    ]
    const containers = [
      {
        volumeMounts: [
          { name: 'h', readOnly: true },
          { name: 'c', readOnly: true },
        ],
      },
      { volumeMounts: [{ name: 'c' }] },
    ]
    const described = pod(raw({ spec: { volumes, containers } })).volumes.map(
      ({ name, type, path, claim, readOnly }) => [name, type, path, claim, readOnly],
    )
    expect(described).toEqual([
      ['a', 'emptyDir', null, null, false],
      ['m', 'emptyDir-memory', null, null, false],
      ['h', 'hostPath', '/data', null, true],
      ['c', 'persistentVolumeClaim', null, 'db', false],
      ['s', 'secret', null, null, false],
      ['n', 'other', null, null, false],
    ])
  })

  const needs = (cpu: string) => ({ resources: { requests: { cpu } } })
  test.each<[string, object, string]>([
    ['containers together', { containers: [needs('100m'), needs('1')] }, '1100m'],
    [
      'the largest init container',
      { containers: [needs('100m')], initContainers: [needs('2'), needs('1')] },
      '2',
    ],
    [
      'init containers that keep running, with the containers',
      {
        containers: [needs('1')],
        initContainers: [{ ...needs('500m'), restartPolicy: 'Always' }, needs('1')],
      },
      '1500m',
    ],
    ['overhead on top', { containers: [needs('1')], overhead: { cpu: '250m' } }, '1250m'],
  ])('requests: %s', (_what, spec, cpu) => {
    expect(pod(raw({ spec })).requests).toEqual({ cpu })
  })
})

describe('PersistentVolume', () => {
  const volume = (
    key: string,
    values: string[],
    field: 'matchExpressions' | 'matchFields' = 'matchExpressions',
  ) => ({
    metadata: { name: 'pv' },
    spec: {
      hostPath: { path: '/var/lib/rancher/k3s/storage/pvc-1' },
      storageClassName: 'local-path',
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { namespace: 'shop', name: 'db' },
      capacity: { storage: '1Gi' },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ [field]: [{ key, operator: 'In', values }] }] },
      },
    },
  })

  test('its nodes are those whose labels the affinity matches', () => {
    const nodes = [nodeLabels('n1', { 'kubernetes.io/hostname': 'host-1' }), nodeLabels('n2')]
    expect(persistentVolume(volume('kubernetes.io/hostname', ['host-1']), nodes)).toEqual({
      name: 'pv',
      storageClass: 'local-path',
      type: 'hostPath',
      path: '/var/lib/rancher/k3s/storage/pvc-1',
      nodes: ['n1'],
      reclaimPolicy: 'Delete',
      claim: { namespace: 'shop', name: 'db' },
      capacity: '1Gi',
    })
  })

  test('an affinity by field is one by name', () => {
    const nodes = [nodeLabels('n1'), nodeLabels('n2')]
    expect(persistentVolume(volume('metadata.name', ['n2'], 'matchFields'), nodes).nodes).toEqual(['n2'])
  })

  test('one of a node that is gone does not look free', () => {
    expect(persistentVolume(volume('kubernetes.io/hostname', ['gone']), [nodeLabels('n1')]).nodes).toEqual([
      'gone',
    ])
  })

  test('one without affinity has no nodes', () => {
    const raw = { metadata: { name: 'pv' }, spec: { nfs: { server: 's', path: '/' } } }
    expect(persistentVolume(raw, [nodeLabels('n1')])).toMatchObject({ nodes: [], type: 'other', claim: null })
  })
})

test('a budget without selector keeps none, one with an empty selector keeps an empty one', () => {
  const read = (spec: object) =>
    podDisruptionBudget({ metadata: { name: 'b', namespace: 'shop' }, spec }, 'policy/v1').selector
  expect(read({})).toBeNull()
  expect(read({ selector: {} })).toEqual({ matchLabels: {}, matchExpressions: [] })
})

test('a k3OS upgrade Plan has its image and its node selector', () => {
  const raw = {
    metadata: { name: 'k3os-latest', namespace: 'k3os-system' },
    spec: {
      upgrade: { image: 'rancher/k3os' },
      nodeSelector: { matchExpressions: [{ key: 'k3os.io/mode', operator: 'Exists' }] },
    },
  }
  expect(upgradePlan(raw)).toEqual({
    namespace: 'k3os-system',
    name: 'k3os-latest',
    image: 'rancher/k3os',
    nodeSelector: {
      matchLabels: {},
      matchExpressions: [{ key: 'k3os.io/mode', operator: 'Exists', values: [] }],
    },
  })
})

describe('restarts of containers', () => {
  const raw = (containerStatuses: unknown) => ({
    metadata: { namespace: 'shop', name: 'web-1', uid: 'u' },
    status: { containerStatuses },
  })

  test('come with the reason of the last end', () => {
    const terminated = { reason: 'OOMKilled', exitCode: 137 }
    const statuses = [{ name: 'main', restartCount: 4, lastState: { terminated } }, { name: 'side' }]
    expect(containerRestarts(raw(statuses))).toEqual([
      { namespace: 'shop', pod: 'web-1', uid: 'u', container: 'main', restarts: 4, reason: 'OOMKilled' },
      { namespace: 'shop', pod: 'web-1', uid: 'u', container: 'side', restarts: 0, reason: null },
    ])
  })

  test.each([undefined, null, []])('are none where no container has a status yet: %j', (statuses) => {
    expect(containerRestarts(raw(statuses))).toEqual([])
  })
})

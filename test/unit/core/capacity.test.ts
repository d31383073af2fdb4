import { describe, expect, test } from 'vitest'
import { capacityModel, placeEvicted, type CapacityVerdict } from '../../../src/core/capacity.ts'
import type { ClusterFacts, KubeNode, PersistentVolume, Pod } from '../../../src/core/inventory.ts'
import { anywhere } from '../../../src/core/kube-pod.ts'
import { kubeNode, localPv, pod, volume } from './assess/builders.ts'

/** The node `a` is drained; `b` and `c` stay. 4 cores, 8 GiB, 20 GiB and 10 pods each. */
function node(name: string, changes: Partial<KubeNode> = {}): KubeNode {
  const { labels = {}, allocatable = {}, ...rest } = changes
  return kubeNode(name, {
    labels: { 'kubernetes.io/hostname': name, ...labels },
    allocatable: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '20Gi', pods: '10', ...allocatable },
    ...rest,
  })
}

function moving(name: string, changes: Partial<Pod> = {}): Pod {
  return pod(name, { node: 'a', ...changes })
}

function scheduling(changes: Partial<Pod['scheduling']>): Pick<Pod, 'scheduling'> {
  return { scheduling: { ...anywhere, ...changes } }
}

interface Case {
  readonly nodes?: readonly KubeNode[]
  readonly pods?: readonly Pod[]
  readonly volumes?: readonly PersistentVolume[]
  readonly namespaces?: ClusterFacts['namespaces']
}

function drain({
  nodes = [node('a'), node('b'), node('c')],
  pods = [],
  volumes = [],
  namespaces,
}: Case): CapacityVerdict {
  const model = capacityModel({
    nodes: [...nodes],
    pods: [...pods],
    persistentVolumes: [...volumes],
    namespaces,
  })
  return placeEvicted(
    model,
    'a',
    pods.filter((one) => one.node === 'a'),
  )
}

/** `web b: cpu: …`, one line for each obstacle. */
function lines(verdict: CapacityVerdict): string[] {
  return verdict.unplaced.flatMap(({ pod: { name }, obstacles }) =>
    obstacles.map((one) => `${name} ${one.node}: ${one.text}`),
  )
}

describe('requests', () => {
  test('that fill a node to the last byte fit', () => {
    const pods = [
      moving('web', { requests: { cpu: '1', memory: '2Gi' } }),
      pod('full', { node: 'b', requests: { cpu: '3', memory: '6Gi' } }),
      pod('fuller', { node: 'c', requests: { cpu: '4' } }),
    ]
    expect(drain({ pods }).unplaced).toEqual([])
  })

  test('are refused node by node with what is needed and what is free', () => {
    const pods = [
      moving('web', { requests: { cpu: '1500m', memory: '2Gi' } }),
      pod('busy', { node: 'b', requests: { cpu: '3' } }),
      pod('large', { node: 'c', requests: { memory: '7Gi' } }),
    ]
    expect(lines(drain({ pods }))).toEqual([
      'web b: cpu: needs 1500m, 1 free',
      'web c: memory: needs 2 GiB, 1 GiB free',
    ])
  })

  test.each([
    ['ephemeral-storage', '21Gi', 'needs 21 GiB, 20 GiB free'],
    ['example.com/gpu', '1', 'needs 1, 0 free'],
  ])('of %s count like the others', (resource, amount, text) => {
    const nodes = [node('a'), node('b')]
    const pods = [moving('web', { requests: { [resource]: amount } })]
    expect(lines(drain({ nodes, pods }))).toEqual([`web b: ${resource}: ${text}`])
  })

  test('of several pods are added up: the largest goes first, the one left over says it would fit alone', () => {
    const nodes = [node('a'), node('b')]
    const pods = [
      moving('small', { requests: { memory: '4Gi' } }),
      moving('large', { requests: { memory: '5Gi' } }),
    ]
    const [left, ...more] = drain({ nodes, pods }).unplaced
    expect(more).toEqual([])
    expect([left?.pod.name, left?.fitsAlone]).toEqual(['small', true])
  })

  test('of finished pods are free again', () => {
    const nodes = [node('a'), node('b')]
    const pods = [
      moving('web', { requests: { cpu: '2' } }),
      pod('done', { node: 'b', phase: 'Succeeded', requests: { cpu: '3' } }),
    ]
    expect(drain({ nodes, pods }).unplaced).toEqual([])
  })

  test('a large pod leaves the only possible place to a small one', () => {
    const pods = [
      moving('large', { requests: { memory: '6Gi' } }),
      moving('choosy', { requests: { memory: '4Gi' }, ...scheduling({ nodeSelector: { disk: 'ssd' } }) }),
    ]
    const nodes = [node('a'), node('b', { labels: { disk: 'ssd' } }), node('c')]
    expect(drain({ nodes, pods }).unplaced).toEqual([])
  })
})

test('a node takes as many pods as its limit says', () => {
  const nodes = [node('a'), node('b', { allocatable: { pods: '2' } })]
  const pods = [moving('one'), moving('two'), pod('there', { node: 'b' })]
  expect(lines(drain({ nodes, pods }))).toEqual(['two b: full: at most 2 pods'])
})

test('nodes that are cordoned or not Ready take nothing', () => {
  const nodes = [node('a'), node('b', { unschedulable: true }), node('c', { ready: false })]
  expect(lines(drain({ nodes, pods: [moving('web')] }))).toEqual(['web b: cordoned', 'web c: not Ready'])
})

test('without another node nothing is placed and there is nobody to name', () => {
  const [left] = drain({ nodes: [node('a')], pods: [moving('web')] }).unplaced
  expect(left).toMatchObject({ obstacles: [], fitsAlone: false })
})

describe('taints', () => {
  const tainted = [
    node('a'),
    node('b', { taints: [{ key: 'node-role.kubernetes.io/master', value: 'true', effect: 'NoExecute' }] }),
  ]
  const toleration = { key: '', operator: 'Exists' as const, value: '', effect: '', seconds: null }

  test('repel', () => {
    expect(lines(drain({ nodes: tainted, pods: [moving('web')] }))).toEqual([
      'web b: taint node-role.kubernetes.io/master=true:NoExecute',
    ])
  })

  test.each([
    ['everything', toleration],
    ['the key', { ...toleration, key: 'node-role.kubernetes.io/master' }],
    [
      'key, value and effect',
      {
        key: 'node-role.kubernetes.io/master',
        operator: 'Equal' as const,
        value: 'true',
        effect: 'NoExecute',
        seconds: null,
      },
    ],
  ])('are tolerated by %s', (_, own) => {
    const pods = [moving('web', scheduling({ tolerations: [own] }))]
    expect(drain({ nodes: tainted, pods }).unplaced).toEqual([])
  })

  test.each([
    ['another value', { ...toleration, key: 'node-role.kubernetes.io/master', operator: 'Equal' as const }],
    ['another effect', { ...toleration, effect: 'NoSchedule' }],
  ])('are not tolerated by %s', (_, own) => {
    const pods = [moving('web', scheduling({ tolerations: [own] }))]
    expect(drain({ nodes: tainted, pods }).unplaced).toHaveLength(1)
  })

  test('that only prefer do not repel', () => {
    const nodes = [node('a'), node('b', { taints: [{ key: 'old', value: '', effect: 'PreferNoSchedule' }] })]
    expect(drain({ nodes, pods: [moving('web')] }).unplaced).toEqual([])
  })
})

function nodeAffinity(...nodeSelectorTerms: readonly unknown[]): Pick<Pod, 'scheduling'> {
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms }
  return scheduling({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } } })
}

describe('node selection', () => {
  const nodes = [node('a'), node('b', { labels: { disk: 'ssd', cores: '8' } })]
  const expression = (key: string, operator: string, values?: string[]) => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  })

  test.each([
    ['In', expression('disk', 'In', ['ssd'])],
    ['NotIn', expression('disk', 'NotIn', ['hdd'])],
    ['Exists', expression('disk', 'Exists')],
    ['DoesNotExist', expression('gpu', 'DoesNotExist')],
    ['Gt', expression('cores', 'Gt', ['7'])],
    ['Lt', expression('cores', 'Lt', ['9'])],
    ['the name', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
  ])('by %s holds', (_, term) => {
    expect(drain({ nodes, pods: [moving('web', nodeAffinity(term))] }).unplaced).toEqual([])
  })

  test.each([
    ['Gt', expression('cores', 'Gt', ['8'])],
    ['a missing label', expression('gpu', 'Exists')],
    ['a term without requirements', {}],
  ])('by %s does not hold', (_, term) => {
    expect(lines(drain({ nodes, pods: [moving('web', nodeAffinity(term))] }))).toEqual([
      'web b: not a node it selects',
    ])
  })

  test('one term of several is enough', () => {
    const own = nodeAffinity(expression('gpu', 'Exists'), expression('disk', 'Exists'))
    expect(drain({ nodes, pods: [moving('web', own)] }).unplaced).toEqual([])
  })

  test('labels of nodeSelector must all be there', () => {
    const pods = [moving('web', scheduling({ nodeSelector: { disk: 'ssd', gpu: 'yes' } }))]
    expect(lines(drain({ nodes, pods }))).toEqual(['web b: not a node it selects'])
  })
})

test('a volume bound to the node keeps its pod there', () => {
  const pods = [moving('db-0', { volumes: [volume('persistentVolumeClaim', { claim: 'data-db-0' })] })]
  const volumes = [localPv('pvc-1', { nodes: ['a'] })]
  expect(lines(drain({ nodes: [node('a'), node('b')], pods, volumes }))).toEqual([
    'db-0 b: its volume pvc-1 is bound to a',
  ])
})

describe('ports of the host', () => {
  const port = (ip: string | null, protocol = 'TCP') =>
    scheduling({ hostPorts: [{ protocol, port: 80, ip }] })

  test.each([
    [null, null],
    ['10.0.0.1', null],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s and %s collide', (wanted, taken) => {
    const pods = [moving('web', port(wanted)), pod('there', { node: 'b', ...port(taken) })]
    expect(lines(drain({ nodes: [node('a'), node('b')], pods }))).toEqual([
      'web b: port 80/TCP of the host is taken',
    ])
  })

  test('of two addresses or protocols do not collide', () => {
    const pods = [
      moving('web', port('10.0.0.1')),
      pod('other', { node: 'b', ...port('10.0.0.2') }),
      pod('udp', { node: 'b', ...port(null, 'UDP') }),
    ]
    expect(drain({ nodes: [node('a'), node('b')], pods }).unplaced).toEqual([])
  })

  test('two pods that move cannot share one', () => {
    const pods = [moving('one', port(null)), moving('two', port(null))]
    expect(lines(drain({ nodes: [node('a'), node('b')], pods }))).toEqual([
      'two b: port 80/TCP of the host is taken',
    ])
  })
})

type Term = Readonly<Record<string, unknown>>

function podAffinity(kind: 'podAffinity' | 'podAntiAffinity', changes: Term = {}): Pick<Pod, 'scheduling'> {
  const term = {
    labelSelector: { matchLabels: { app: 'web' } },
    topologyKey: 'kubernetes.io/hostname',
    ...changes,
  }
  return scheduling({ affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } })
}

describe('pods that must stand apart', () => {
  const labels = { app: 'web' }
  const apart = podAffinity('podAntiAffinity')

  test('have no place when each other node has one', () => {
    const pods = ['a', 'b', 'c'].map((name) => pod(`web-${name}`, { node: name, labels, ...apart }))
    expect(lines(drain({ pods }))).toEqual([
      'web-a b: anti-affinity with a pod in its kubernetes.io/hostname',
      'web-a c: anti-affinity with a pod in its kubernetes.io/hostname',
    ])
  })

  test('take the node without one', () => {
    const pods = ['a', 'b'].map((name) => pod(`web-${name}`, { node: name, labels, ...apart }))
    expect(drain({ pods }).unplaced).toEqual([])
  })

  test('are kept away by the rule of the other one as well', () => {
    const pods = [moving('plain', { labels }), pod('shy', { node: 'b', ...apart })]
    expect(lines(drain({ nodes: [node('a'), node('b')], pods }))).toEqual([
      'plain b: anti-affinity with a pod in its kubernetes.io/hostname',
    ])
  })

  test('two of them that move need two nodes', () => {
    const pods = [moving('web-1', { labels, ...apart }), moving('web-2', { labels, ...apart })]
    expect(drain({ pods }).unplaced).toEqual([])
    expect(drain({ nodes: [node('a'), node('b')], pods }).unplaced).toHaveLength(1)
  })

  test('count in their own namespace only', () => {
    const pods = [
      moving('web-1', { labels, ...apart }),
      pod('web-2', { namespace: 'test', node: 'b', labels, ...apart }),
    ]
    expect(drain({ nodes: [node('a'), node('b')], pods }).unplaced).toEqual([])
  })

  test('in one zone: the drained node leaves room in its own zone', () => {
    const zone = (name: string, value: string) => node(name, { labels: { zone: value } })
    const rule = podAffinity('podAntiAffinity', { topologyKey: 'zone' })
    const pods = [moving('web-1', { labels, ...rule }), pod('web-2', { node: 'c', labels, ...rule })]
    expect(drain({ nodes: [zone('a', 'x'), zone('b', 'x'), zone('c', 'y')], pods }).unplaced).toEqual([])
  })
})

describe('pods that must stand together', () => {
  const together = podAffinity('podAffinity')

  test('follow the one that stays', () => {
    const pods = [moving('cache', together), pod('web', { node: 'c', labels: { app: 'web' } })]
    expect(drain({ pods }).unplaced).toEqual([])
  })

  test('wait for the one that moves', () => {
    const pods = [
      moving('cache', { requests: { memory: '2Gi' }, ...together }),
      moving('web', { labels: { app: 'web' } }),
    ]
    expect(drain({ pods }).unplaced).toEqual([])
  })

  test('have no place without it', () => {
    expect(lines(drain({ nodes: [node('a'), node('b')], pods: [moving('cache', together)] }))).toEqual([
      'cache b: no pod it must stand beside in its kubernetes.io/hostname',
    ])
  })

  test('the first of a group that means itself may stand anywhere', () => {
    const pods = [moving('web', { labels: { app: 'web' }, ...together })]
    expect(drain({ pods }).unplaced).toEqual([])
  })

  test('namespaces chosen by labels are those with the labels', () => {
    const rule = podAffinity('podAffinity', { namespaceSelector: { matchLabels: { team: 'a' } } })
    const namespaces = [
      { name: 'shop', labels: { team: 'b' } },
      { name: 'elsewhere', labels: { team: 'a' } },
    ]
    const verdict = drain({ pods: [moving('web', rule)], namespaces })
    expect(verdict.undecided).toEqual([])
    expect(verdict.unplaced.map(({ pod }) => pod.name)).toEqual(['web'])
  })

  test('namespaces chosen by labels are not known: undecided, not refused', () => {
    const rule = podAffinity('podAffinity', { namespaceSelector: { matchLabels: { team: 'a' } } })
    const verdict = drain({ pods: [moving('web', rule)] })
    expect([verdict.unplaced, verdict.undecided.map(({ reason }) => reason)]).toEqual([
      [],
      ['its affinity selects namespaces by labels, and namespaces were not read'],
    ])
  })
})

test('rules of a form that Kubernetes does not have are undecided', () => {
  const verdict = drain({ pods: [moving('web', scheduling({ affinity: { podAffinity: 'near' } }))] })
  expect(verdict.undecided.map(({ reason }) => reason)).toEqual([
    'its affinity or spread rules are not understood',
  ])
})

describe('topology spread', () => {
  const labels = { app: 'web' }
  const spread = (changes: Term = {}) =>
    scheduling({
      topologySpread: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: labels },
          ...changes,
        },
      ],
    })
  const everywhere = (changes?: Term) =>
    ['a', 'b', 'c'].map((name) => pod(`web-${name}`, { node: name, labels, ...spread(changes) }))

  test('the drained node stays a place with no pod, so one on each node leaves none for the third', () => {
    expect(lines(drain({ pods: everywhere() }))).toEqual([
      'web-a b: spread over kubernetes.io/hostname: 2 here, 0 elsewhere, at most 1 apart',
      'web-a c: spread over kubernetes.io/hostname: 2 here, 0 elsewhere, at most 1 apart',
    ])
  })

  test.each([
    ['a larger skew', { maxSkew: 2 }],
    ['only a wish', { whenUnsatisfiable: 'ScheduleAnyway' }],
    ['a rule that heeds taints', { nodeTaintsPolicy: 'Honor' }],
  ])('%s lets it go', (_, changes) => {
    expect(drain({ pods: everywhere(changes) }).unplaced).toEqual([])
  })

  test('too few domains count as an empty one', () => {
    const nodes = [node('a', { labels: { zone: 'x' } }), node('b', { labels: { zone: 'x' } })]
    const pods = [
      moving('web-1', { labels, ...spread({ topologyKey: 'zone', minDomains: 2 }) }),
      pod('web-2', { node: 'b', labels }),
    ]
    expect(lines(drain({ nodes, pods }))).toEqual([
      'web-1 b: spread over zone: 2 here, 0 elsewhere, at most 1 apart',
    ])
  })

  test('nodes without the label take none', () => {
    const pods = [moving('web', { labels, ...spread({ topologyKey: 'zone' }) })]
    expect(lines(drain({ nodes: [node('a'), node('b')], pods }))).toEqual([
      'web b: no label zone to spread over',
    ])
  })
})

test('headroom counts what is placed, on nodes that can be used', () => {
  const nodes = [node('a'), node('b'), node('c', { unschedulable: true })]
  const pods = [
    moving('web', { requests: { cpu: '1', memory: '1Gi' } }),
    pod('there', { node: 'b', requests: { cpu: '2' } }),
  ]
  expect(drain({ nodes, pods }).headroom).toEqual([
    { resource: 'cpu', free: 1000, total: 4000 },
    { resource: 'memory', free: 7 * 2 ** 30 * 1000, total: 8 * 2 ** 30 * 1000 },
  ])
})

import { describe, expect, test } from 'vitest'
import { collectorScript } from '../../../src/adapters/collector.ts'
import { connectCollectorPods } from '../../../src/adapters/kube-pods.ts'
import { formatBundle, parseBundle } from '../../../src/core/bundle.ts'
import { bundleOf, k3osNode } from '../../support/k3os-node.ts'
import { type ExecScript, type ExecStub, startExecStub } from '../../support/exec-stub.ts'

const archive = formatBundle(bundleOf(k3osNode()))
const success = JSON.stringify({ metadata: {}, status: 'Success' })
const options = { image: 'busybox:1.36', owner: 'kim@laptop', timeoutMs: 5000 }
const never = new AbortController().signal

async function collect(
  script: ExecScript,
  changes: Partial<typeof options> = {},
  signal = never,
): Promise<{ stub: ExecStub; result: Promise<Uint8Array> }> {
  const stub = await startExecStub(script)
  const pods = await connectCollectorPods({ kubeconfig: stub.kubeconfig }, {})
  return { stub, result: pods.collect('n1', { ...options, ...changes }, signal) }
}

test('the archive comes through exec, in pieces, and the pod is gone afterwards', async () => {
  const half = archive.length >> 1
  const { stub, result } = await collect({
    statuses: [{ phase: 'Pending' }, { phase: 'Running' }],
    frames: [
      [1, archive.slice(0, half)],
      [2, 'a word on stderr\n'],
      [1, archive.slice(half)],
      [3, success],
    ],
  })
  expect(parseBundle(await result, 'n1')).toEqual(bundleOf(k3osNode()))
  expect(stub.pods.size).toBe(0)
  const [query] = stub.entered
  expect(query?.getAll('command')).toEqual(['sh', '-c', 'exec chroot /host sh -c "$COLLECTOR"'])
  expect(query?.get('stdin')).toBe('false')
})

test('the pod is bound to its node, sees the host read-only, and says whose it is', async () => {
  let seen: unknown
  const stub = await startExecStub({ frames: [[3, success]] })
  const pods = await connectCollectorPods({ kubeconfig: stub.kubeconfig }, {})
  const onStart = () => {
    seen = [...stub.pods.values()][0]
  }
  await pods.collect('n1', { ...options, onStart }, never)
  expect(seen).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^k3os-migrate-collector-[0-9a-f]{12}$/),
      labels: { 'k3os-migrate/collector': 'true' },
      annotations: { 'k3os-migrate/owner': 'kim@laptop' },
    },
    spec: {
      nodeName: 'n1',
      activeDeadlineSeconds: 900,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          image: 'busybox:1.36',
          env: [{ name: 'COLLECTOR', value: collectorScript() }],
          volumeMounts: [{ mountPath: '/host', readOnly: true }],
        },
      ],
      volumes: [{ hostPath: { path: '/' } }],
    },
  })
})

describe('a failure names the node or the pod, and leaves no pod behind', () => {
  test.each<[string, ExecScript, RegExp]>([
    [
      'an image that is not there',
      {
        statuses: [
          {
            phase: 'Pending',
            containerStatuses: [{ name: 'collector', state: { waiting: { reason: 'ImagePullBackOff' } } }],
          },
        ],
      },
      /^the pod on n1 does not start: ImagePullBackOff$/,
    ],
    [
      'a node that refuses the pod',
      { statuses: [{ phase: 'Failed', reason: 'NodeAffinity', message: 'no room' }] },
      /^the pod on n1 does not start: NodeAffinity, no room$/,
    ],
    [
      'an image without chroot',
      {
        frames: [
          [2, 'sh: chroot: not found\n'],
          [3, JSON.stringify({ status: 'Failure', message: 'exit code 127' })],
        ],
      },
      /^reading n1 through the pod kube-system\/\S+ failed: sh: chroot: not found$/,
    ],
    [
      'a connection that dies on the way',
      { frames: [[1, archive.slice(0, 100)]] },
      /the connection was lost$/,
    ],
    [
      'no permission to enter',
      { refuses: 403 },
      /no permission to create pods\/exec in namespace kube-system$/,
    ],
    ['a kubelet that does not answer', { refuses: 502 }, /the API server answers 502$/],
  ])('%s', async (_what, script, message) => {
    const { stub, result } = await collect(script)
    await expect(result).rejects.toMatchObject({
      exitCode: 74,
      message: expect.stringMatching(message),
    })
    expect(stub.pods.size).toBe(0)
  })

  test('silence, after its time', async () => {
    const { stub, result } = await collect({ silent: true }, { timeoutMs: 300 })
    await expect(result).rejects.toMatchObject({ message: 'n1 did not finish within 0.3 s' })
    expect(stub.pods.size).toBe(0)
  })

  test('Ctrl-C', async () => {
    const stop = new AbortController()
    const { stub, result } = await collect({ silent: true }, {}, stop.signal)
    await expect.poll(() => stub.entered.length).toBe(1)
    stop.abort('SIGINT')
    await expect(result).rejects.toBe('SIGINT')
    expect(stub.pods.size).toBe(0)
  })
})

test('pods of a killed run are removed, those of somebody else stay', async () => {
  const stub = await startExecStub({})
  const pod = (name: string, owner: string, created: string) => {
    stub.pods.set(name, {
      metadata: {
        name,
        annotations: { 'k3os-migrate/owner': owner },
        creationTimestamp: created,
      },
      spec: {},
    })
  }
  const now = new Date().toISOString()
  pod('mine', 'kim@laptop', now)
  pod('theirs', 'sam@desk', now)
  pod('forgotten', 'sam@desk', '2020-01-01T00:00:00Z')
  const pods = await connectCollectorPods({ kubeconfig: stub.kubeconfig }, {})
  expect(await pods.cleanUp('kim@laptop', never)).toEqual({
    removed: ['kube-system/mine', 'kube-system/forgotten'],
    left: ['kube-system/theirs (of sam@desk)'],
  })
  expect([...stub.pods.keys()]).toEqual(['theirs'])
})

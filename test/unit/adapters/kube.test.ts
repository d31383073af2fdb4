import { describe, expect, test } from 'vitest'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Eviction, KubectlKube } from '../../../src/migrate/ports.ts'
import {
  type ApiStub,
  listOf,
  ok,
  startApiStub,
  status,
  type StubAnswer,
  stubToken,
} from '../../support/api-stub.ts'

const never = new AbortController().signal
const times = { requestMs: 5000, patienceMs: 3000 }

async function stubbed(limits = times): Promise<{ stub: ApiStub; kube: KubectlKube }> {
  const stub = await startApiStub()
  const { kube } = await connectCluster({ kubeconfig: stub.kubeconfig }, {}, limits)
  return { stub, kube }
}

async function failure(promise: Promise<unknown>): Promise<MigrateError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MigrateError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const n1 = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'u1' } }
const pod = { namespace: 'shop', name: 'a', uid: 'uid-a' }
const evictionPath = 'POST /api/v1/namespaces/shop/pods/a/eviction'

describe('reading', () => {
  test('a node', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', ok(n1))
    expect(await kube.node('n1', never)).toMatchObject({ name: 'n1', uid: 'u1' })
  })

  test('a node that the server says does not exist', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', status(404, 'NotFound', 'nodes "n1" not found'))
    expect(await kube.node('n1', never)).toBeUndefined()
  })

  test('a 404 that no API server said is not "does not exist"', async () => {
    const { kube } = await stubbed()
    expect((await failure(kube.node('n1', never))).message).toMatch(
      /^cannot get nodes n1 at context stub .*: HTTP 404$/,
    )
  })

  test('all pages of a list, the pods of one node only', async () => {
    const { stub, kube } = await stubbed()
    const one = (name: string) => ({ metadata: { name, namespace: 'shop', uid: name }, spec: {} })
    stub.on('GET /api/v1/pods', listOf('Pod', [one('a'), one('b')], 'more'), listOf('Pod', [one('c')]))
    expect((await kube.podsOnNode('n1', never)).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(stub.requests.map(({ path }) => path)).toEqual([
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=500',
      '/api/v1/pods?continue=more&fieldSelector=spec.nodeName%3Dn1&limit=500',
    ])
  })

  test('half a list is no list', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/pods', listOf('Pod', [], 'more'), status(403, 'Forbidden', 'no'))
    expect((await failure(kube.podsOnNode('n1', never))).exitCode).toBe(exitCode.permission)
  })

  test('a list whose snapshot is gone begins anew, once', async () => {
    const { stub, kube } = await stubbed()
    const one = { metadata: { name: 'a', namespace: 'shop', uid: 'a' }, spec: {} }
    const expired = status(410, 'Expired', 'The provided continue parameter is too old')
    stub.on('GET /api/v1/pods', listOf('Pod', [one], 'more'), expired, listOf('Pod', [one]))
    expect(await kube.podsOnNode('n1', never)).toHaveLength(1)
    stub.on('GET /api/v1/pods', listOf('Pod', [one], 'more'), expired, expired)
    expect((await failure(kube.podsOnNode('n1', never))).message).toContain('HTTP 410')
  })

  test.each([
    ['a web page', '<html>', 'text/html'],
    ['an object without items', '{"kind":"PodList","metadata":{}}', 'application/json'],
    ['an object that is no list', '{"kind":"Status","items":[]}', 'application/json'],
    ['nothing', '{}', 'application/json'],
  ])('%s is not an empty list', async (_what, body, type) => {
    const { stub, kube } = await stubbed({ requestMs: 1000, patienceMs: 0 })
    stub.on('GET /api/v1/pods', (response) => response.writeHead(200, { 'content-type': type }).end(body))
    expect(await failure(kube.podsOnNode('n1', never))).toBeInstanceOf(MigrateError)
  })

  test('the age of a heartbeat is judged by the clock of the server', async () => {
    const { stub, kube } = await stubbed()
    const lease = { metadata: { name: 'n1' }, spec: { renewTime: '2020-01-01T00:00:00.000000Z' } }
    stub.on('GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1', {
      status: 200,
      body: lease,
      headers: { date: 'Wed, 01 Jan 2020 00:00:35 GMT' },
    })
    expect(await kube.heartbeatAgeSeconds('n1', never)).toBe(35)
  })

  test('volumes count as attached until the server says they are not', async () => {
    const { stub, kube } = await stubbed()
    const one = (name: string, nodeName: string, attached?: object) => ({
      metadata: { name },
      spec: { attacher: 'csi', source: {}, nodeName },
      status: attached,
    })
    stub.on(
      'GET /apis/storage.k8s.io/v1/volumeattachments',
      listOf('VolumeAttachment', [
        one('on', 'n1', { attached: true }),
        one('off', 'n1', { attached: false }),
        one('unknown', 'n1'),
        one('elsewhere', 'n2', { attached: true }),
      ]),
    )
    expect(await kube.attachedVolumes('n1', never)).toEqual(['on', 'unknown'])
  })

  test('many requests share connections', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', ok(n1))
    for (let index = 0; index < 20; index += 1) await kube.node('n1', never)
    expect(stub.connections()).toBeLessThanOrEqual(2)
  })
})

describe('patching a node', () => {
  test('sends a strategic merge patch with what is to change and nothing else', async () => {
    const { stub, kube } = await stubbed()
    stub.on('PATCH /api/v1/nodes/n1', ok(n1))
    await kube.patchNode('n1', { labels: { keep: 'x', drop: null }, unschedulable: true }, never)
    expect(stub.requests[0]).toMatchObject({
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: { metadata: { labels: { keep: 'x', drop: null } }, spec: { unschedulable: true } },
    })
  })

  test('is not repeated when nobody answered: the first one may have counted', async () => {
    const { stub, kube } = await stubbed()
    stub.on('PATCH /api/v1/nodes/n1', (response) => response.destroy())
    expect((await failure(kube.patchNode('n1', {}, never))).transient).toBe(true)
    expect(stub.requests).toHaveLength(1)
  })

  test('is repeated when a busy server says when', async () => {
    const { stub, kube } = await stubbed()
    stub.on('PATCH /api/v1/nodes/n1', status(429, 'TooManyRequests', 'busy', { retryAfter: 1 }), ok(n1))
    await kube.patchNode('n1', {}, never)
    expect(stub.requests).toHaveLength(2)
  })
})

test('a server dry run of a patch', async () => {
  const { stub, kube } = await stubbed()
  stub.on('PATCH /api/v1/nodes/n1', ok(n1))
  await kube.patchNode('n1', { unschedulable: true }, never, { dryRun: true })
  expect(stub.requests[0]?.path).toBe('/api/v1/nodes/n1?dryRun=All')
})

describe('deleting a pod', () => {
  const path = 'DELETE /api/v1/namespaces/shop/pods/a'

  test('names the UID', async () => {
    const { stub, kube } = await stubbed()
    stub.on(path, ok({ kind: 'Pod', metadata: { name: 'a' } }))
    expect(await kube.deletePod(pod, never, { graceSeconds: 5 })).toBe('accepted')
    expect(stub.requests[0]?.body).toEqual({ preconditions: { uid: 'uid-a' }, gracePeriodSeconds: 5 })
  })

  test.each([
    ['no such pod', status(404, 'NotFound', 'pods "a" not found')],
    [
      'another UID',
      status(409, 'Conflict', 'Precondition failed: UID in precondition: x, UID in object meta: y'),
    ],
  ])('%s is gone', async (_what, answer) => {
    const { stub, kube } = await stubbed()
    stub.on(path, answer)
    expect(await kube.deletePod(pod, never)).toBe('gone')
  })

  test('a conflict of another kind is a failure', async () => {
    const { stub, kube } = await stubbed()
    stub.on(path, status(409, 'Conflict', 'the object has been modified'))
    expect((await failure(kube.deletePod(pod, never))).transient).toBe(true)
  })
})

describe('asking about a pod', () => {
  const path = 'GET /api/v1/namespaces/shop/pods/a'

  test('one that is ending', async () => {
    const { stub, kube } = await stubbed()
    const metadata = { name: 'a', uid: 'uid-a', deletionTimestamp: '2026-11-24T08:00:00Z' }
    stub.on(path, ok({ kind: 'Pod', metadata }))
    const deletionAt = new Date('2026-11-24T08:00:00Z')
    expect(await kube.pod('shop', 'a', never)).toEqual({ uid: 'uid-a', deletionAt })
  })

  test('one that does not exist', async () => {
    const { stub, kube } = await stubbed()
    stub.on(path, status(404, 'NotFound', 'pods "a" not found'))
    expect(await kube.pod('shop', 'a', never)).toBeUndefined()
  })
})

test.each([
  [[{ name: 'pods/eviction', kind: 'Eviction' }], true],
  [[{ name: 'pods', kind: 'Pod' }], false],
])('whether evictions are served: %j', async (resources, expected) => {
  const { stub, kube } = await stubbed()
  stub.on('GET /api/v1', ok({ kind: 'APIResourceList', groupVersion: 'v1', resources }))
  expect(await kube.servesEviction(never)).toBe(expected)
})

describe('evicting', () => {
  const budgetCause = {
    reason: 'DisruptionBudget',
    message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
  }

  test('names the UID, and neither apiVersion nor kind', async () => {
    const { stub, kube } = await stubbed()
    stub.on(evictionPath, {
      status: 201,
      body: { kind: 'Status', apiVersion: 'v1', status: 'Success', code: 201 },
    })
    expect(await kube.evict(pod, never)).toEqual({ status: 'accepted' })
    expect(stub.requests[0]?.body).toEqual({
      metadata: { namespace: 'shop', name: 'a' },
      deleteOptions: { preconditions: { uid: 'uid-a' } },
    })
  })

  test('grace period and dry run go along', async () => {
    const { stub, kube } = await stubbed()
    stub.on(evictionPath, ok({ kind: 'Status' }))
    await kube.evict(pod, never, { graceSeconds: 0, dryRun: true })
    expect(stub.requests[0]?.body).toMatchObject({
      deleteOptions: { preconditions: { uid: 'uid-a' }, gracePeriodSeconds: 0, dryRun: ['All'] },
    })
  })

  test.each<[string, StubAnswer, Eviction]>([
    ['no such pod', status(404, 'NotFound', 'pods "a" not found'), { status: 'gone' }],
    [
      'another UID, found by the API machinery',
      status(
        409,
        'Conflict',
        'Operation cannot be fulfilled on Pod "a": the UID in the precondition (x) does not match the UID in record (y).',
      ),
      { status: 'gone' },
    ],
    [
      'another UID, found by the storage',
      status(409, 'Conflict', 'Precondition failed: UID in precondition: x, UID in object meta: y'),
      { status: 'gone' },
    ],
    [
      'a budget',
      status(429, 'TooManyRequests', 'Cannot evict pod', { details: { causes: [budgetCause] } }),
      { status: 'blocked', budget: 'web', message: budgetCause.message, retryAfterMs: null },
    ],
    [
      'a budget that is being processed',
      status(429, 'TooManyRequests', 'Cannot evict pod', {
        details: {
          causes: [
            {
              reason: 'DisruptionBudget',
              message: 'The disruption budget web is still being processed by the server.',
            },
          ],
          retryAfterSeconds: 10,
        },
      }),
      {
        status: 'blocked',
        budget: 'web',
        message: 'The disruption budget web is still being processed by the server.',
        retryAfterMs: 10_000,
      },
    ],
    [
      'a busy server',
      status(429, 'TooManyRequests', 'too many requests', { retryAfter: 1 }),
      { status: 'throttled', message: 'too many requests', retryAfterMs: 1000 },
    ],
    [
      'a server that is about to restart',
      status(503, 'ServiceUnavailable', 'apiserver is shutting down', { retryAfter: 5 }),
      { status: 'throttled', message: 'apiserver is shutting down', retryAfterMs: 5000 },
    ],
    [
      'two budgets',
      status(
        500,
        '',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      ),
      {
        status: 'impossible',
        message:
          'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      },
    ],
    [
      'a namespace that is being deleted',
      status(403, 'Forbidden', 'namespace is being terminated', {
        details: { causes: [{ reason: 'NamespaceTerminating', message: 'x' }] },
      }),
      { status: 'blocked', budget: null, message: 'namespace is being terminated', retryAfterMs: 5000 },
    ],
    [
      'a budget in a state the server does not work with',
      status(403, 'Forbidden', 'pdb disruptions allowed is negative', {
        details: { kind: 'poddisruptionbudget', name: 'web' },
      }),
      {
        status: 'blocked',
        budget: 'web',
        message: 'pdb disruptions allowed is negative',
        retryAfterMs: null,
      },
    ],
  ])('%s', async (_what, answer, expected) => {
    const { stub, kube } = await stubbed()
    stub.on(evictionPath, answer)
    expect(await kube.evict(pod, never)).toEqual(expected)
    expect(stub.requests).toHaveLength(1)
  })

  test.each<[string, StubAnswer, Partial<MigrateError>]>([
    ['a 404 that no API server said', { status: 404, body: 'nothing here' }, { transient: false }],
    ['another 500', status(500, 'InternalError', 'etcdserver: leader changed'), { transient: true }],
    ['a lost connection', (response) => response.destroy(), { transient: true }],
    [
      'a missing right',
      status(403, 'Forbidden', 'User "u" cannot create resource "pods/eviction"'),
      { exitCode: exitCode.permission },
    ],
  ])('%s says nothing about the pod', async (_what, answer, expected) => {
    const { stub, kube } = await stubbed()
    stub.on(evictionPath, answer)
    expect(await failure(kube.evict(pod, never))).toMatchObject(expected)
    expect(stub.requests).toHaveLength(1)
  })
})

describe('when it fails', () => {
  test('a missing right names verb and resource, and how to check it', async () => {
    const { stub, kube } = await stubbed()
    stub.on(
      evictionPath,
      status(
        403,
        'Forbidden',
        'pods "a" is forbidden: User "u" cannot create resource "pods/eviction" in API group ""',
      ),
    )
    expect(await failure(kube.evict(pod, never))).toMatchObject({
      message: `no permission to create pods/eviction a in namespace shop at context stub (${stub.url})`,
      hint: 'kubectl --context stub auth can-i create pods --subresource=eviction -n shop',
      exitCode: exitCode.permission,
    })
  })

  test('a refusal that is not about rights keeps its reason', async () => {
    const { stub, kube } = await stubbed()
    stub.on(evictionPath, status(403, 'Forbidden', 'admission webhook "w" denied the request: not today'))
    expect((await failure(kube.evict(pod, never))).message).toContain('denied the request: not today')
  })

  test('rejected credentials are a missing permission', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', status(401, 'Unauthorized', 'Unauthorized'))
    expect(await failure(kube.node('n1', never))).toMatchObject({
      message: `context stub (${stub.url}) does not accept the credentials: get nodes n1`,
      exitCode: exitCode.permission,
    })
  })

  test('reads are repeated while the failure may pass', async () => {
    const { stub, kube } = await stubbed()
    stub.on(
      'GET /api/v1/nodes/n1',
      (response) => response.destroy(),
      status(500, 'InternalError', 'x'),
      ok(n1),
    )
    expect(await kube.node('n1', never)).toBeDefined()
    expect(stub.requests).toHaveLength(3)
  })

  test('reads are not repeated when it will not pass', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', status(403, 'Forbidden', 'User "u" cannot get resource "nodes"'))
    await failure(kube.node('n1', never))
    expect(stub.requests).toHaveLength(1)
  })

  test('reads are not repeated for ever', async () => {
    const { stub, kube } = await stubbed({ requestMs: 5000, patienceMs: 1400 })
    stub.on('GET /api/v1/nodes/n1', status(503, 'ServiceUnavailable', 'starting'))
    expect((await failure(kube.node('n1', never))).message).toContain('HTTP 503: starting')
    expect(stub.requests).toHaveLength(2)
  })

  test('a server that asks for more patience than there is fails at once', async () => {
    const { stub, kube } = await stubbed()
    stub.on('GET /api/v1/nodes/n1', status(503, 'ServiceUnavailable', 'starting', { retryAfter: 60 }))
    await failure(kube.node('n1', never))
    expect(stub.requests).toHaveLength(1)
  })

  test('a server that never answers is given up', async () => {
    const { stub, kube } = await stubbed({ requestMs: 50, patienceMs: 0 })
    stub.on('GET /api/v1/nodes/n1', () => {})
    expect(await failure(kube.node('n1', never))).toMatchObject({
      message: `${stub.url} did not answer within 0.05 s: get nodes n1`,
      transient: true,
    })
  })

  test('the signal ends a request that hangs, with its reason', async () => {
    const { stub, kube } = await stubbed()
    const stop = new AbortController()
    stub.on('GET /api/v1/nodes/n1', () => stop.abort(new Error('stopped by the user')))
    await expect(kube.node('n1', stop.signal)).rejects.toThrow('stopped by the user')
  })

  test('a refused connection says so', async () => {
    const { stub, kube } = await stubbed({ requestMs: 1000, patienceMs: 0 })
    await stub.close()
    expect(await failure(kube.node('n1', never))).toMatchObject({
      message: `cannot reach ${stub.url}: connection refused (get nodes n1)`,
      transient: true,
    })
  })

  test.each(['application/json', 'text/html', ''])('a page of type %j is not an answer', async (type) => {
    const { stub, kube } = await stubbed({ requestMs: 1000, patienceMs: 0 })
    stub.on('GET /api/v1/nodes/n1', (response) =>
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end('<html>'),
    )
    expect((await failure(kube.node('n1', never))).message).toContain(
      'answered with something that is not JSON',
    )
  })

  test('neither the token nor what the server echoes of headers and body is shown', async () => {
    const { stub, kube } = await stubbed({ requestMs: 1000, patienceMs: 0 })
    const echo = { token: stubToken, kind: 'Echo' }
    for (const code of [400, 401, 403, 404, 422, 500]) {
      stub.on('PATCH /api/v1/nodes/n1', { status: code, body: echo, headers: { 'x-echo': stubToken } })
      const error = await failure(kube.patchNode('n1', {}, never))
      expect(`${error.message} ${error.hint} ${JSON.stringify(error)}`).not.toContain(stubToken)
    }
    expect(stub.requests[0]?.headers.authorization).toBe(`Bearer ${stubToken}`)
  })
})

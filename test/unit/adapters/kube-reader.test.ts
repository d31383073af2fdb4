import { describe, expect, test } from 'vitest'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import { type ApiStub, groups, listOf, ok, startApiStub, status } from '../../support/api-stub.ts'

const oldPolicy = { policy: ['v1beta1'] }
const budgets = '/apis/policy/v1beta1/poddisruptionbudgets'
const plans = 'GET /apis/upgrade.cattle.io/v1/plans'

/** An empty cluster; `change` scripts what the test is about. */
async function read(
  change: (stub: ApiStub) => void = () => {},
): Promise<{ facts: ClusterFacts; stub: ApiStub }> {
  const stub = await startApiStub()
  stub.on('GET /version', ok({ gitVersion: 'v1.20.15+k3s1' }))
  stub.on('GET /apis', groups(oldPolicy))
  stub.on('GET /api/v1/namespaces/kube-system', ok({ metadata: { name: 'kube-system', uid: 'cluster-uid' } }))
  for (const path of [
    '/api/v1/nodes',
    '/api/v1/pods',
    '/api/v1/persistentvolumes',
    '/apis/apps/v1/daemonsets',
    budgets,
  ])
    stub.on(`GET ${path}`, listOf('Any', []))
  change(stub)
  const { reader } = await connectCluster(
    { kubeconfig: stub.kubeconfig },
    {},
    { requestMs: 1000, patienceMs: 0 },
  )
  return { facts: await reader.read(new AbortController().signal), stub }
}

const forbidden = (what: string) =>
  status(403, 'Forbidden', `User "u" cannot list resource "${what}" in API group ""`)

describe('reading a cluster', () => {
  test('an empty one', async () => {
    const { facts, stub } = await read()
    expect(facts).toEqual({
      server: stub.url,
      uid: 'cluster-uid',
      version: 'v1.20.15+k3s1',
      nodes: [],
      pods: [],
      pdbs: [],
      persistentVolumes: [],
      daemonSets: [],
      upgradePlans: [],
      failures: [],
    })
  })

  test('budgets are read in the version the server has', async () => {
    const raw = { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: {} }, status: {} }
    const old = await read((stub) => stub.on(`GET ${budgets}`, listOf('PodDisruptionBudget', [raw])))
    expect(old.facts.pdbs).toMatchObject([{ name: 'web', apiVersion: 'policy/v1beta1' }])
    const both = await read((stub) => {
      stub.on('GET /apis', groups({ policy: ['v1', 'v1beta1'] }))
      stub.on('GET /apis/policy/v1/poddisruptionbudgets', listOf('PodDisruptionBudget', [raw]))
    })
    expect(both.facts.pdbs).toMatchObject([{ name: 'web', apiVersion: 'policy/v1' }])
  })

  test('untyped lists have pages too', async () => {
    const one = (name: string) => ({ metadata: { name, namespace: 'shop' }, spec: {} })
    const { facts } = await read((stub) =>
      stub.on(
        `GET ${budgets}`,
        listOf('PodDisruptionBudget', [one('a')], 'more'),
        listOf('PodDisruptionBudget', [one('b')]),
      ),
    )
    expect(facts.pdbs.map(({ name }) => name)).toEqual(['a', 'b'])
  })
})

describe('upgrade Plans', () => {
  test('are none when the server does not have their API group', async () => {
    const { facts, stub } = await read()
    expect(facts).toMatchObject({ upgradePlans: [], failures: [] })
    expect(stub.requests.map(({ method, path }) => `${method} ${path}`)).not.toContain(plans)
  })

  test('are read when it does', async () => {
    const plan = {
      metadata: { name: 'k3os-latest', namespace: 'k3os-system' },
      spec: { upgrade: { image: 'rancher/k3os' } },
    }
    const { facts } = await read((stub) => {
      stub.on('GET /apis', groups({ ...oldPolicy, 'upgrade.cattle.io': ['v1'] }))
      stub.on(plans, listOf('Plan', [plan]))
    })
    expect(facts.upgradePlans.map(({ name, image }) => [name, image])).toEqual([
      ['k3os-latest', 'rancher/k3os'],
    ])
  })

  test.each([
    ['that may not be read', forbidden('plans')],
    [
      'whose group is there and whose list is not',
      status(404, 'NotFound', 'the server could not find the requested resource'),
    ],
    ['that do not answer', () => {}],
  ])('%s are a failure, not none', async (_what, answer) => {
    const { facts } = await read((stub) => {
      stub.on('GET /apis', groups({ ...oldPolicy, 'upgrade.cattle.io': ['v1'] }))
      stub.on(plans, answer)
    })
    expect(facts.failures.map(({ what }) => what)).toEqual(['list plans.upgrade.cattle.io'])
  })
})

describe('what cannot be read', () => {
  test('is a failure that names verb and resource; the rest is read', async () => {
    const { facts, stub } = await read((api) => {
      api.on('GET /api/v1/nodes', forbidden('nodes'))
      api.on(
        'GET /api/v1/namespaces/kube-system',
        status(403, 'Forbidden', 'User "u" cannot get resource "namespaces"'),
      )
      api.on(
        'GET /apis/apps/v1/daemonsets',
        listOf('DaemonSet', [{ metadata: { name: 'd', namespace: 'x' } }]),
      )
    })
    const at = `context stub (${stub.url})`
    expect(facts.failures).toEqual([
      { what: 'get namespaces kube-system', reason: `no permission to get namespaces kube-system at ${at}` },
      { what: 'list nodes', reason: `no permission to list nodes at ${at}` },
    ])
    expect(facts.daemonSets).toEqual([{ namespace: 'x', name: 'd' }])
  })

  test('API groups that cannot be listed leave budgets and Plans unknown', async () => {
    const { facts } = await read((api) => api.on('GET /apis', status(503, 'ServiceUnavailable', 'starting')))
    expect(facts.failures.map(({ what }) => what)).toEqual([
      'list plans.upgrade.cattle.io',
      'list poddisruptionbudgets.policy',
    ])
  })

  test('an object that cannot be understood makes its list a failure', async () => {
    const odd = { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: 'app=web' } }
    const { facts } = await read((api) => api.on(`GET ${budgets}`, listOf('PodDisruptionBudget', [odd])))
    expect(facts.failures).toEqual([
      {
        what: 'list poddisruptionbudgets.policy',
        reason: 'the API server sent a PodDisruptionBudget that cannot be read (spec.selector)',
      },
    ])
  })

  test('a server that answers nothing at all is an error', async () => {
    const promise = read((api) => api.on('GET /version', status(401, 'Unauthorized', 'Unauthorized')))
    await expect(promise).rejects.toThrow(MigrateError)
    await expect(promise).rejects.toMatchObject({ exitCode: exitCode.permission })
  })
})

import { describe, expect, test } from 'vitest'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { ClusterFacts } from '../../../src/core/inventory.ts'
import { type ApiStub, groups, listOf, ok, startApiStub, status } from '../../support/api-stub.ts'
import { noObjects } from '../../support/inventory-parts.ts'
import { anEmptyCluster, k3sGroups, kubeGroups } from '../../support/kube-discovery.ts'

const old = kubeGroups['1.19'] ?? {}
const budgets = '/apis/policy/v1beta1/poddisruptionbudgets'
const plans = 'GET /apis/upgrade.cattle.io/v1/plans'

/** An empty cluster; `change` scripts what the test is about. */
async function read(
  change: (stub: ApiStub) => void = () => {},
  also?: { readonly helmReleases?: boolean; readonly appliedKinds?: boolean },
): Promise<{ facts: ClusterFacts; stub: ApiStub }> {
  const stub = await startApiStub()
  anEmptyCluster(stub, old)
  change(stub)
  const { reader } = await connectCluster(
    { kubeconfig: stub.kubeconfig },
    {},
    { requestMs: 1000, patienceMs: 0 },
  )
  return { facts: await reader.read(new AbortController().signal, also), stub }
}

const inShop = (name: string, spec: object, done: object = {}) => ({
  metadata: { name, namespace: 'shop' },
  spec,
  status: done,
})

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
      ...noObjects,
      apiGroups: old,
      namespaces: [],
      webhookServices: [],
      lastApplied: [],
    })
  })

  test.each(['1.17', '1.18', '1.19'])('one of Kubernetes %s, with what k3s brings', async (age) => {
    const stub = await startApiStub()
    anEmptyCluster(stub, { ...kubeGroups[age], ...k3sGroups }, `v${age}.1+k3s1`)
    stub.on('GET /apis/batch/v1beta1/cronjobs', listOf('CronJob', [inShop('backup', { suspend: true })]))
    stub.on(
      'GET /apis/k3s.cattle.io/v1/addons',
      listOf('Addon', [inShop('traefik', { source: '/var/lib/rancher/k3s/server/manifests/traefik.yaml' })]),
    )
    const { reader } = await connectCluster({ kubeconfig: stub.kubeconfig }, {})
    const facts = await reader.read(new AbortController().signal)
    expect(facts).toMatchObject({
      failures: [],
      workloads: [{ kind: 'CronJob', name: 'backup', paused: true }],
      addons: [{ name: 'traefik', source: expect.stringContaining('traefik.yaml') }],
    })
  })

  test('the objects that a move has to know, without what may be secret in them', async () => {
    const { facts, stub } = await read((api) => {
      anEmptyCluster(api, { ...old, ...k3sGroups })
      api.on(
        'GET /apis/apps/v1/replicasets',
        listOf('ReplicaSet', [
          {
            metadata: {
              name: 'web-1',
              namespace: 'shop',
              ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true }],
            },
            spec: { replicas: 2, selector: { matchLabels: { app: 'web' } } },
            status: { readyReplicas: 1 },
          },
        ]),
      )
      api.on(
        'GET /apis/batch/v1/jobs',
        listOf('Job', [inShop('load', { completions: 3 }, { succeeded: 1, active: 2 })]),
      )
      api.on(
        'GET /apis/helm.cattle.io/v1/helmcharts',
        listOf('HelmChart', [
          inShop('db', { chart: 'db', repo: 'https://u:CANARY@charts.example', valuesContent: 'CANARY' }),
        ]),
      )
      api.on(
        'GET /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
        listOf('ValidatingWebhookConfiguration', [
          {
            metadata: { name: 'gate' },
            webhooks: [
              {
                name: 'gate.shop',
                failurePolicy: 'Fail',
                timeoutSeconds: 10,
                clientConfig: { service: { namespace: 'shop', name: 'gate', path: '/x' }, caBundle: 'x' },
                rules: [{ operations: ['CREATE'], resources: ['pods'], apiGroups: [''] }],
              },
            ],
          },
        ]),
      )
      api.on(
        'GET /apis/coordination.k8s.io/v1/leases',
        listOf('Lease', [
          {
            metadata: { name: 'n1', namespace: 'kube-node-lease' },
            spec: { holderIdentity: 'n1', renewTime: '2026-11-24T06:00:00.000000Z' },
          },
          { metadata: { name: 'own', namespace: 'shop' }, spec: {} },
        ]),
      )
      api.on(
        'GET /apis/storage.k8s.io/v1/storageclasses',
        listOf('StorageClass', [
          {
            metadata: {
              name: 'local-path',
              annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
            },
            provisioner: 'rancher.io/local-path',
            reclaimPolicy: 'Delete',
            volumeBindingMode: 'WaitForFirstConsumer',
          },
        ]),
      )
      api.on(
        'GET /api/v1/persistentvolumeclaims',
        listOf('PersistentVolumeClaim', [
          inShop(
            'data',
            {
              storageClassName: 'local-path',
              volumeName: 'pvc-1',
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: '1Gi' } },
            },
            { phase: 'Bound' },
          ),
        ]),
      )
      api.on(
        'GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        listOf('CustomResourceDefinition', [
          {
            metadata: { name: 'plans.upgrade.cattle.io' },
            spec: {
              versions: [
                { name: 'v1', served: true },
                { name: 'v0', served: false },
              ],
            },
          },
        ]),
      )
    })
    expect(facts).toMatchObject({
      failures: [],
      workloads: [
        { kind: 'ReplicaSet', name: 'web-1', desired: 2, ready: 1, controller: 'Deployment/web' },
        { kind: 'Job', name: 'load', desired: 2, ready: 2, controller: null },
      ],
      helmCharts: [{ kind: 'HelmChart', name: 'db', chart: 'db', repo: 'https://…@charts.example' }],
      webhooks: [
        {
          configuration: 'gate',
          failurePolicy: 'Fail',
          service: { namespace: 'shop', name: 'gate' },
          rules: ['CREATE pods'],
        },
      ],
      leases: [{ name: 'n1', holder: 'n1', renewedAt: '2026-11-24T06:00:00.000000Z' }],
      storageClasses: [{ name: 'local-path', isDefault: true, bindingMode: 'WaitForFirstConsumer' }],
      persistentVolumeClaims: [{ name: 'data', phase: 'Bound', volume: 'pvc-1', requested: '1Gi' }],
      customResources: [{ name: 'plans.upgrade.cattle.io', servedVersions: ['v1'] }],
    })
    expect(JSON.stringify(facts)).not.toContain('CANARY')
    // One request for each kind, over few connections.
    expect(stub.requests.length).toBeLessThanOrEqual(28)
    expect(stub.connections()).toBeLessThan(stub.requests.length)
  })

  test('who answers for a webhook, and nothing about other Services', async () => {
    const { facts } = await read((api) => {
      api.on(
        'GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
        listOf('MutatingWebhookConfiguration', [
          {
            metadata: { name: 'gate' },
            webhooks: [
              { name: 'gate.shop', clientConfig: { service: { namespace: 'shop', name: 'gate' } } },
              { name: 'gone.shop', clientConfig: { service: { namespace: 'shop', name: 'gone' } } },
            ],
          },
        ]),
      )
      api.on(
        'GET /api/v1/namespaces',
        listOf('Namespace', [{ metadata: { name: 'shop', labels: { a: 'b' } } }]),
      )
      api.on('GET /api/v1/services', listOf('Service', [inShop('gate', {}), inShop('web', {})]))
      const addresses = [{ ip: '10.42.0.2', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'gate-1' } }]
      const subsets = [{ addresses, notReadyAddresses: [{ ip: '10.42.0.3' }] }]
      api.on('GET /api/v1/endpoints', listOf('Endpoints', [{ ...inShop('gate', {}), subsets }]))
    })
    expect(facts.namespaces).toEqual([{ name: 'shop', labels: { a: 'b' } }])
    expect(facts.webhookServices).toEqual([
      {
        namespace: 'shop',
        name: 'gate',
        exists: true,
        ready: [{ node: 'n1', pod: 'gate-1' }],
        notReady: 1,
      },
      { namespace: 'shop', name: 'gone', exists: false, ready: [], notReady: 0 },
    ])
  })

  const applied = (apiVersion: string, kind: string, name: string) => ({
    metadata: {
      name,
      namespace: 'shop',
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
          apiVersion,
          kind,
          metadata: { name, namespace: 'shop' },
          spec: { secret: 'CANARY' },
        }),
      },
    },
  })

  test('versions that objects were applied in, where they end', async () => {
    const { facts } = await read((api) => {
      const ingress = applied('extensions/v1beta1', 'Ingress', 'web')
      api.on('GET /apis/networking.k8s.io/v1beta1/ingresses', listOf('Ingress', [ingress]))
      api.on('GET /apis/apps/v1/deployments', listOf('Deployment', [applied('apps/v1', 'Deployment', 'web')]))
    })
    expect(facts.lastApplied).toEqual([
      { apiVersion: 'extensions/v1beta1', kind: 'Ingress', namespace: 'shop', name: 'web' },
    ])
    expect(JSON.stringify(facts)).not.toContain('CANARY')
  })

  describe('of kinds that are read for nothing else', () => {
    const discovered = (api: ApiStub, groupVersion: string, ...plurals: readonly string[]) =>
      api.on(
        `GET /apis/${groupVersion}`,
        ok({ kind: 'APIResourceList', resources: plurals.map((name) => ({ name, verbs: ['list'] })) }),
      )
    /** Every version offers nothing but what the test says. */
    const readKinds = async (change: (api: ApiStub) => void) =>
      read(
        (api) => {
          for (const [group, versions] of Object.entries(old))
            for (const version of versions) discovered(api, `${group}/${version}`)
          change(api)
        },
        { appliedKinds: true },
      )

    test('are read from metadata alone, page by page, in a version the server has', async () => {
      const partial = 'PartialObjectMetadata'
      const path = '/apis/rbac.authorization.k8s.io/v1/roles'
      const { facts, stub } = await readKinds((api) => {
        discovered(api, 'rbac.authorization.k8s.io/v1', 'roles')
        const old = (name: string) => applied('rbac.authorization.k8s.io/v1beta1', 'Role', name)
        api.on(`GET ${path}`, listOf(partial, [old('a')], 'more'), listOf(partial, [old('b')]))
        discovered(api, 'policy/v1beta1', 'podsecuritypolicies')
        const strict = applied('extensions/v1beta1', 'PodSecurityPolicy', 'strict')
        api.on('GET /apis/policy/v1beta1/podsecuritypolicies', listOf(partial, [strict]))
      })
      expect(facts.lastApplied?.map(({ apiVersion, name }) => `${apiVersion} ${name}`)).toEqual([
        'extensions/v1beta1 strict',
        'rbac.authorization.k8s.io/v1beta1 a',
        'rbac.authorization.k8s.io/v1beta1 b',
      ])
      expect(facts).toMatchObject({ failures: [], lastAppliedUnread: [] })
      expect(JSON.stringify(facts)).not.toContain('CANARY')
      const asked = stub.requests.filter((request) => request.path.startsWith(path))
      expect(asked.map(({ headers }) => headers.accept)).toEqual([
        expect.stringContaining('as=PartialObjectMetadataList'),
        expect.stringContaining('as=PartialObjectMetadataList'),
      ])
    })

    test('are not asked for where the server does not have them', async () => {
      const { facts, stub } = await readKinds((api) => discovered(api, 'node.k8s.io/v1beta1'))
      expect(facts).toMatchObject({ failures: [], lastAppliedUnread: [] })
      const asked = stub.requests.map(({ path }) => path)
      expect(asked.filter((path) => /roles|resource\.k8s\.io/.test(path))).toEqual([])
    })

    test('are a gap with verb and resource when they are refused, and no failure', async () => {
      const { facts } = await readKinds((api) => {
        discovered(api, 'rbac.authorization.k8s.io/v1', 'clusterroles')
        api.on('GET /apis/rbac.authorization.k8s.io/v1/clusterroles', forbidden('clusterroles'))
        api.on('GET /apis/storage.k8s.io/v1', status(503, 'ServiceUnavailable', 'later'))
      })
      expect(facts.failures).toEqual([])
      expect(facts.lastAppliedUnread).toEqual([
        { what: 'get /apis/storage.k8s.io/v1', reason: expect.stringContaining('/apis/storage.k8s.io/v1') },
        {
          what: 'list clusterroles.rbac.authorization.k8s.io',
          reason: expect.stringContaining('no permission to list clusterroles.rbac.authorization.k8s.io'),
        },
      ])
    })

    test('are left alone unless they are wanted', async () => {
      const { facts, stub } = await read()
      expect(facts).not.toHaveProperty('lastAppliedUnread')
      expect(stub.requests.filter(({ path }) => /^\/apis\/[^/]+\/[^/]+$/.test(path))).toEqual([])
    })
  })

  test('Secrets are asked for only when Helm releases are wanted', async () => {
    const { facts, stub } = await read()
    expect(facts).not.toHaveProperty('helmReleases')
    expect(stub.requests.filter(({ path }) => path.includes('secrets'))).toEqual([])
  })

  test('Secrets nobody may read leave Helm releases unknown, and nothing else', async () => {
    const { facts, stub } = await read((api) => api.on('GET /api/v1/secrets', forbidden('secrets')), {
      helmReleases: true,
    })
    expect(facts.failures).toEqual([])
    expect(facts.helmReleases).toMatchObject({
      status: 'error',
      reason: expect.stringContaining('no permission to list secrets'),
    })
    expect(stub.requests.find(({ path }) => path.includes('/secrets'))?.path).toContain(
      'helm.sh%2Frelease.v1',
    )
  })

  test('Endpoints nobody may read are a failure that names them, and nobody is said to answer', async () => {
    const { facts } = await read((api) => api.on('GET /api/v1/endpoints', forbidden('endpoints')))
    expect(facts.failures).toMatchObject([
      { what: 'list endpoints', reason: expect.stringContaining('no permission to list endpoints') },
    ])
    expect(facts).not.toHaveProperty('webhookServices')
  })

  test('budgets are read in the version the server has', async () => {
    const raw = { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: {} }, status: {} }
    const before = await read((stub) => stub.on(`GET ${budgets}`, listOf('PodDisruptionBudget', [raw])))
    expect(before.facts.pdbs).toMatchObject([{ name: 'web', apiVersion: 'policy/v1beta1' }])
    const both = await read((stub) => {
      stub.on('GET /apis', groups({ ...old, policy: ['v1', 'v1beta1'] }))
      stub.on('GET /apis/policy/v1/poddisruptionbudgets', listOf('PodDisruptionBudget', [raw]))
    })
    expect(both.facts.pdbs).toMatchObject([{ name: 'web', apiVersion: 'policy/v1' }])
  })

  test('budgets alone are asked for without the rest, and one that cannot be read is an error', async () => {
    const stub = await startApiStub()
    stub.on('GET /apis', groups(old))
    const raw = { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: {} }, status: {} }
    stub.on(`GET ${budgets}`, listOf('PodDisruptionBudget', [raw]))
    const { reader } = await connectCluster(
      { kubeconfig: stub.kubeconfig },
      {},
      { requestMs: 1000, patienceMs: 0 },
    )
    const { signal } = new AbortController()
    expect(await reader.budgets(signal)).toMatchObject([{ name: 'web', namespace: 'shop' }])
    expect(stub.requests).toHaveLength(2)
    stub.on(`GET ${budgets}`, forbidden('poddisruptionbudgets'))
    await expect(reader.budgets(signal)).rejects.toMatchObject({ exitCode: exitCode.permission })
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
      stub.on('GET /apis', groups({ ...old, 'upgrade.cattle.io': ['v1'] }))
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
      stub.on('GET /apis', groups({ ...old, 'upgrade.cattle.io': ['v1'] }))
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
    expect(facts.daemonSets).toMatchObject([{ namespace: 'x', name: 'd' }])
  })

  test('API groups that cannot be listed leave budgets and Plans unknown', async () => {
    const { facts } = await read((api) => api.on('GET /apis', status(503, 'ServiceUnavailable', 'starting')))
    expect(facts.failures.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'get /apis',
        'list addons.k3s.cattle.io',
        'list plans.upgrade.cattle.io',
        'list poddisruptionbudgets.policy',
      ]),
    )
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

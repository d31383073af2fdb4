import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { type ClusterFacts, clusterFactsSchema } from '../../../src/core/inventory.ts'
import { anywhere } from '../../../src/core/kube-pod.ts'
import type { ClusterReader, Kube } from '../../../src/migrate/ports.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import {
  apply,
  budget,
  daemonSet,
  deployment,
  limitedAccount,
  namespace,
  policyVersion,
  pods,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'

const never = new AbortController().signal

for (const age of ['1.20', '1.35'] as const) {
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)))(`a cluster of ${age}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'k3os-migrate-reader-'))
    let cluster: ControlPlane
    let kube: Kube
    let reader: ClusterReader

    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      ;({ kube, reader } = await connectCluster({ kubeconfig: cluster.kubeconfig }, {}))
      await cluster.createNode({
        name: 'n1',
        labels: { 'k3os.io/mode': 'local' },
        annotations: { note: 'x' },
      })
      await cluster.startKubelet('n1')
      const volumes = [
        { name: 'scratch', emptyDir: {} },
        { name: 'host', hostPath: { path: '/data' } },
        { name: 'claim', persistentVolumeClaim: { claimName: 'db' } },
      ]
      const main = {
        name: 'main',
        image: 'none',
        resources: { requests: { cpu: '100m', memory: '64Mi' } },
        volumeMounts: [{ name: 'host', mountPath: '/data', readOnly: true }],
      }
      await apply(
        cluster,
        namespace('shop'),
        volume,
        claim,
        deployment('web', 1, 7, { volumes, containers: [main] }),
        budget(age, 'web', '50%'),
        daemonSet('logs'),
      )
      await untilReady(cluster, 'web', 1)
      await untilReady(cluster, 'logs', 1)
      await untilBudgetAllows(cluster, age, 'web', 0)
    })
    afterAll(async () => {
      await cluster?.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    test('without system-upgrade-controller there are no Plans, and that is no failure', async () => {
      expect(await reader.read(never)).toMatchObject({ upgradePlans: [], failures: [] })
    })

    test('Helm releases are read from their Secrets when that is asked for, and no other Secret', async () => {
      const manifest = 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: prices}\n'
      const release = JSON.stringify({ name: 'prices', version: 2, manifest, config: { key: 'CANARY' } })
      const stored = Buffer.from(gzipSync(release)).toString('base64')
      const secret = (name: string, type: string, labels: Record<string, string>) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: 'shop', labels },
        type,
        stringData: { release: stored },
      })
      const helm = 'helm.sh/release.v1'
      await apply(
        cluster,
        secret('sh.helm.release.v1.prices.v1', helm, { owner: 'helm', status: 'superseded' }),
        secret('sh.helm.release.v1.prices.v2', helm, { owner: 'helm', status: 'deployed' }),
        secret('login', 'Opaque', {}),
      )
      const { helmReleases } = await reader.read(never, { helmReleases: true })
      expect(helmReleases).toEqual({
        status: 'read',
        releases: [
          {
            namespace: 'shop',
            name: 'prices',
            revision: 2,
            objects: [{ apiVersion: 'batch/v1beta1', kind: 'CronJob', namespace: null, name: 'prices' }],
          },
        ],
      })
    })

    test('how objects were applied is read of kinds that nothing else needs', async () => {
      const copy = JSON.stringify({
        apiVersion: 'rbac.authorization.k8s.io/v1beta1',
        kind: 'Role',
        metadata: { name: 'readers', namespace: 'shop' },
      })
      const role = {
        metadata: {
          name: 'readers',
          annotations: { 'kubectl.kubernetes.io/last-applied-configuration': copy },
        },
        rules: [],
      }
      await cluster.request('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles', role)
      const roles = ({ lastApplied = [] }: ClusterFacts) => lastApplied.filter(({ kind }) => kind === 'Role')
      const facts = await reader.read(never, { appliedKinds: true })
      expect(facts).toMatchObject({ lastAppliedUnread: [], failures: [] })
      expect(roles(facts)).toEqual([
        {
          apiVersion: 'rbac.authorization.k8s.io/v1beta1',
          kind: 'Role',
          namespace: 'shop',
          name: 'readers',
        },
      ])
      expect(roles(await reader.read(never))).toEqual([])
    })

    test('is read into the same facts whatever its age', async () => {
      await apply(cluster, planDefinition)
      await expect
        .poll(async () => (await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(plan))).code, {
          timeout: 30_000,
        })
        .toBe(0)
      const facts = await reader.read(never)
      expect(clusterFactsSchema.parse(facts)).toEqual(expectedFacts(cluster, policyVersion(age)))
    })

    test('cordon, labels, annotations and taints change as asked, and nothing else does', async () => {
      const before = await kube.node('n1', never)
      await kube.patchNode(
        'n1',
        {
          unschedulable: true,
          labels: { 'k3os.io/mode': null, team: 'blue' },
          annotations: { note: null, run: '1' },
          taints: [{ key: 'moving', value: '', effect: 'PreferNoSchedule' }],
        },
        never,
      )
      const after = await kube.node('n1', never)
      expect(after).toEqual({
        ...before,
        unschedulable: true,
        labels: { ...without(before?.labels, 'k3os.io/mode'), team: 'blue' },
        annotations: { ...without(before?.annotations, 'note'), run: '1' },
        // The node controller adds its own taint to a cordoned node.
        taints: expect.arrayContaining([{ key: 'moving', value: '', effect: 'PreferNoSchedule' }]),
      })
      await kube.patchNode(
        'n1',
        {
          unschedulable: false,
          labels: { 'k3os.io/mode': 'local', team: null },
          annotations: { note: 'x', run: null },
          taints: [],
        },
        never,
      )
      const again = await kube.node('n1', never)
      // Its own taint the node controller takes off when it comes to it.
      expect(again?.taints.filter(({ key }) => !key.startsWith('node.kubernetes.io/'))).toEqual([])
      expect({ ...again, taints: [], ready: true }).toEqual({ ...before, taints: [], ready: true })
    })

    test('what is not there is not there', async () => {
      expect(await kube.node('missing', never)).toBeUndefined()
      expect(await kube.daemonSetExists('shop', 'missing', never)).toBe(false)
      expect(await kube.daemonSetExists('shop', 'logs', never)).toBe(true)
      expect(await kube.heartbeatAgeSeconds('missing', never)).toBeNull()
      expect(await kube.attachedVolumes('n1', never)).toEqual([])
      expect(await kube.evict({ namespace: 'shop', name: 'missing', uid: 'x' }, never)).toEqual({
        status: 'gone',
      })
    })

    test('the heartbeat of a running node is young', async () => {
      expect(await kube.heartbeatAgeSeconds('n1', never)).toBeLessThan(40)
    })

    test('a pod is not evicted under the UID of another', async () => {
      await apply(cluster, budget(age, 'web', 0))
      await untilBudgetAllows(cluster, age, 'web', 1)
      const [pod] = await pods(cluster, 'web')
      const target = { namespace: 'shop', name: pod?.metadata.name ?? '', uid: 'not-this-one' }
      expect(await kube.evict(target, never)).toEqual({ status: 'gone' })
      const [same] = await pods(cluster, 'web')
      expect(same?.metadata).toMatchObject({ uid: pod?.metadata.uid })
      expect(same?.metadata.deletionTimestamp).toBeUndefined()
    })

    test('two budgets over one pod are impossible', async () => {
      await apply(cluster, {
        ...budget(age, 'web', 0),
        metadata: { name: 'also', namespace: 'shop' },
      })
      await untilBudgetAllows(cluster, age, 'also', 1)
      const [pod] = await pods(cluster, 'web')
      const target = { namespace: 'shop', name: pod?.metadata.name ?? '', uid: pod?.metadata.uid ?? '' }
      expect(await kube.evict(target, never)).toMatchObject({ status: 'impossible' })
    })

    describe('for an account that may only read pods', () => {
      let limited: { kube: Kube; reader: ClusterReader }
      beforeAll(async () => {
        const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]
        limited = await connectCluster({ kubeconfig: await limitedAccount(cluster, directory, rules) }, {})
      })

      test('each part that may not be read is a failure with verb and resource', async () => {
        const facts = await limited.reader.read(never)
        expect(facts.failures.map(({ what }) => what)).toEqual([
          'get namespaces kube-system',
          'list cronjobs.batch',
          'list customresourcedefinitions.apiextensions.k8s.io',
          'list daemonsets.apps',
          'list deployments.apps',
          'list endpoints',
          'list horizontalpodautoscalers.autoscaling',
          'list ingresses.networking.k8s.io',
          'list jobs.batch',
          'list leases.coordination.k8s.io',
          'list mutatingwebhookconfigurations.admissionregistration.k8s.io',
          'list namespaces',
          'list nodes',
          'list persistentvolumeclaims',
          'list persistentvolumes',
          'list plans.upgrade.cattle.io',
          'list poddisruptionbudgets.policy',
          'list replicasets.apps',
          'list services',
          'list statefulsets.apps',
          'list storageclasses.storage.k8s.io',
          'list validatingwebhookconfigurations.admissionregistration.k8s.io',
        ])
        expect(facts.pods.map(({ namespace: where }) => where)).toContain('shop')
      })

      test('evicting and patching fail with verb and resource', async () => {
        await expect(
          limited.kube.evict({ namespace: 'shop', name: 'x', uid: 'y' }, never),
        ).rejects.toMatchObject({
          message: `no permission to create pods/eviction x in namespace shop at context limited (${cluster.server})`,
          exitCode: exitCode.permission,
        })
        await expect(limited.kube.patchNode('n1', { unschedulable: true }, never)).rejects.toMatchObject({
          message: `no permission to patch nodes n1 at context limited (${cluster.server})`,
          hint: 'kubectl --context limited auth can-i patch nodes',
          exitCode: exitCode.permission,
        })
      })
    })
  })
}

function without(
  values: Readonly<Record<string, string>> = {},
  ...keys: readonly string[]
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)))
}

const volume = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv-db' },
  spec: {
    storageClassName: 'local-path',
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Delete',
    hostPath: { path: '/var/lib/rancher/k3s/storage/db' },
    claimRef: { namespace: 'shop', name: 'db' },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }] },
        ],
      },
    },
  },
}

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'db', namespace: 'shop' },
  spec: {
    storageClassName: 'local-path',
    volumeName: 'pv-db',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  },
}

const planDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'plans.upgrade.cattle.io' },
  spec: {
    group: 'upgrade.cattle.io',
    scope: 'Namespaced',
    names: { kind: 'Plan', plural: 'plans', singular: 'plan' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

const plan = {
  apiVersion: 'upgrade.cattle.io/v1',
  kind: 'Plan',
  metadata: { name: 'k3os-latest', namespace: 'shop' },
  spec: {
    concurrency: 1,
    nodeSelector: { matchExpressions: [{ key: 'k3os.io/mode', operator: 'Exists' }] },
    upgrade: { image: 'rancher/k3os' },
  },
}

function expectedFacts(cluster: ControlPlane, policy: string): ClusterFacts {
  const uid = expect.stringMatching(/^[\da-f-]{36}$/) as string
  const someText = expect.any(String) as string
  const token = expect.stringMatching(/^(default-token|kube-api-access)-/) as string
  const tokenVolume = {
    name: token,
    type: expect.stringMatching(/^(secret|projected)$/) as string,
    path: null,
    claim: null,
    readOnly: true,
  }
  // What the admission plugins and the DaemonSet controller add differs from age to age.
  const scheduling = { ...anywhere, tolerations: expect.any(Array) as [] }
  const pinned = expect.objectContaining({ nodeAffinity: expect.any(Object) as object }) as Record<
    string,
    unknown
  >
  const base = {
    namespace: 'shop',
    uid,
    node: 'n1',
    phase: 'Running',
    ready: true,
    terminating: false,
    mirror: false,
    priority: 0,
  }
  return {
    server: cluster.server,
    uid,
    version: cluster.version,
    nodes: [
      {
        name: 'n1',
        uid,
        labels: expect.objectContaining({ 'k3os.io/mode': 'local' }) as Record<string, string>,
        annotations: expect.objectContaining({ note: 'x' }) as Record<string, string>,
        taints: [],
        unschedulable: false,
        ready: true,
        conditions: {
          Ready: 'True',
          MemoryPressure: 'False',
          DiskPressure: 'False',
          PIDPressure: 'False',
          NetworkUnavailable: 'False',
        },
        podCidr: '10.42.0.0/24',
        addresses: [
          { type: 'InternalIP', address: '127.0.0.1' },
          { type: 'Hostname', address: 'n1' },
        ],
        bootId: uid,
        machineId: someText,
        systemUuid: uid,
        osImage: 'k3OS v0.20.11-k3s2r0',
        kernelVersion: '5.4.0-88-generic',
        kubeletVersion: 'v1.20.11+k3s2',
        architecture: 'amd64',
        allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      },
    ],
    pods: [
      {
        ...base,
        name: expect.stringMatching(/^logs-/) as string,
        labels: expect.objectContaining({ app: 'logs' }) as Record<string, string>,
        controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' },
        graceSeconds: 1,
        requests: {},
        volumes: [{ ...tokenVolume }],
        scheduling: { ...scheduling, affinity: pinned },
      },
      {
        ...base,
        name: expect.stringMatching(/^web-/) as string,
        labels: expect.objectContaining({ app: 'web' }) as Record<string, string>,
        controller: {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: expect.stringMatching(/^web-/) as string,
        },
        graceSeconds: 7,
        requests: { cpu: '100m', memory: '64Mi' },
        volumes: [
          { name: 'scratch', type: 'emptyDir', path: null, claim: null, readOnly: false },
          { name: 'host', type: 'hostPath', path: '/data', claim: null, readOnly: true },
          { name: 'claim', type: 'persistentVolumeClaim', path: null, claim: 'db', readOnly: false },
          { ...tokenVolume },
        ],
        scheduling,
      },
    ],
    pdbs: [
      {
        namespace: 'shop',
        name: 'web',
        apiVersion: policy,
        selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
        minAvailable: '50%',
        maxUnavailable: null,
        disruptionsAllowed: 0,
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
      },
    ],
    persistentVolumes: [
      {
        name: 'pv-db',
        storageClass: 'local-path',
        type: 'hostPath',
        path: '/var/lib/rancher/k3s/storage/db',
        nodes: ['n1'],
        reclaimPolicy: 'Delete',
        claim: { namespace: 'shop', name: 'db' },
        capacity: '1Gi',
      },
    ],
    daemonSets: [{ namespace: 'shop', name: 'logs', desired: 1, ready: 1 }],
    upgradePlans: [
      {
        namespace: 'shop',
        name: 'k3os-latest',
        image: 'rancher/k3os',
        nodeSelector: {
          matchLabels: {},
          matchExpressions: [{ key: 'k3os.io/mode', operator: 'Exists', values: [] }],
        },
      },
    ],
    apiGroups: expect.objectContaining({ apps: ['v1'] }) as Record<string, string[]>,
    persistentVolumeClaims: [
      {
        namespace: 'shop',
        name: 'db',
        phase: 'Bound',
        storageClass: 'local-path',
        volume: 'pv-db',
        accessModes: ['ReadWriteOnce'],
        requested: '1Gi',
      },
    ],
    storageClasses: [],
    workloads: [
      {
        kind: 'Deployment',
        namespace: 'shop',
        name: 'web',
        desired: 1,
        ready: 1,
        selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
        controller: null,
        paused: false,
      },
      {
        kind: 'ReplicaSet',
        namespace: 'shop',
        name: expect.stringMatching(/^web-/) as string,
        desired: 1,
        ready: 1,
        selector: expect.any(Object) as { matchLabels: {}; matchExpressions: [] },
        controller: 'Deployment/web',
        paused: false,
      },
    ],
    webhooks: [],
    webhookServices: [],
    namespaces: expect.arrayContaining([
      { name: 'shop', labels: expect.any(Object) as Record<string, string> },
    ]) as [],
    // Nothing of what was applied here ends but the old budget.
    lastApplied:
      policy === 'policy/v1beta1'
        ? [{ apiVersion: policy, kind: 'PodDisruptionBudget', namespace: 'shop', name: 'web' }]
        : [],
    leases: expect.arrayContaining([
      {
        namespace: 'kube-node-lease',
        name: 'n1',
        holder: someText,
        renewedAt: expect.stringMatching(/Z$/) as string,
      },
    ]) as [],
    addons: [],
    helmCharts: [],
    customResources: [{ name: 'plans.upgrade.cattle.io', servedVersions: ['v1'] }],
    failures: [],
  }
}

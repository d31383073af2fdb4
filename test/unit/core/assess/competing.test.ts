import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { Webhook, Workload } from '../../../../src/core/cluster-objects.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { checkResult, cluster, inventory, localPv, look, of, pod } from './builders.ts'

function withFacts(changes: Partial<ClusterFacts>): Assessment {
  return look(inventory(cluster(changes)))
}

function running(kind: Workload['kind'], name: string, changes: Partial<Workload> = {}): Workload {
  const base = { namespace: 'ops', selector: null, controller: null, paused: false }
  return { kind, name, desired: 1, ready: 1, ...base, ...changes }
}

const texts = (assessment: Assessment, rule: string) =>
  of(assessment, rule).flatMap(({ remediations }) => remediations.map(({ text }) => text))

describe('PRE-COMPETING', () => {
  test('passes without such a controller', () => {
    const workloads = [running('Deployment', 'web'), running('Deployment', 'flux-capacitor')]
    expect(checkResult(withFacts({ workloads }), 'PRE-COMPETING')).toBe('pass')
  })

  test.each([
    ['Deployment', 'cluster-autoscaler', 'kubectl -n ops scale deployment/cluster-autoscaler --replicas=0'],
    ['Deployment', 'rel-descheduler', 'kubectl -n ops scale deployment/rel-descheduler --replicas=0'],
    ['CronJob', 'descheduler', `kubectl -n ops patch cronjob descheduler -p '{"spec":{"suspend":true}}'`],
    [
      'Deployment',
      'kustomize-controller',
      'kubectl -n ops scale deployment/kustomize-controller --replicas=0',
    ],
    [
      'StatefulSet',
      'argocd-application-controller',
      'kubectl -n ops scale statefulset/argocd-application-controller --replicas=0',
    ],
  ] as const)('%s %s is high, with the command that stops it', (kind, name, stop) => {
    const assessment = withFacts({ workloads: [running(kind, name)] })
    expect(of(assessment, 'PRE-COMPETING').map(({ severity }) => severity)).toEqual(['high'])
    expect(texts(assessment, 'PRE-COMPETING')).toContain(stop)
  })

  test('kured is a DaemonSet', () => {
    const daemonSets = [{ namespace: 'kube-system', name: 'kured' }]
    expect(texts(withFacts({ daemonSets }), 'PRE-COMPETING')).toContain(
      `kubectl -n kube-system annotate daemonset kured weave.works/kured-node-lock='{"nodeID":"manual"}'`,
    )
  })

  test('one that is scaled to nothing or suspended is at rest', () => {
    const workloads = [
      running('Deployment', 'cluster-autoscaler', { desired: 0, ready: 0 }),
      running('CronJob', 'descheduler', { desired: 0, paused: true }),
    ]
    expect(checkResult(withFacts({ workloads }), 'PRE-COMPETING')).toBe('pass')
  })

  test.each([
    ['without Plans', [], 'low'],
    ['with a Plan', [{ namespace: 'ops', name: 'k3s', image: null, nodeSelector: null }], 'high'],
  ])('the system-upgrade-controller %s', (_, upgradePlans, severity) => {
    const workloads = [running('Deployment', 'system-upgrade-controller')]
    const [f] = of(withFacts({ workloads, upgradePlans }), 'PRE-COMPETING')
    expect(f?.severity).toBe(severity)
  })

  test('is settled where the run stops it by itself', () => {
    const workloads = [
      running('Deployment', 'cluster-autoscaler'),
      running('StatefulSet', 'argocd-application-controller'),
    ]
    const settled = { deleteEmptyDir: false, abandonPods: [], keptData: new Map(), pauses: true }
    const assessment = look(inventory(cluster({ workloads })), { settled })
    expect(of(assessment, 'PRE-COMPETING').map(({ severity, summary }) => [severity, summary])).toEqual([
      ['high', expect.stringContaining('Argo CD')],
      ['low', expect.stringContaining('cluster-autoscaler')],
    ])
    expect(texts(assessment, 'PRE-COMPETING')).toContainEqual(
      expect.stringMatching(/^nothing: a run stops it before its first node .*unless plan --no-pause/),
    )
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-COMPETING')).toBe('skip')
  })
})

describe('PRE-BACKUP-COVERAGE', () => {
  const velero = { apiGroups: { 'velero.io': ['v1'] } }

  test('passes with volumes of type local, which are backed up', () => {
    const persistentVolumes = [localPv('pvc-1', { type: 'local' })]
    expect(checkResult(withFacts({ ...velero, persistentVolumes }), 'PRE-BACKUP-COVERAGE')).toBe('pass')
  })

  test('names the hostPath volumes that Velero leaves out', () => {
    const [f] = of(withFacts({ ...velero, persistentVolumes: [localPv('pvc-1')] }), 'PRE-BACKUP-COVERAGE')
    expect(f).toMatchObject({ severity: 'high', nodes: ['a1'] })
    expect(f?.summary).toBe(
      'Velero is installed, but its file-system backup does not read hostPath volumes: pvc-1 on a1',
    )
  })

  test('says nothing without Velero', () => {
    expect(of(withFacts({ persistentVolumes: [localPv('pvc-1')] }), 'PRE-BACKUP-COVERAGE')).toEqual([])
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-BACKUP-COVERAGE')).toBe('skip')
  })
})

describe('PRE-WEBHOOKS', () => {
  const webhook = (changes: Partial<Webhook> = {}): Webhook => ({
    kind: 'ValidatingWebhookConfiguration',
    configuration: 'policy',
    name: 'check.policy.example',
    failurePolicy: 'Fail',
    timeoutSeconds: 10,
    service: { namespace: 'policy', name: 'policy' },
    rules: ['CREATE pods'],
    ...changes,
  })
  const answering = (name: string, node: string) => pod(name, { namespace: 'policy', node })

  test.each([
    ['is ignored when nobody answers', { failurePolicy: 'Ignore' }],
    ['is outside of the cluster', { service: null }],
  ])('passes when it %s', (_, changes) => {
    const assessment = withFacts({ webhooks: [webhook(changes)], pods: [answering('p', 'a1')] })
    expect(checkResult(assessment, 'PRE-WEBHOOKS')).toBe('pass')
  })

  test('stops when all pods of its namespace are on the node', () => {
    const pods = [answering('policy-1', 'a1'), answering('policy-2', 'a1')]
    const [f] = of(withFacts({ webhooks: [webhook()], pods }), 'PRE-WEBHOOKS')
    expect(f).toMatchObject({
      severity: 'inhibitor',
      nodes: ['a1'],
      summary:
        'the webhook check.policy.example is answered by policy-1, policy-2 (policy/policy) on a1 only, and refuses when nobody answers',
    })
  })

  test('is no more than medium when pods are on several nodes: which of them answer was not read', () => {
    const pods = [answering('policy-1', 'a1'), answering('other', 's1')]
    const [f] = of(withFacts({ webhooks: [webhook()], pods }), 'PRE-WEBHOOKS')
    expect(f).toMatchObject({ severity: 'medium', nodes: [] })
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-WEBHOOKS')).toBe('skip')
  })
})

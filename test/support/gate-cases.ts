import type { AssessInput } from '../../src/core/assess/assess.ts'
import type { AssessRuleId } from '../../src/core/assess/found.ts'
import type { Assessment } from '../../src/core/assessment.ts'
import type {
  ClusterFacts,
  Inventory,
  NodeFacts,
  PersistentVolume,
  PodDisruptionBudget,
} from '../../src/core/inventory.ts'
import { sharedUuid, workloadOf } from './gate-parts.ts'
import { plainMachine } from './inventory-parts.ts'
import {
  cluster,
  easyTarget,
  inventory,
  kubeNode,
  localPv,
  look,
  machine,
  nodeFacts,
  pod,
  volume,
} from '../unit/core/assess/builders.ts'

/** One side of a gate: the smallest world that shows it. */
export interface GateCase {
  /** Goes on from "fails when" and "passes when". */
  readonly when: string
  readonly make: () => Assessment
}

export interface Gate {
  readonly fails: GateCase
  /** As near to failing as it gets. */
  readonly passes: GateCase
}

const gate = (
  failsWhen: string,
  fails: () => Assessment,
  passesWhen: string,
  passes: () => Assessment,
): Gate => ({ fails: { when: failsWhen, make: fails }, passes: { when: passesWhen, make: passes } })

const healthy = (): Assessment => look(inventory())
const withCluster = (changes: Partial<ClusterFacts>) => (): Assessment => look(inventory(cluster(changes)))
const withAgent = (changes: Partial<NodeFacts>) => (): Assessment =>
  look(inventory(cluster(), [machine('s1'), machine('a1', changes)]))
const withServers =
  (datastore: NodeFacts['k3s']['datastore'], ...names: readonly string[]) =>
  (): Assessment =>
    look(
      inventory(
        cluster({ nodes: names.map((name) => kubeNode(name)) }),
        names.map((name) => machine(name, { k3s: { ...nodeFacts(name).k3s, role: 'server', datastore } })),
      ),
    )
const withInput =
  (changes: Partial<AssessInput>, document: Inventory = inventory()) =>
  (): Assessment =>
    look(document, changes)

const unread: Inventory['nodes'][0] = { name: 'a1', address: null, status: 'error', reason: 'refused' }
const a1k3s = nodeFacts('a1').k3s
const cordoned = { nodes: [kubeNode('s1'), kubeNode('a1', { unschedulable: true })] }
const waiver = (changes: object = {}): Partial<AssessInput> => ({
  waivers: [
    {
      key: 'PRE-NODE-CORDONED:Node/a1',
      reason: 'we work on it',
      approvedBy: 'kim',
      expires: null,
      ...changes,
    },
  ],
})

const web = ['web-1', 'web-2'].map((name) => pod(name, { labels: { app: 'web' } }))
const budget = (changes: Partial<PodDisruptionBudget> = {}): PodDisruptionBudget => ({
  namespace: 'shop',
  name: 'web',
  apiVersion: 'policy/v1',
  selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
  minAvailable: null,
  maxUnavailable: 1,
  disruptionsAllowed: 1,
  currentHealthy: 2,
  desiredHealthy: 1,
  expectedPods: 2,
  ...changes,
})
const withBudgets = (pdbs: PodDisruptionBudget[], changes: Partial<ClusterFacts> = {}) =>
  withCluster({ pods: web, pdbs, ...changes })

const claimed = pod('db-0', { volumes: [volume('persistentVolumeClaim', { claim: 'data-db-0' })] })
const hostPath = (readOnly: boolean) => [
  pod('cam', { volumes: [volume('hostPath', { path: '/opt/data', readOnly })] }),
]
const emptyDir = (type: string) => [pod('web', { volumes: [volume(type)] })]
const measured = (mebibytes: number) => () =>
  look(
    inventory(cluster({ pods: emptyDir('emptyDir') }), [
      machine('s1'),
      machine('a1', {
        usage: {
          '/var/lib/kubelet/pods/uid-of-web/volumes/kubernetes.io~empty-dir/data': mebibytes * 1024 * 1024,
        },
      }),
    ]),
  )
const written = (apiVersion: string) => ({
  apiVersion,
  kind: 'PodDisruptionBudget',
  namespace: 'shop',
  name: 'web',
})
const manifest = (apiVersion: string) => () =>
  look(
    inventory(cluster(), [
      machine('s1', {
        service: {
          ...plainMachine.service,
          manifestObjects: [{ file: 'web.yaml', ...written(apiVersion) }],
        },
      }),
      machine('a1'),
    ]),
  )
const release = (apiVersion: string): Partial<ClusterFacts> => ({
  helmReleases: {
    status: 'read',
    releases: [{ namespace: 'shop', name: 'web', revision: 3, objects: [written(apiVersion)] }],
  },
})
const job = (phase: string) => [
  pod('report-1', { phase, controller: { apiVersion: 'batch/v1', kind: 'Job', name: 'report' } }),
]
const single = (desired: number): Partial<ClusterFacts> => ({
  pods: [pod('web-5c9f-x', { controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5c9f' } })],
  workloads: [
    workloadOf('Deployment', 'web', { desired, ready: desired }),
    workloadOf('ReplicaSet', 'web-5c9f', { controller: 'Deployment/web', desired, ready: desired }),
  ],
})
const velero = (type: PersistentVolume['type']): Partial<ClusterFacts> => ({
  apiGroups: { 'velero.io': ['v1'] },
  persistentVolumes: [localPv('pvc-1', { type })],
})
const pressed = (status: string) =>
  withCluster({
    nodes: [kubeNode('s1'), kubeNode('a1', { conditions: { Ready: 'True', DiskPressure: status } })],
  })
const daemonSet = (ready: number) =>
  withCluster({ daemonSets: [{ namespace: 'shop', name: 'exporter', desired: 2, ready }] })
const answered = (ready: NonNullable<ClusterFacts['webhookServices']>[0]['ready']) =>
  withCluster({
    ...webhook('Fail'),
    webhookServices: [{ namespace: 'policy', name: 'policy', exists: true, ready, notReady: 1 }],
  })
const webhook = (failurePolicy: string): Partial<ClusterFacts> => ({
  pods: [pod('policy-1', { namespace: 'policy' })],
  webhooks: [
    {
      kind: 'ValidatingWebhookConfiguration',
      configuration: 'policy',
      name: 'check.policy.example',
      failurePolicy,
      timeoutSeconds: 10,
      service: { namespace: 'policy', name: 'policy' },
      rules: ['CREATE pods'],
    },
  ],
})
const certificate = (notAfter: string): Partial<NodeFacts> => ({
  certificates: [
    {
      path: '/var/lib/rancher/k3s/agent/client-kubelet.crt',
      subject: 'system:node:a1',
      issuer: 'k3s-client-ca',
      notBefore: '2025-11-23T00:00:00Z',
      notAfter,
    },
  ],
})
const started = (...words: string[]): Partial<NodeFacts> => ({
  service: { ...plainMachine.service, arguments: words },
})
const room = (memory: string, requests: string) =>
  withCluster({
    nodes: ['s1', 'a1'].map((name) => kubeNode(name, { allocatable: { cpu: '4', memory, pods: '110' } })),
    pods: [pod('web', { requests: { memory: requests, cpu: '100m' } })],
  })
const upgrade = (values: string[]) =>
  withCluster({
    nodes: [kubeNode('s1'), kubeNode('a1', { labels: { 'k3os.io/upgrade': 'enabled' } })],
    upgradePlans: [
      {
        namespace: 'k3os-system',
        name: 'k3os-latest',
        image: 'rancher/k3os',
        nodeSelector: {
          matchLabels: {},
          matchExpressions: [{ key: 'k3os.io/upgrade', operator: 'In', values }],
        },
      },
    ],
  })
const needs = (memoryMib: number): Partial<AssessInput> => ({
  targets: [{ id: 'debian', title: 'Debian', requires: { ...easyTarget, memoryMib } }],
})

/** Every rule of `assess` from both sides. A rule that is added and not shown here does not type-check. */
export const gateCases: Readonly<Record<AssessRuleId, Gate>> = {
  'INV-NODE-UNREAD': gate(
    'nobody could log in to a machine',
    () => look(inventory(cluster(), [machine('s1'), unread])),
    'all machines were read',
    healthy,
  ),
  'INV-READING-FAILED': gate(
    'one probe of a machine failed',
    withAgent({ failures: [{ what: 'lsblk', reason: 'timed out' }] }),
    'every probe answered',
    healthy,
  ),
  'INV-CLUSTER-UNREAD': gate('no API server was asked', () => look(inventory(null)), 'one was read', healthy),
  'INV-CLUSTER-PARTIAL': gate(
    'a list was refused',
    withCluster({ failures: [{ what: 'pods', reason: 'forbidden' }] }),
    'every list was given',
    healthy,
  ),
  'INV-CONFIG-UNREAD': gate(
    'the bundle of a node is not there',
    withInput({ configs: new Map() }),
    'every configuration was read',
    healthy,
  ),
  'INV-CONFIG-REJECTED': gate(
    'k3OS rejects the configuration',
    withInput({
      configs: new Map([
        ['s1', { status: 'rejected', reason: 'line 3: not a list', findings: [] }],
        ['a1', { status: 'merged', findings: [] }],
      ]),
    }),
    'k3OS merges it',
    healthy,
  ),
  'INV-CONFIG-DISAGREES': gate(
    'k3OS says rejected where the reading here merges',
    withAgent({ ownConfiguration: 'rejected' }),
    'k3OS did not say anything',
    withAgent({ ownConfiguration: 'unknown' }),
  ),
  'INV-NO-MACHINE': gate(
    'the cluster has a k3OS node the inventory lacks',
    withCluster({ nodes: [kubeNode('s1'), kubeNode('a1'), kubeNode('a2')] }),
    'the further node runs another system',
    withCluster({ nodes: [kubeNode('s1'), kubeNode('a1'), kubeNode('d1', { osImage: 'Debian 13' })] }),
  ),
  'INV-NO-NODE': gate(
    'a machine is no node of the cluster',
    withCluster({ nodes: [kubeNode('s1')] }),
    'the Node has the lower-cased host name',
    () =>
      look(
        inventory(cluster(), [machine('s1'), { ...machine('a1', { hostname: 'A1' }), name: 'shop-front' }]),
      ),
  ),
  'INV-NOT-K3OS': gate(
    'a node runs another system',
    withCluster({ nodes: [kubeNode('s1'), kubeNode('a1'), kubeNode('d1', { osImage: 'Debian 13' })] }),
    'all run k3OS',
    healthy,
  ),
  'INV-IDENTITY': gate(
    'machine and Node have different system UUIDs',
    withCluster({ nodes: [kubeNode('s1'), kubeNode('a1', { systemUuid: 'other' })] }),
    'they differ in letter case only',
    healthy,
  ),
  'INV-CLAIMED-TWICE': gate(
    'two entries of the inventory lead to one Node',
    () => look(inventory(cluster(), [machine('s1'), machine('a1'), { ...machine('a1'), name: 'A1' }])),
    'each leads to its own',
    healthy,
  ),
  'INV-UUID-SHARED': gate(
    'two machines have the same system UUID',
    () => look(sharedUuid()),
    'each has its own',
    healthy,
  ),
  'INV-WAIVER-EXPIRED': gate(
    'a waiver ended yesterday',
    withInput({ ...waiver({ expires: '2026-11-22' }) }, inventory(cluster(cordoned))),
    'it ends today',
    withInput({ ...waiver({ expires: '2026-11-23' }) }, inventory(cluster(cordoned))),
  ),
  'INV-WAIVER-INCOMPLETE': gate(
    'a waiver has no reason',
    withInput(waiver({ reason: ' ' }), inventory(cluster(cordoned))),
    'it has reason and name',
    withInput(waiver(), inventory(cluster(cordoned))),
  ),
  'INV-WAIVER-REFUSED': gate(
    'a waiver names what cannot be accepted',
    withInput(waiver({ key: 'PRE-BOOT-MARKER:Node/a1:ephemeral' }), marked()),
    'it names what can',
    withInput(waiver(), inventory(cluster(cordoned))),
  ),
  'INV-WAIVER-UNUSED': gate(
    'a waiver matches no finding',
    withInput(waiver()),
    'it matches one',
    withInput(waiver(), inventory(cluster(cordoned))),
  ),
  'PRE-NODE-NOT-READY': gate(
    'a Node is not Ready',
    withCluster({ nodes: [kubeNode('s1'), kubeNode('a1', { ready: false })] }),
    'all are',
    healthy,
  ),
  'PRE-NODE-CORDONED': gate('somebody cordoned a node', withCluster(cordoned), 'nobody did', healthy),
  'PRE-NODE-PRESSURE': gate(
    'a node says DiskPressure',
    pressed('True'),
    'it says that there is none',
    pressed('False'),
  ),
  'PRE-CLOCK': gate(
    'a clock is 6 s off',
    withAgent({ clockOffsetSeconds: -6 }),
    'it is 5 s off',
    withAgent({ clockOffsetSeconds: 5 }),
  ),
  'PRE-PENDING-REBOOT': gate(
    'the next boot starts another k3s',
    withAgent({ components: { k3s: { current: 'v1.22.2+k3s2', previous: null } } }),
    'the link names what runs',
    healthy,
  ),
  'PRE-BOOT-MARKER': gate(
    'a marker file lies in /k3os/system',
    withAgent({ markers: ['ephemeral'] }),
    'none does',
    healthy,
  ),
  'PRE-INSTALL': gate(
    'k3OS runs from a live medium',
    withAgent({ install: 'live' }),
    'it is installed to a disk',
    healthy,
  ),
  'PRE-NODE-PASSWORD': gate(
    'a node has no node password',
    withAgent({ k3s: { ...a1k3s, hasNodePassword: false } }),
    'it has one',
    healthy,
  ),
  'PRE-ROLE-UNKNOWN': gate(
    'nothing says whether a node is server or agent',
    withAgent({ k3s: { ...a1k3s, role: 'unknown' } }),
    'it is an agent',
    healthy,
  ),
  'PRE-DATASTORE-UNKNOWN': gate(
    'a server has no datastore on its disk and no endpoint',
    withServers('none', 's1'),
    'it has sqlite',
    withServers('sqlite', 's1'),
  ),
  'PRE-DQLITE': gate('the datastore is dqlite', withServers('dqlite', 's1'), 'it is sqlite', healthy),
  'PRE-SINGLE-SERVER': gate(
    'one server has sqlite',
    healthy,
    'three servers have etcd',
    withServers('etcd', 's1', 's2', 's3'),
  ),
  'PRE-ETCD-QUORUM': gate(
    'etcd has two members',
    withServers('etcd', 's1', 's2'),
    'it has three',
    withServers('etcd', 's1', 's2', 's3'),
  ),
  'PRE-ETCD': gate(
    'etcd has three members',
    withServers('etcd', 's1', 's2', 's3'),
    'the datastore is sqlite',
    healthy,
  ),
  'PRE-EXTERNAL-DATASTORE': gate(
    'the datastore is outside',
    withServers('external', 's1'),
    'it is on the server',
    healthy,
  ),
  'PRE-DATASTORE-SPLIT': gate(
    'two servers have sqlite each',
    withServers('sqlite', 's1', 's2'),
    'one has',
    healthy,
  ),
  'PRE-UNMANAGED': gate(
    'a running pod has no controller',
    withCluster({ pods: [pod('debug', { controller: null })] }),
    'it has ended',
    withCluster({ pods: [pod('debug', { controller: null, phase: 'Succeeded' })] }),
  ),
  'PRE-NOT-REPLACED': gate(
    'a ReplicaSet has more pods than it wants',
    withCluster({ pods: [pod('web')], workloads: [workloadOf('ReplicaSet', 'web-rs', { desired: 0 })] }),
    'it wants as many as it has',
    withCluster({ pods: [pod('web')], workloads: [workloadOf('ReplicaSet', 'web-rs', { desired: 1 })] }),
  ),
  'PRE-EMPTYDIR': gate(
    'a pod has an emptyDir on disk',
    withCluster({ pods: emptyDir('emptyDir') }),
    'it is in memory',
    withCluster({ pods: emptyDir('emptyDir-memory') }),
  ),
  'PRE-EMPTYDIR-LARGE': gate(
    '101 MiB in an emptyDir would be lost',
    measured(101),
    'it is 100 MiB',
    measured(100),
  ),
  'PRE-HOSTPATH': gate(
    'a pod may write to a directory of the node',
    withCluster({ pods: hostPath(false) }),
    'it may only read',
    withCluster({ pods: hostPath(true) }),
  ),
  'PRE-LOCALPV': gate(
    'a volume is bound to the disk of a node',
    withCluster({ persistentVolumes: [localPv('pvc-1')], pods: [claimed] }),
    'it lies in a network',
    withCluster({ persistentVolumes: [localPv('pvc-1', { type: 'other' })], pods: [claimed] }),
  ),
  'PRE-ORPHAN-VOLUME': gate(
    'a volume directory has no PersistentVolume',
    withAgent({ localVolumes: [{ path: '/var/lib/rancher/k3s/storage/old', bytes: 1 }] }),
    'it has one',
    () =>
      look(
        inventory(cluster({ persistentVolumes: [localPv('pvc-1')] }), [
          machine('s1'),
          machine('a1', { localVolumes: [{ path: '/var/lib/rancher/k3s/storage/pvc-1', bytes: 1 }] }),
        ]),
      ),
  ),
  'PRE-PDB-STRUCTURAL': gate(
    'a budget lets nothing go even when all is healthy',
    withBudgets([budget({ maxUnavailable: 0, disruptionsAllowed: 0, desiredHealthy: 2 })]),
    'it lets one go',
    withBudgets([budget()]),
  ),
  'PRE-PDB-NEVER-REFILLS': gate(
    'no other node can run the replacements',
    withBudgets([budget()], { nodes: [kubeNode('a1')] }),
    'another node can',
    withBudgets([budget()]),
  ),
  'PRE-PDB-TWICE': gate(
    'two budgets guard one pod',
    withBudgets([budget(), budget({ name: 'all' })]),
    'one does',
    withBudgets([budget()]),
  ),
  'PRE-PDB-TEMPORARY': gate(
    'pods of a budget are not healthy now',
    withBudgets([budget({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 2, expectedPods: 3 })]),
    'they are',
    withBudgets([budget()]),
  ),
  'PRE-UPGRADE-PLAN': gate(
    'an upgrade Plan selects a node',
    upgrade(['enabled']),
    'it selects others',
    upgrade(['latest']),
  ),
  'PRE-CAPACITY': gate('a pod fits on no other node', room('4Gi', '5Gi'), 'it does', room('8Gi', '1Gi')),
  'PRE-HEADROOM': gate(
    'the others would be nearly full',
    room('1000Mi', '950Mi'),
    'enough is free',
    room('8Gi', '1Gi'),
  ),
  'PRE-SINGLE-REPLICA': gate(
    'a workload has one replica',
    withCluster(single(1)),
    'it has two',
    withCluster(single(2)),
  ),
  'PRE-JOBS': gate(
    'a Job is at work',
    withCluster({ pods: job('Running') }),
    'it has ended',
    withCluster({ pods: job('Succeeded') }),
  ),
  'PRE-BASELINE': gate(
    'a workload lacks a pod',
    withCluster({ workloads: [workloadOf('Deployment', 'web', { ready: 1 })] }),
    'it is complete',
    withCluster({ workloads: [workloadOf('Deployment', 'web')] }),
  ),
  'PRE-DAEMONSET': gate('a DaemonSet lacks a pod', daemonSet(1), 'it is complete', daemonSet(2)),
  'PRE-COMPETING': gate(
    'a controller that moves pods or nodes runs',
    withCluster({ workloads: [workloadOf('Deployment', 'cluster-autoscaler')] }),
    'it is scaled to nothing',
    withCluster({ workloads: [workloadOf('Deployment', 'cluster-autoscaler', { desired: 0, ready: 0 })] }),
  ),
  'PRE-BACKUP-COVERAGE': gate(
    'Velero leaves hostPath volumes out',
    withCluster(velero('hostPath')),
    'the volumes are local ones',
    withCluster(velero('local')),
  ),
  'PRE-WEBHOOKS': gate(
    'a webhook that refuses is answered on one node only',
    withCluster(webhook('Fail')),
    'nobody minds when it does not answer',
    withCluster(webhook('Ignore')),
  ),
  'PRE-WEBHOOK-DEAD': gate(
    'nobody answers for a webhook that refuses then',
    answered([]),
    'somebody answers',
    answered([
      { node: 's1', pod: 'policy-1' },
      { node: 'a1', pod: 'policy-2' },
    ]),
  ),
  'PRE-CERTS': gate(
    'a certificate ends in 30 days',
    withAgent(certificate('2026-12-23T00:00:00Z')),
    'it ends in 31 days',
    withAgent(certificate('2026-12-24T00:00:00Z')),
  ),
  'PRE-FLAG-REFUSED': gate(
    'k3s has no such flag',
    withAgent(started('agent', '--no-such-flag')),
    'it has',
    withAgent(started('agent', '--node-ip=192.0.2.7')),
  ),
  'PRE-LADDER-FLAG': gate(
    'a flag ends with a later k3s',
    withAgent(started('agent', '--no-flannel')),
    'none does',
    withAgent(started('agent', '--node-label', 'a=b')),
  ),
  'PRE-LADDER-GATE': gate(
    'a feature gate ends with a later k3s',
    withAgent(started('agent', '--kubelet-arg', 'feature-gates=APIListChunking=true')),
    'none does',
    withAgent(started('agent', '--kubelet-arg', 'max-pods=50')),
  ),
  'PRE-LADDER-API': gate(
    'an API in use ends with a later k3s',
    withCluster({ apiGroups: { policy: ['v1beta1'] } }),
    'none does',
    withCluster({ apiGroups: { apps: ['v1'] } }),
  ),
  'PRE-LADDER-MANIFEST': gate(
    'a manifest on a server names an API version that ends',
    manifest('policy/v1beta1'),
    'it names the one that stays',
    manifest('policy/v1'),
  ),
  'PRE-LADDER-APPLIED': gate(
    'an object was applied in a version that ends',
    withCluster({ lastApplied: [written('policy/v1beta1')] }),
    'it was applied in the one that stays',
    withCluster({ lastApplied: [written('policy/v1')] }),
  ),
  'PRE-LADDER-RELEASE': gate(
    'a Helm release names an API version that ends',
    withCluster(release('policy/v1beta1')),
    'it names the one that stays',
    withCluster(release('policy/v1')),
  ),
  'FIT-NONE': gate(
    'a machine fits no target',
    withInput(needs(99_999)),
    'it fits one',
    withInput(needs(1024)),
  ),
  'FIT-UNKNOWN': gate(
    'what decides could not be read',
    withAgent({ memoryMib: null }),
    'everything was read',
    healthy,
  ),
}

function marked(): Inventory {
  return inventory(cluster(), [machine('s1'), machine('a1', { markers: ['ephemeral'] })])
}

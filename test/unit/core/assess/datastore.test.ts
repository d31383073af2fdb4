import { expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { NodeFacts } from '../../../../src/core/inventory.ts'
import { cluster, inventory, kubeNode, look, machine, nodeFacts, of } from './builders.ts'

type Datastore = NodeFacts['k3s']['datastore']

function servers(...stores: readonly Datastore[]): Assessment {
  const names = stores.map((_, index) => `s${index + 1}`)
  const nodes = names.map((name, index) =>
    machine(name, { k3s: { ...nodeFacts(name).k3s, datastore: stores[index] ?? 'unknown' } }),
  )
  return look(inventory(cluster({ nodes: names.map((name) => kubeNode(name)) }), nodes))
}

function rules(assessment: Assessment): string[] {
  return assessment.findings.map(({ rule }) => rule)
}

test.each([
  [['sqlite'], ['PRE-SINGLE-SERVER']],
  [['etcd'], ['PRE-SINGLE-SERVER']],
  [['etcd', 'etcd'], ['PRE-ETCD-QUORUM']],
  [['etcd', 'etcd', 'etcd'], ['PRE-ETCD']],
  [
    ['external', 'external'],
    ['PRE-EXTERNAL-DATASTORE', 'PRE-EXTERNAL-DATASTORE'],
  ],
  [['dqlite'], ['PRE-DQLITE']],
  [['sqlite', 'sqlite'], ['PRE-DATASTORE-SPLIT']],
  [['unknown'], ['PRE-DATASTORE-UNKNOWN']],
  [['none'], ['PRE-DATASTORE-UNKNOWN']],
] as const)('servers on %j: %j', (stores, expected) => {
  expect(rules(servers(...stores))).toEqual(expected)
})

test('dqlite cannot be waived', () => {
  const assessment = look(
    inventory(cluster({ nodes: [kubeNode('s1')] }), [
      machine('s1', { k3s: { ...nodeFacts('s1').k3s, datastore: 'dqlite' } }),
    ]),
    { waivers: [{ key: 'PRE-DQLITE:Node/s1', reason: 'it works', approvedBy: 'kim', expires: null }] },
  )
  expect(rules(assessment)).toEqual(['INV-WAIVER-REFUSED', 'PRE-DQLITE'])
})

test('a role that is not known is an inhibitor', () => {
  const a1 = machine('a1', { k3s: { ...nodeFacts('a1').k3s, role: 'unknown' } })
  expect(of(look(inventory(cluster(), [machine('s1'), a1])), 'PRE-ROLE-UNKNOWN')[0]?.result).toBe('error')
})

test('an etcd member that could not be read still counts', () => {
  const labels = { 'node-role.kubernetes.io/etcd': 'true' }
  const etcd = (name: string) => machine(name, { k3s: { ...nodeFacts(name).k3s, datastore: 'etcd' } })
  const nodes = ['s1', 's2', 's3'].map((name) => kubeNode(name, { labels }))
  const lost = { name: 's3', address: null, status: 'error', reason: 'timeout' } as const
  const assessment = look(inventory(cluster({ nodes }), [etcd('s1'), etcd('s2'), lost]))
  expect(of(assessment, 'PRE-ETCD')[0]?.summary).toContain('3 members')
})

test('the copy of the only server is made with k3s stopped and a private file', () => {
  const text = of(servers('sqlite'), 'PRE-SINGLE-SERVER')[0]?.remediations.at(-1)?.text ?? ''
  expect(text).toMatch(
    /^\(umask 077; ssh rancher@s1\.example 'sudo rc-service k3s-service stop >&2; sudo tar .*> s1-k3s-server\.tar\.gz\)$/,
  )
})

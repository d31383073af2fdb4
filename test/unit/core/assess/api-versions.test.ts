import { expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { checkResult, cluster, inventory, look, of } from './builders.ts'

const applied = (changes: Partial<ClusterFacts>): Assessment => look(inventory(cluster(changes)))

const reason = 'no permission to list clusterroles.rbac.authorization.k8s.io at context k3os'
const lastAppliedUnread = [{ what: 'list clusterroles.rbac.authorization.k8s.io', reason }]

test('kinds that could not be looked at are a note with verb and resource, and stop nothing', () => {
  const assessment = applied({ lastAppliedUnread })
  expect(of(assessment, 'PRE-LADDER-APPLIED')).toMatchObject([
    {
      key: 'PRE-LADDER-APPLIED:Cluster:unread',
      severity: 'info',
      result: 'skip',
      summary: `in which API versions some objects were applied was not read: ${reason}`,
      remediations: [{}, { text: 'k3os-migrate rbac inventory' }],
    },
  ])
  expect(checkResult(assessment, 'PRE-LADDER-APPLIED')).toBe('error')
  expect(assessment.summary.inhibitors).toBe(0)
})

test('what was found elsewhere is said all the same', () => {
  const object = { apiVersion: 'policy/v1beta1', kind: 'PodSecurityPolicy', namespace: null, name: 'strict' }
  const assessment = applied({ lastApplied: [object], lastAppliedUnread })
  expect(of(assessment, 'PRE-LADDER-APPLIED').map(({ key }) => key)).toEqual([
    'PRE-LADDER-APPLIED:Cluster:policy/v1beta1/PodSecurityPolicy',
    'PRE-LADDER-APPLIED:Cluster:unread',
  ])
  expect(checkResult(assessment, 'PRE-LADDER-APPLIED')).toBe('fail')
})

import { expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { Waiver } from '../../../../src/core/plan.ts'
import { cluster, inventory, look, of, pod } from './builders.ts'

const key = 'PRE-UNMANAGED:Pod/shop/debug'

function waive(changes: Partial<Waiver> = {}, today = '2026-11-23'): Assessment {
  const waiver: Waiver = {
    key,
    reason: 'a shell left open',
    approvedBy: 'kim',
    expires: '2026-11-23',
    ...changes,
  }
  const pods = [pod('debug', { controller: null })]
  return look(inventory(cluster({ pods })), { waivers: [waiver], today })
}

test('a waiver turns an inhibitor into a note, on its last day too', () => {
  const assessment = waive()
  expect(of(assessment, 'PRE-UNMANAGED')[0]?.waiver).toEqual({
    reason: 'a shell left open',
    approvedBy: 'kim',
    expires: '2026-11-23',
    ticket: null,
  })
  expect(assessment.summary).toMatchObject({ inhibitors: 0, waived: 1 })
})

test('an expired waiver covers nothing and is an inhibitor itself', () => {
  const assessment = waive({}, '2026-11-24')
  expect(of(assessment, 'PRE-UNMANAGED')[0]?.waiver).toBeNull()
  expect(of(assessment, 'INV-WAIVER-EXPIRED')[0]?.severity).toBe('inhibitor')
})

test.each([
  [{ reason: ' ' }, 'has no reason'],
  [{ approvedBy: '' }, 'has no approvedBy'],
  [{ expires: 'next year' }, 'has no date'],
])('a waiver with %j is an inhibitor', (changes, text) => {
  const assessment = waive(changes)
  expect(of(assessment, 'INV-WAIVER-INCOMPLETE')[0]?.summary).toContain(text)
  expect(of(assessment, 'PRE-UNMANAGED')[0]?.waiver).toBeNull()
})

test('an unused waiver is said', () => {
  expect(of(waive({ key: 'PRE-UNMANAGED:Pod/shop/gone' }), 'INV-WAIVER-UNUSED')[0]?.severity).toBe('info')
})

test('a check that could not run cannot be waived', () => {
  const waivers = [{ key: 'INV-CLUSTER-UNREAD:Cluster', reason: 'no time', approvedBy: 'kim', expires: null }]
  const assessment = look(inventory(null), { waivers })
  expect(of(assessment, 'INV-WAIVER-REFUSED')).toHaveLength(1)
  expect(assessment.summary.waived).toBe(0)
})

test('a waiver says where it was decided', () => {
  expect(of(waive({ ticket: 'OPS-12' }), 'PRE-UNMANAGED')[0]?.waiver?.ticket).toBe('OPS-12')
})

test('a rule is waived within its scope and nowhere else', () => {
  const waivers = [
    {
      key: 'PRE-UNMANAGED',
      scope: { namespace: 'shop' },
      reason: 'shells',
      approvedBy: 'kim',
      expires: null,
    },
  ]
  const pods = ['shop', 'bank'].map((namespace) => pod('debug', { namespace, controller: null }))
  const assessment = look(inventory(cluster({ pods })), { waivers })
  const waived = of(assessment, 'PRE-UNMANAGED').map(({ subject, waiver }) => [
    subject.namespace,
    waiver !== null,
  ])
  expect(waived).toEqual([
    ['bank', false],
    ['shop', true],
  ])
})

test('a scope narrows the key of a finding too', () => {
  const assessment = waive({ scope: { namespace: 'bank' } })
  expect(of(assessment, 'PRE-UNMANAGED')[0]?.waiver).toBeNull()
  expect(of(assessment, 'INV-WAIVER-UNUSED')).toHaveLength(1)
})

test.each([[undefined], [{}]])('a whole rule is not waived by the scope %j', (scope) => {
  const assessment = waive({ key: 'PRE-UNMANAGED', scope })
  expect(of(assessment, 'PRE-UNMANAGED')[0]?.waiver).toBeNull()
  expect(of(assessment, 'INV-WAIVER-INCOMPLETE')[0]?.summary).toContain('has no scope')
})

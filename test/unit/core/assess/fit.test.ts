import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { NodeFacts } from '../../../../src/core/inventory.ts'
import type { Requirements } from '../../../../src/core/translation.ts'
import { cluster, disk, easyTarget, inventory, kubeNode, look, machine, nodeFacts, of } from './builders.ts'

function fit(
  facts: Partial<NodeFacts>,
  needs: Partial<Requirements> = {},
): { verdict: string; reasons: string[]; assessment: Assessment } {
  const assessment = look(inventory(cluster({ nodes: [kubeNode('a1')] }), [machine('a1', facts)]), {
    targets: [{ id: 'x', title: 'X', requires: { ...easyTarget, ...needs } }],
  })
  const row = assessment.fit[0]
  return { verdict: row?.verdict ?? '', reasons: row?.reasons.map(({ rule }) => rule) ?? [], assessment }
}

const k3s = (version: string): Partial<NodeFacts> => ({ k3s: { ...nodeFacts('a1').k3s, version } })

test('an ordinary machine fits', () => {
  expect(fit({})).toMatchObject({ verdict: 'fits', reasons: [] })
})

test.each([
  ['architecture', { machine: 'armv7l' }, {}, 'FIT-MACHINE'],
  ['CPU level', { cpu: { ...nodeFacts('a1').cpu, x86Level: 1 } }, { x86Level: 2 }, 'FIT-X86-LEVEL'],
  ['firmware', { firmware: 'bios' }, { firmware: ['uefi'] }, 'FIT-FIRMWARE'],
  ['memory', { memoryMib: 900 }, { memoryMib: 2048 }, 'FIT-MEMORY'],
  ['disk', { disks: [disk('sda', 3000)] }, {}, 'FIT-DISK'],
  ['old k3s without cgroup v1', k3s('v1.20.3+k3s1'), { cgroup: ['v2'] }, 'FIT-CGROUP-V1'],
] as const)('does not fit by %s', (_, facts, needs, rule) => {
  expect(fit(facts as Partial<NodeFacts>, needs as Partial<Requirements>)).toMatchObject({
    verdict: 'does not fit',
    reasons: [rule],
  })
})

test.each([
  ['old k3s on a system that can do cgroup v1', k3s('v1.19.5+k3s2'), {}, 'FIT-CGROUP-BOOT'],
  ['a new cluster', {}, { rejoins: false }, 'FIT-NEW-CLUSTER'],
  ['another disk', { disks: [disk('sda', 3000), disk('sdb', 9000, null)] }, {}, 'FIT-OTHER-DISK'],
] as const)('fits with changes: %s', (_, facts, needs, rule) => {
  expect(fit(facts as Partial<NodeFacts>, needs)).toMatchObject({
    verdict: 'fits with changes',
    reasons: [rule],
  })
})

test.each([
  ['k3s v1.20.4 runs on either cgroup', k3s('v1.20.4+k3s1'), { cgroup: ['v2'] }],
  ['memory the firmware took is not missing', { memoryMib: 930 }, { memoryMib: 1024 }],
  ['levels of x86 say nothing about ARM', { machine: 'aarch64', firmware: 'unknown' }, { x86Level: 2 }],
] as const)('fits: %s', (_, facts, needs) => {
  expect(fit(facts as Partial<NodeFacts>, needs as Partial<Requirements>).verdict).toBe('fits')
})

test('a new cluster brings its own k3s', () => {
  expect(fit(k3s('v1.19.5+k3s2'), { cgroup: ['v2'], rejoins: false }).reasons).toEqual(['FIT-NEW-CLUSTER'])
})

test.each([
  ['architecture', { machine: null }, {}],
  ['level', { cpu: { ...nodeFacts('a1').cpu, x86Level: null } }, { x86Level: 2 }],
  ['firmware', { firmware: 'unknown' }, {}],
  ['memory', { memoryMib: null }, {}],
  ['disks', { disks: [] }, {}],
  ['k3s version', { k3s: { ...nodeFacts('a1').k3s, version: null } }, {}],
] as const)('an unread %s is unknown, never a fit', (_, facts, needs) => {
  expect(fit(facts as Partial<NodeFacts>, needs).verdict).toBe('unknown')
})

describe('findings', () => {
  test('a machine that fits no target is an inhibitor with the reasons', () => {
    expect(of(fit({ memoryMib: 400 }).assessment, 'FIT-NONE')[0]).toMatchObject({
      severity: 'inhibitor',
      summary: 'a1 does not fit x: the machine has 400 MiB of memory, the target needs 1024 MiB',
    })
  })

  test('a machine that fits one of two targets is none', () => {
    const assessment = look(inventory(), {
      targets: [
        { id: 'small', title: 'Small', requires: easyTarget },
        { id: 'large', title: 'Large', requires: { ...easyTarget, memoryMib: 99_999 } },
      ],
    })
    expect(of(assessment, 'FIT-NONE')).toHaveLength(0)
    expect(assessment.fit.map(({ verdict }) => verdict)).toEqual([
      'fits',
      'does not fit',
      'fits',
      'does not fit',
    ])
  })

  test('a machine nobody can judge is an error', () => {
    expect(of(fit({ memoryMib: null }).assessment, 'FIT-UNKNOWN')[0]).toMatchObject({
      result: 'error',
      summary: 'it is not known which target a1 fits: the size of the memory could not be read',
    })
  })
})

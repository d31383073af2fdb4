import { describe, expect, test } from 'vitest'
import type { KubeNode, NodeFacts } from '../../../../src/core/inventory.ts'
import type { Assessment } from '../../../../src/core/assessment.ts'
import { checkResult, cluster, inventory, kubeNode, look, machine, nodeFacts, of } from './builders.ts'

function withFacts(changes: Partial<NodeFacts>): Assessment {
  return look(inventory(cluster(), [machine('s1'), machine('a1', changes)]))
}

function withNode(changes: Partial<KubeNode>): Assessment {
  return look(inventory(cluster({ nodes: [kubeNode('s1'), kubeNode('a1', changes)] })))
}

test('every rule about a healthy machine passes', () => {
  const healthy = withFacts({})
  for (const rule of [
    'PRE-NODE-NOT-READY',
    'PRE-NODE-CORDONED',
    'PRE-CLOCK',
    'PRE-PENDING-REBOOT',
    'PRE-BOOT-MARKER',
    'PRE-INSTALL',
    'PRE-NODE-PASSWORD',
  ])
    expect([rule, checkResult(healthy, rule)]).toEqual([rule, 'pass'])
})

test('a node that is not Ready', () => {
  expect(of(withNode({ ready: false }), 'PRE-NODE-NOT-READY')[0]?.subject.name).toBe('a1')
})

test('a cordoned node, with the command that undoes it', () => {
  expect(of(withNode({ unschedulable: true }), 'PRE-NODE-CORDONED')[0]?.remediations).toContainEqual({
    type: 'command',
    text: 'kubectl uncordon a1',
  })
})

test.each([
  [-5, 0],
  [5.1, 1],
  [-90, 1],
])('a clock %d s off gives %d findings', (clockOffsetSeconds, count) => {
  expect(of(withFacts({ clockOffsetSeconds }), 'PRE-CLOCK')).toHaveLength(count)
})

test('a clock behind says so', () => {
  expect(of(withFacts({ clockOffsetSeconds: -90.2 }), 'PRE-CLOCK')[0]?.summary).toBe(
    'the clock of a1 is 90 s behind',
  )
})

test('an upgrade that was never booted', () => {
  const components = {
    ...nodeFacts('a1').components,
    k3s: { current: '/k3os/system/k3s/v1.22.2+k3s2', previous: null },
  }
  expect(of(withFacts({ components }), 'PRE-PENDING-REBOOT')[0]?.summary).toBe(
    'a1 runs k3s v1.21.5+k3s2; its next boot starts k3s v1.22.2+k3s2',
  )
})

test('a link with its whole path is the same version', () => {
  const components = { k3s: { current: '/k3os/system/k3s/v1.21.5+k3s2', previous: null } }
  expect(of(withFacts({ components }), 'PRE-PENDING-REBOOT')).toHaveLength(0)
})

test.each([
  ['ephemeral', 'inhibitor'],
  ['factory-reset', 'inhibitor'],
  ['takeover', 'inhibitor'],
  ['growpart', 'medium'],
])('the marker %s is %s', (marker, severity) => {
  const [f] = of(withFacts({ markers: [marker] }), 'PRE-BOOT-MARKER')
  expect(f?.severity).toBe(severity)
  expect(f?.remediations.at(-1)?.text).toContain(`sudo rm /k3os/system/${marker}`)
})

test('a file that is no marker is not one', () => {
  expect(of(withFacts({ markers: ['config.yaml'] }), 'PRE-BOOT-MARKER')).toHaveLength(0)
})

test.each([
  ['live', 'fail', 'inhibitor'],
  ['overlay', 'fail', 'medium'],
  ['unknown', 'error', 'inhibitor'],
] as const)('an installation that is %s', (install, result, severity) => {
  expect(of(withFacts({ install }), 'PRE-INSTALL')[0]).toMatchObject({ result, severity })
})

test.each([
  [false, 'fail'],
  [null, 'error'],
] as const)('a node password that is there: %s', (hasNodePassword, result) => {
  const k3s = { ...nodeFacts('a1').k3s, hasNodePassword }
  expect(of(withFacts({ k3s }), 'PRE-NODE-PASSWORD')[0]?.result).toBe(result)
})

describe('PRE-NODE-PRESSURE', () => {
  test('names all that a node is short of, moved or not', () => {
    const conditions = { Ready: 'True', MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'False' }
    expect(of(withNode({ conditions, osImage: 'Debian 13' }), 'PRE-NODE-PRESSURE')).toMatchObject([
      { severity: 'inhibitor', summary: 'the node a1 says MemoryPressure, DiskPressure' },
    ])
  })

  test('what a dead kubelet no longer says is left to the node not being ready', () => {
    const conditions = { Ready: 'Unknown', MemoryPressure: 'Unknown' }
    const assessment = withNode({ conditions, ready: false })
    expect(of(assessment, 'PRE-NODE-PRESSURE')).toEqual([])
    expect(of(assessment, 'PRE-NODE-NOT-READY')).toHaveLength(1)
  })

  test('is skipped, not passed, for an inventory without conditions', () => {
    const { conditions: _, ...older } = kubeNode('a1')
    const assessment = look(inventory(cluster({ nodes: [kubeNode('s1'), older] })))
    expect(checkResult(assessment, 'PRE-NODE-PRESSURE')).toBe('skip')
  })
})

import { describe, expect, test } from 'vitest'
import type { ConfigVerdict } from '../../../../src/core/assess/context.ts'
import { finding, isInhibitor, type Rule } from '../../../../src/core/findings.ts'
import { checkResult, cluster, inventory, kubeNode, look, machine, of } from './builders.ts'

const unread = { name: 'a1', address: 'a1.example', status: 'error', reason: 'connection refused' } as const

test('a healthy cluster has one finding: its only server', () => {
  expect(look(inventory()).findings.map(({ rule }) => rule)).toEqual(['PRE-SINGLE-SERVER'])
})

describe('a machine that could not be read', () => {
  const assessment = look(inventory(cluster(), [machine('s1'), unread]))

  test('is an inhibitor with the reason', () => {
    const [f] = of(assessment, 'INV-NODE-UNREAD')
    expect(f).toMatchObject({ result: 'error', summary: 'a1 could not be read: connection refused' })
    expect(f && isInhibitor(f)).toBe(true)
  })

  test('keeps checks of machines from passing', () => {
    expect(checkResult(assessment, 'PRE-CLOCK')).toBe('error')
  })

  test('fits nothing that anybody knows of', () => {
    expect(assessment.fit.find(({ node }) => node === 'a1')?.verdict).toBe('unknown')
  })

  test('is counted', () => {
    expect(assessment.summary).toMatchObject({ nodes: 2, nodesRead: 1, inhibitors: 1 })
  })
})

test('failed readings are named', () => {
  const failures = [{ what: 'dmidecode', reason: 'not installed' }]
  const [f] = of(
    look(inventory(cluster(), [machine('s1', { failures }), machine('a1')])),
    'INV-READING-FAILED',
  )
  expect(f).toMatchObject({ severity: 'medium', diagnosis: 'dmidecode: not installed' })
})

describe('the cluster', () => {
  test('that was not asked is an inhibitor, and its checks are skipped', () => {
    const assessment = look(inventory(null))
    expect(of(assessment, 'INV-CLUSTER-UNREAD')).toHaveLength(1)
    expect(checkResult(assessment, 'PRE-UNMANAGED')).toBe('skip')
  })

  test('that did not answer is an inhibitor with the reason', () => {
    const document = { ...inventory(), cluster: { status: 'error', reason: 'x509: expired' } as const }
    expect(of(look(document), 'INV-CLUSTER-UNREAD')[0]?.summary).toContain('x509: expired')
  })

  test('that was read in part does not let its checks pass', () => {
    const assessment = look(inventory(cluster({ failures: [{ what: 'pods', reason: 'forbidden' }] })))
    expect(of(assessment, 'INV-CLUSTER-PARTIAL')[0]).toMatchObject({ result: 'error' })
    expect(checkResult(assessment, 'PRE-UNMANAGED')).toBe('error')
  })
})

describe('configurations', () => {
  const rule: Rule<object> = { severity: 'low', title: 'T', text: () => ({ summary: 'same mistake' }) }
  const mistake = finding(
    'CFG-X',
    rule,
    {},
    { subject: { kind: 'Configuration' }, location: { file: 'f', path: 'a' } },
  )

  test('without a verdict are unknown, an inhibitor', () => {
    expect(of(look(inventory(), { configs: new Map() }), 'INV-CONFIG-UNREAD')).toHaveLength(2)
  })

  test('that k3OS rejects are inhibitors', () => {
    const rejected: ConfigVerdict = { status: 'rejected', reason: 'line 3: not a list', findings: [] }
    const configs = new Map<string, ConfigVerdict>([
      ['s1', rejected],
      ['a1', { status: 'merged', findings: [] }],
    ])
    expect(of(look(inventory(), { configs }), 'INV-CONFIG-REJECTED')[0]?.summary).toContain(
      'line 3: not a list',
    )
  })

  test('with the same mistake on two nodes give two keys', () => {
    const verdict = { status: 'merged', findings: [mistake] } as const
    const configs = new Map([
      ['s1', verdict],
      ['a1', verdict],
    ])
    expect(of(look(inventory(), { configs }), 'CFG-X').map(({ key }) => key)).toEqual([
      'CFG-X:Configuration/a1:a',
      'CFG-X:Configuration/s1:a',
    ])
  })
})

describe('machines and Nodes', () => {
  test('a k3OS Node without a machine is named', () => {
    const facts = cluster({ nodes: [kubeNode('s1'), kubeNode('a1'), kubeNode('a2')] })
    expect(of(look(inventory(facts)), 'INV-NO-MACHINE').map(({ subject }) => subject.name)).toEqual(['a2'])
  })

  test('a Node of another system is only noted', () => {
    const other = kubeNode('d1', { osImage: 'Debian GNU/Linux 13 (trixie)' })
    const assessment = look(inventory(cluster({ nodes: [kubeNode('s1'), kubeNode('a1'), other] })))
    expect(of(assessment, 'INV-NO-MACHINE')).toHaveLength(0)
    expect(of(assessment, 'INV-NOT-K3OS')[0]?.severity).toBe('info')
  })

  test('a machine without a Node is an inhibitor', () => {
    const assessment = look(inventory(cluster({ nodes: [kubeNode('s1')] })))
    expect(of(assessment, 'INV-NO-NODE')[0]).toMatchObject({ severity: 'inhibitor', subject: { name: 'a1' } })
  })

  test('the lower-cased host name leads to the Node too', () => {
    const nodes = [machine('s1'), { ...machine('a1', { hostname: 'A1' }), name: 'shop-front' }]
    expect(of(look(inventory(cluster(), nodes)), 'INV-NO-NODE')).toHaveLength(0)
  })

  test('another system UUID is an inhibitor', () => {
    const facts = cluster({ nodes: [kubeNode('s1'), kubeNode('a1', { systemUuid: 'other' })] })
    expect(of(look(inventory(facts)), 'INV-IDENTITY')[0]).toMatchObject({
      severity: 'inhibitor',
      key: 'INV-IDENTITY:Node/a1:system-uuid',
    })
  })

  test('another boot ID is an inhibitor when the UUID is not known', () => {
    const facts = cluster({ nodes: [kubeNode('s1'), kubeNode('a1', { bootId: 'other', systemUuid: '' })] })
    expect(of(look(inventory(facts)), 'INV-IDENTITY')).toHaveLength(1)
  })

  test('two machines with one UUID are named', () => {
    const same = { systemUuid: '03000200-0400-0500-0006-000700080009' }
    const nodes = [machine('s1', same), machine('a1', same)]
    const facts = cluster({ nodes: [kubeNode('s1', same), kubeNode('a1', same)] })
    const assessment = look(inventory(facts, nodes))
    expect(of(assessment, 'INV-UUID-SHARED')[0]?.summary).toContain('s1 and a1')
    expect(of(assessment, 'INV-IDENTITY')).toHaveLength(0)
  })
})

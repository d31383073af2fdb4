import { describe, expect, test } from 'vitest'
import type { KubeNode, Pod } from '../../../../src/core/inventory.ts'
import { anywhere } from '../../../../src/core/kube-pod.ts'
import type { Assessment } from '../../../../src/core/assessment.ts'
import {
  checkResult,
  cluster,
  inventory,
  kubeNode,
  localPv,
  look,
  machine,
  of,
  pod,
  volume,
} from './builders.ts'

function node(name: string, changes: Partial<KubeNode> = {}): KubeNode {
  return kubeNode(name, { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, ...changes })
}

function drained(pods: readonly Pod[], changes: Parameters<typeof cluster>[0] = {}): Assessment {
  return look(inventory(cluster({ nodes: [node('s1'), node('a1')], pods: [...pods], ...changes })))
}

describe('PRE-CAPACITY', () => {
  test('passes when everything fits', () => {
    const assessment = drained([pod('web', { requests: { cpu: '3', memory: '6Gi' } })])
    expect(checkResult(assessment, 'PRE-CAPACITY')).toBe('pass')
  })

  test('stops a plan for pods that fit nowhere, one finding per controller, with the reason of each node', () => {
    const controller = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5c9f' }
    const pods = ['web-1', 'web-2'].map((name) =>
      pod(name, { controller, requests: { cpu: '1', memory: '9Gi' } }),
    )
    const [f, ...more] = of(drained(pods), 'PRE-CAPACITY')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-CAPACITY:Node/a1:shop/ReplicaSet/web-5c9f',
      severity: 'inhibitor',
      nodes: ['a1'],
      summary:
        'web-1, web-2 of shop (ReplicaSet/web-5c9f) on a1 fit on no other node (s1: memory: needs 9 GiB, 8 GiB free)',
      diagnosis: 'Evicted, they stay Pending until a1 is back. s1: memory: needs 9 GiB, 8 GiB free',
    })
    expect(f?.remediations.map(({ text }) => text)).toContain('kubectl -n shop get pods web-1 web-2 -o wide')
  })

  test('many nodes with the same obstacle are one line', () => {
    const more = Array.from({ length: 20 }, (_, index) => node(`b${index + 10}`))
    const pods = [pod('web', { requests: { memory: '9Gi' } })]
    const [f] = of(drained(pods, { nodes: [node('s1'), node('a1'), ...more] }), 'PRE-CAPACITY')
    expect(f?.diagnosis).toContain('21 nodes as b10: memory: needs 9 GiB, 8 GiB free')
  })

  test('a pod bound by its volume waits: medium, because PRE-LOCALPV asks for the data', () => {
    const db = pod('db-0', { volumes: [volume('persistentVolumeClaim', { claim: 'data-db-0' })] })
    const [f] = of(drained([db], { persistentVolumes: [localPv('pvc-1')] }), 'PRE-CAPACITY')
    expect(f).toMatchObject({
      severity: 'medium',
      summary: 'db-0 of shop (ReplicaSet/db-0-rs) waits for a1: the volume is bound to it',
    })
  })

  test('on the only node of a cluster is high: nothing can be placed anywhere', () => {
    const facts = cluster({ nodes: [node('s1')], pods: [pod('web', { node: 's1' })] })
    const [f] = of(look(inventory(facts, [machine('s1')])), 'PRE-CAPACITY')
    expect(f).toMatchObject({
      severity: 'high',
      summary: 'web of shop (ReplicaSet/web-rs) has no other node than s1',
    })
  })

  test('rules nobody understands are an error, not a pass', () => {
    const scheduling = { ...anywhere, affinity: { nodeAffinity: 'x' } }
    const assessment = drained([pod('web', { scheduling })])
    expect(checkResult(assessment, 'PRE-CAPACITY')).toBe('error')
    expect(of(assessment, 'PRE-CAPACITY')[0]?.summary).toBe(
      'whether web of shop (ReplicaSet/web-rs) on a1 fits elsewhere cannot be told: its affinity or spread rules are not understood',
    )
  })

  test('does not seek a place for what does not come back', () => {
    const pods = [pod('debug', { controller: null, requests: { memory: '9Gi' } })]
    expect(of(drained(pods), 'PRE-CAPACITY')).toEqual([])
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-CAPACITY')).toBe('skip')
  })
})

describe('PRE-HEADROOM', () => {
  const filled = (cpu: string) => [
    pod('web', { requests: { cpu } }),
    pod('there', { node: 's1', requests: { cpu: '1600m' } }),
  ]

  test('passes with 10 % left', () => {
    expect(checkResult(drained(filled('2')), 'PRE-HEADROOM')).toBe('pass')
  })

  test('is medium with less', () => {
    const findings = of(drained(filled('2200m')), 'PRE-HEADROOM')
    expect(findings.map(({ key, severity }) => [key, severity])).toContainEqual([
      'PRE-HEADROOM:Node/a1:cpu',
      'medium',
    ])
    expect(findings[0]?.summary).toBe('while a1 is away, 5 % of cpu is free on the other nodes (200m of 4)')
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-HEADROOM')).toBe('skip')
  })
})

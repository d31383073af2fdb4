import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { plainMachine } from '../../../support/inventory-parts.ts'
import { checkResult, cluster, inventory, look, machine, of } from './builders.ts'

function started(words: string[] | null, changes: Partial<ClusterFacts> = {}): Assessment {
  const service = { ...plainMachine.service, arguments: words }
  return look(
    inventory(
      cluster(changes),
      ['s1', 'a1'].map((name) => machine(name, { service })),
    ),
  )
}

describe('PRE-LADDER-FLAG', () => {
  test('passes when no flag ends', () => {
    expect(checkResult(started(['server', '--disable', 'traefik']), 'PRE-LADDER-FLAG')).toBe('pass')
  })

  test('is one note for all nodes, with the minor', () => {
    const [f, ...more] = of(started(['server', '--no-deploy', 'traefik']), 'PRE-LADDER-FLAG')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-LADDER-FLAG:Cluster:--no-deploy',
      severity: 'info',
      nodes: ['s1', 'a1'],
      summary: '--no-deploy (s1, a1) breaks from k3s v1.26 on',
    })
    expect(f?.remediations.at(-1)?.text).toBe(
      'sudo grep -rlF -e no-deploy /var/lib/rancher/k3os /k3os/system/config.yaml /etc/rancher/k3s',
    )
  })

  test('does not name a fleet node by node', () => {
    const service = { ...plainMachine.service, arguments: ['agent', '--no-flannel'] }
    const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']
    const document = inventory(
      cluster(),
      names.map((name) => machine(name, { service })),
    )
    const [f] = of(look(document), 'PRE-LADDER-FLAG')
    expect(f?.summary).toBe('--no-flannel (a1, a2, a3 and 3 more) breaks from k3s v1.26 on')
    expect(f?.nodes).toEqual(names)
  })

  test('is medium when the version that runs should not take it', () => {
    const words = ['server', '--kubelet-arg', 'bootstrap-checkpoint-path=/x']
    expect(of(started(words), 'PRE-LADDER-FLAG')[0]).toMatchObject({
      severity: 'medium',
      summary: 'kubelet-arg bootstrap-checkpoint-path (s1, a1) breaks from k3s v1.19 on',
    })
  })

  test('is an error where the command line was not read, and stops nothing', () => {
    const assessment = started(null)
    const results = ['PRE-LADDER-FLAG', 'PRE-LADDER-GATE'].map((rule) => checkResult(assessment, rule))
    expect(results).toEqual(['error', 'error'])
    expect(assessment.summary.inhibitors).toBe(0)
  })
})

describe('PRE-LADDER-GATE', () => {
  const gates = (text: string) => started(['server', '--kubelet-arg', `feature-gates=${text}`])

  test('passes without gates that end', () => {
    expect(checkResult(gates('NoSuchGate=true'), 'PRE-LADDER-GATE')).toBe('pass')
  })

  test('names the gate and its minor', () => {
    expect(of(gates('APIListChunking=true'), 'PRE-LADDER-GATE')[0]?.summary).toBe(
      'feature gate APIListChunking=true (s1, a1) breaks from k3s v1.33 on',
    )
  })
})

describe('PRE-LADDER-API', () => {
  test('passes when the cluster serves nothing that ends', () => {
    expect(checkResult(started([], { apiGroups: { apps: ['v1'] } }), 'PRE-LADDER-API')).toBe('pass')
  })

  test('names version, kinds, minor and what to use', () => {
    const apiGroups = { 'networking.k8s.io': ['v1', 'v1beta1'] }
    const [f, ...more] = of(started([], { apiGroups }), 'PRE-LADDER-API')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      severity: 'info',
      summary:
        'networking.k8s.io/v1beta1 (Ingress, IngressClass) ends with k3s v1.22; use networking.k8s.io/v1',
    })
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-LADDER-API')).toBe('skip')
  })
})

import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { UpgradePlan } from '../../../../src/core/inventory.ts'
import { cluster, inventory, kubeNode, look, of } from './builders.ts'

type Expression = NonNullable<UpgradePlan['nodeSelector']>['matchExpressions'][0]

const live: Expression = { key: 'k3os.io/mode', operator: 'NotIn', values: ['live'] }
const present: Expression = { key: 'k3os.io/upgrade', operator: 'Exists', values: [] }
const notDisabled: Expression = { key: 'k3os.io/upgrade', operator: 'NotIn', values: ['disabled'] }
const latest: Expression = { key: 'k3os.io/upgrade', operator: 'In', values: ['latest'] }
const oldLabel: Expression = { key: 'plan.upgrade.cattle.io/k3os-latest', operator: 'Exists', values: [] }

function plan(matchExpressions: Expression[], changes: Partial<UpgradePlan> = {}): UpgradePlan {
  return {
    namespace: 'k3os-system',
    name: 'k3os-latest',
    image: 'rancher/k3os',
    nodeSelector: { matchLabels: {}, matchExpressions },
    ...changes,
  }
}

function withPlan(upgradePlan: UpgradePlan, labels: Record<string, string>): Assessment {
  const nodes = [kubeNode('s1'), kubeNode('a1', { labels: { 'k3os.io/mode': 'local', ...labels } })]
  return look(inventory(cluster({ nodes, upgradePlans: [upgradePlan] })))
}

test.each([
  [
    'v0.11.0 and later',
    [live, present, notDisabled],
    { 'k3os.io/upgrade': 'enabled' },
    'k3os.io/upgrade=disabled --overwrite',
  ],
  ['v0.21.5', [live, latest], { 'k3os.io/upgrade': 'latest' }, 'k3os.io/upgrade=disabled --overwrite'],
  [
    'v0.9.0',
    [live, oldLabel],
    { 'plan.upgrade.cattle.io/k3os-latest': 'x' },
    'plan.upgrade.cattle.io/k3os-latest-',
  ],
])('the Plan of %s is answered with a label that takes the node out', (_, expressions, labels, change) => {
  const [f] = of(withPlan(plan(expressions), labels), 'PRE-UPGRADE-PLAN')
  expect(f?.severity).toBe('inhibitor')
  expect(f?.remediations).toContainEqual({ type: 'command', text: `kubectl label node a1 ${change}` })
})

test('a Plan that no label change answers is saved and removed', () => {
  const [f] = of(withPlan(plan([live]), {}), 'PRE-UPGRADE-PLAN')
  expect(f?.remediations.map(({ text }) => text).slice(1)).toEqual([
    'kubectl -n k3os-system get plans.upgrade.cattle.io k3os-latest -o yaml > k3os-latest-plan.yaml',
    'kubectl -n k3os-system delete plans.upgrade.cattle.io k3os-latest',
  ])
})

test('a node with upgrades disabled is left alone', () => {
  const assessment = withPlan(plan([live, present, notDisabled]), { 'k3os.io/upgrade': 'disabled' })
  expect(of(assessment, 'PRE-UPGRADE-PLAN')).toHaveLength(0)
})

test('a Plan without selector selects nothing', () => {
  expect(of(withPlan(plan([], { nodeSelector: null }), {}), 'PRE-UPGRADE-PLAN')).toHaveLength(0)
})

test('a Plan for something else is high', () => {
  const other = plan([live], { name: 'kernel-reboot', image: 'example/reboot' })
  expect(of(withPlan(other, {}), 'PRE-UPGRADE-PLAN')[0]?.severity).toBe('high')
})

test('a selector nobody can read is not "selects nothing"', () => {
  const assessment = withPlan(plan([{ key: 'x', operator: 'Gt', values: ['1'] }]), {})
  expect(of(assessment, 'INV-CLUSTER-PARTIAL')[0]?.result).toBe('error')
})

describe('with a plan that moves nodes', () => {
  const labels = { 'k3os.io/mode': 'local', 'k3os.io/upgrade': 'latest' }
  const nodes = [kubeNode('a1', { labels }), kubeNode('a2', { labels })]
  const severity = (expressions: Expression[], upgradesOff: readonly string[]) => {
    const settled = { deleteEmptyDir: false, abandonPods: [], keptData: new Map(), upgradesOff }
    const document = inventory(cluster({ nodes, upgradePlans: [plan(expressions)] }))
    return of(look(document, { settled }), 'PRE-UPGRADE-PLAN')[0]?.severity
  }

  test('its run takes them out, and nothing is in the way', () => {
    expect(severity([live, latest], ['a1', 'a2'])).toBe('low')
  })

  test('a node that it does not move stays in the way', () => {
    expect(severity([live, latest], ['a1'])).toBe('inhibitor')
  })

  test('a Plan that no label answers stays in the way', () => {
    expect(severity([live], ['a1', 'a2'])).toBe('inhibitor')
  })
})

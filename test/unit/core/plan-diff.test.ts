import { describe, expect, it } from 'vitest'
import { diffPlans } from '../../../src/core/plan-diff.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { plan } from '../output/report/builders.ts'

function without(made: Plan, name: string): Plan {
  return { ...made, nodes: made.nodes.filter((node) => node.name !== name) }
}

describe('the difference of two plans', () => {
  it('is nothing for the same plan', () => {
    expect(diffPlans(plan(), plan())).toEqual([])
  })

  it('names what holds for all nodes', () => {
    const policy = { ...plan().policy, maxAgeHours: 48 }
    expect(diffPlans(plan(), plan({ policy }))).toEqual([
      { node: null, what: 'may be applied for', before: '24h', after: '48h' },
    ])
  })

  it('names a node that came and one that went', () => {
    const changes = diffPlans(without(plan(), 'a1'), without(plan(), 's1'))
    expect(changes.filter(({ what }) => what === 'node')).toEqual([
      { node: 'a1', what: 'node', before: null, after: 'in the plan' },
      { node: 's1', what: 'node', before: 'in the plan', after: null },
    ])
  })

  it('names what changed on a node, and only there', () => {
    const made = plan()
    const nodes = made.nodes.map((node) =>
      node.name === 'a1'
        ? {
            ...node,
            fingerprint: { ...node.fingerprint, config: { '/proc/cmdline': 'new' } },
            soakMs: 60_000,
          }
        : node,
    )
    expect(diffPlans(made, plan({ nodes }))).toEqual([
      { node: 'a1', what: 'watched', before: '0s', after: '1m' },
      { node: 'a1', what: 'configuration /proc/cmdline', before: null, after: 'new' },
    ])
  })

  it('names the new place of a node', () => {
    const made = plan()
    const changes = diffPlans(made, plan({ nodes: made.nodes.toReversed() }))
    expect(changes).toContainEqual({ node: 's1', what: 'place', before: '3 of 3', after: '1 of 3' })
  })
})

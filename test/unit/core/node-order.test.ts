import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderNodes, type NodeToOrder } from '../../../src/core/node-order.ts'

function node(name: string, changes: Partial<NodeToOrder> = {}): NodeToOrder {
  const role = name.startsWith('s') ? 'server' : 'agent'
  return {
    name,
    role,
    datastore: role === 'server' ? 'etcd' : 'none',
    hasLocalData: false,
    evictions: 1,
    localBytes: 0,
    last: false,
    ...changes,
  }
}

function names(nodes: readonly NodeToOrder[], servers = 3): string[] {
  return orderNodes(nodes, servers).map(({ node: { name } }) => name)
}

describe('the order', () => {
  it('begins with the agent that has the least to lose and ends with the servers', () => {
    const nodes = [
      node('s1'),
      node('a-data', { hasLocalData: true, evictions: 0, localBytes: 5 }),
      node('a-busy', { evictions: 9 }),
      node('a-idle', { evictions: 0 }),
      node('a-more-data', { hasLocalData: true, evictions: 0, localBytes: 500 }),
    ]
    expect(names(nodes)).toEqual(['a-idle', 'a-busy', 'a-data', 'a-more-data', 's1'])
  })

  it('puts what the user wants last after all others of its role', () => {
    expect(
      names([node('s1', { last: true }), node('s2', { evictions: 50 }), node('s3', { evictions: 60 })]),
    ).toEqual(['s2', 's3', 's1'])
  })

  it('is the same whatever the order of the input', () => {
    const nodes = fc.array(
      fc.record({
        role: fc.constantFrom('server' as const, 'agent' as const),
        evictions: fc.nat(3),
        localBytes: fc.nat(2),
        hasLocalData: fc.boolean(),
        last: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(nodes, (shapes) => {
        const all = shapes.map((shape, index) => node(`n${index}`, shape))
        expect(names(all.toReversed())).toEqual(names(all))
      }),
    )
  })
})

describe('the canary', () => {
  it('is the first node and says so', () => {
    const [first, second] = orderNodes([node('a1'), node('a2', { evictions: 4 }), node('s1')], 1)
    expect(first).toMatchObject({
      canary: true,
      why: 'canary: an agent with the least to lose, 1 pod to move',
    })
    expect(second?.canary).toBe(false)
  })

  it('is a server where there are no agents', () => {
    const [first] = orderNodes([node('s1'), node('s2')], 2)
    expect(first?.canary).toBe(true)
    expect(first?.why).toContain('there is no agent to go first')
  })

  it('does not exist where there is only one machine, and a rehearsal is asked for instead', () => {
    const [only] = orderNodes([node('s1', { datastore: 'sqlite' })], 1)
    expect(only).toMatchObject({
      canary: false,
      why: 'the only server: last, the API is away meanwhile; no canary goes before it: rehearse it first',
    })
  })
})

it('says of a single server that the API is away, also when agents go before it', () => {
  expect(orderNodes([node('a1'), node('s1')], 1).at(-1)?.why).toBe(
    'the only server: last, the API is away meanwhile',
  )
})

it('says of one of several servers that the others keep the quorum', () => {
  expect(orderNodes([node('a1'), node('s1')], 3).at(-1)?.why).toContain('the other members keep the quorum')
})

import { compareText } from './findings.ts'

/** What the order of nodes depends on (rolling-migration 2.2). */
export interface NodeToOrder {
  readonly name: string
  readonly role: 'server' | 'agent'
  /** `etcd`, `sqlite`, … of a server. */
  readonly datastore: string
  /** Volumes bound to its disk: more to prepare, and more to lose. */
  readonly hasLocalData: boolean
  readonly evictions: number
  readonly localBytes: number
  /** The user wants it after all others of its role: the etcd leader, say. */
  readonly last: boolean
}

export interface PlacedNode<N extends NodeToOrder> {
  readonly node: N
  readonly canary: boolean
  readonly why: string
}

/**
 * Smallest blast radius first: agents, those with data on their disk after the others, then servers one by one. The first
 * one is the canary, except where there is only one machine. `servers` counts those of the whole cluster, moved or not.
 * Ties: evictions, bytes, name; the same input gives the same order.
 */
export function orderNodes<N extends NodeToOrder>(nodes: readonly N[], servers: number): PlacedNode<N>[] {
  const ordered = nodes.toSorted(
    (a, b) =>
      Number(a.role === 'server') - Number(b.role === 'server') ||
      Number(a.last) - Number(b.last) ||
      Number(a.hasLocalData) - Number(b.hasLocalData) ||
      a.evictions - b.evictions ||
      a.localBytes - b.localBytes ||
      compareText(a.name, b.name),
  )
  return ordered.map((node, place) => {
    const canary = place === 0 && nodes.length > 1
    return { node, canary, why: whyHere(node, canary, nodes, servers) }
  })
}

function whyHere(node: NodeToOrder, canary: boolean, all: readonly NodeToOrder[], servers: number): string {
  const pods = `${node.evictions} ${node.evictions === 1 ? 'pod' : 'pods'} to move`
  const data = node.hasLocalData ? ', keeps data on its disk' : ''
  const alone = all.length === 1 ? '; no canary goes before it: rehearse it first' : ''
  if (node.role === 'server' && servers === 1)
    return `the only server: last, the API is away meanwhile${alone}`
  const last = node.last ? ', last as asked' : ''
  if (node.role === 'server') {
    const first = canary ? 'canary: there is no agent to go first; a server' : 'a server, after the agents'
    // Who leads can change at any time, and a leader that stops hands over within seconds.
    const etcd = node.datastore === 'etcd' ? ', the other members keep the quorum' : ''
    return `${first}${last}, ${pods}${data}${etcd}${alone}`
  }
  if (canary) return `canary: an agent with the least to lose, ${pods}${data}`
  return `agent${node.hasLocalData ? ' with data, after those without' : ''}${last}, ${pods}${alone}`
}

import { describe, expect, it } from 'vitest'
import { softTaint } from '../../../src/core/plan-fingerprint.ts'
import { blockedScenario, simulate, smallScenario } from '../../support/simulated-run.ts'

describe('a run steers pods', () => {
  it('away from nodes that are still to move, and lets them back when a node is done', async () => {
    const simulated = simulate(smallScenario())
    const seen: Record<string, string[]> = {}
    const evict = simulated.ports.kube.evict.bind(simulated.ports.kube)
    simulated.ports.kube.evict = async (pod, signal, how) => {
      const nodes = [...simulated.world.nodes.values()].map((node) => simulated.world.kubeNode(node))
      const place = simulated.world.pods.find(({ uid }) => uid === pod.uid)?.node ?? ''
      seen[place] = nodes
        .filter(({ taints }) => taints.some(({ key }) => key === softTaint))
        .map(({ name }) => name)
      return evict(pod, signal, how)
    }
    await simulated.start()
    expect(seen).toMatchObject({ a: ['s', 'b'], b: ['s', 'b'] })
    const left = [...simulated.world.nodes.values()].flatMap(({ kube }) => kube.taints.map(({ key }) => key))
    expect(left).not.toContain(softTaint)
  })

  it('so that none moves more often than its own node does', async () => {
    const scenario = smallScenario()
    const [web] = scenario.workloads
    if (web !== undefined) web.on = ['a', 'a', 'a', 'b', 'b', 's']
    const simulated = simulate(scenario)
    const evict = simulated.ports.kube.evict.bind(simulated.ports.kube)
    const evicted = new Set<string>()
    simulated.ports.kube.evict = async (pod, signal, how) => {
      const answer = await evict(pod, signal, how)
      if (answer.status === 'accepted') evicted.add(pod.uid)
      return answer
    }
    await simulated.start()
    const placed = [...simulated.world.moves.values()].reduce((sum, count) => sum + count, 0)
    expect(placed).toBe(evicted.size)
  })

  it('and takes every taint back when the node is rolled back', async () => {
    const simulated = simulate(blockedScenario())
    await simulated.start()
    const taints = [...simulated.world.nodes.values()].flatMap(({ kube }) =>
      kube.taints.map(({ key }) => key),
    )
    expect(taints).not.toContain(softTaint)
  })

  it('but leaves the taint of another run alone', async () => {
    const simulated = simulate(blockedScenario())
    const other = { key: softTaint, value: 'another-run', effect: 'PreferNoSchedule' }
    const node = simulated.world.node('b')
    node?.kube.taints.push(other)
    await simulated.start()
    expect(node?.kube.taints).toContainEqual(other)
  })
})

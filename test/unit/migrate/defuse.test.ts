import { describe, expect, test } from 'vitest'
import { matchesSelector } from '../../../src/core/selector.ts'
import { abandonRun } from '../../../src/migrate/abandon.ts'
import type { Scenario } from '../../../src/simulation/scenario.ts'
import {
  blockedScenario,
  Killed,
  simulate,
  smallScenario,
  type Simulated,
} from '../../support/simulated-run.ts'

/** All nodes are k3OS's own Plan's to upgrade. */
function upgrading(scenario: Scenario): Scenario {
  const nodes = scenario.nodes.map((node) => ({
    ...node,
    labels: { ...node.labels, 'k3os.io/upgrade': 'latest' },
  }))
  return { ...scenario, nodes }
}

const nodesOf = ({ world }: Simulated) => [...world.nodes.values()].map((node) => world.kubeNode(node))
const before = nodesOf(simulate(upgrading(smallScenario())))

/** Names of the nodes that the Plan selects now. */
function selected({ world }: Simulated): string[] {
  const selector = world.source.upgradePlans[0]?.nodeSelector
  if (selector === undefined || selector === null) throw new Error('the scenario has no upgrade Plan')
  return nodesOf({ world } as Simulated)
    .filter(({ labels }) => matchesSelector(labels, selector))
    .map(({ name }) => name)
}

describe('upgrades by k3OS itself', () => {
  test('threaten every node of this cluster', () => {
    expect(selected(simulate(upgrading(smallScenario())))).toEqual(['s', 'a', 'b'])
  })

  test('are kept away from all nodes before the first one is cordoned', async () => {
    const simulated = simulate(upgrading(smallScenario()))
    const atCordon: string[][] = []
    const push = simulated.journal.push.bind(simulated.journal)
    simulated.journal.push = (...records) => {
      if (records.some(({ step, phase }) => step === 'cordon' && phase === 'intent'))
        atCordon.push(selected(simulated))
      return push(...records)
    }
    await simulated.start({ limit: 1 })
    expect(atCordon).toEqual([[]])
  })

  test('leave nothing behind on nodes that are done', async () => {
    const simulated = simulate(upgrading(smallScenario()))
    const { error } = await simulated.start()
    const left = nodesOf(simulated).flatMap(({ labels, annotations }) =>
      [...Object.keys(labels), ...Object.keys(annotations)].filter((key) => /k3os/.test(key)),
    )
    expect([error, left]).toEqual([null, []])
  })

  test('do not make the plan stale for a node whose label the run itself has changed', async () => {
    const simulated = simulate(upgrading(smallScenario()))
    await simulated.start({ limit: 1 })
    expect((await simulated.start({ limit: 1 })).error).toBeNull()
  })

  test('are allowed again on every node when the first one is rolled back', async () => {
    const simulated = simulate(upgrading(blockedScenario()))
    await simulated.start()
    expect(nodesOf(simulated)).toEqual(before)
  })

  test('are allowed again on nodes still to move when the run is given up between two nodes', async () => {
    const simulated = simulate(upgrading(smallScenario()))
    await simulated.start({ limit: 1 })
    await simulated.start({ act: async (job) => abandonRun(job, []) })
    const still = (nodes: typeof before) => nodes.filter(({ name }) => name !== 'a')
    expect(still(nodesOf(simulated))).toEqual(still(before))
  })

  test('stay as somebody has set them since', async () => {
    const simulated = simulate(upgrading(smallScenario()))
    await simulated.start({ limit: 1 })
    const node = simulated.world.node('b')
    if (node !== undefined) node.kube.labels['k3os.io/upgrade'] = 'mine'
    await simulated.start({ act: async (job) => abandonRun(job, []) })
    expect(node?.kube.labels['k3os.io/upgrade']).toBe('mine')
  })

  test('cost no change where no Plan selects a node', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const actions = simulated.events.filter((event) => event.type === 'action' && event.step === 'defuse')
    expect(actions).toEqual([])
  })

  test('are kept away in the end whenever the process is killed', async () => {
    const whole = simulate(upgrading(smallScenario()))
    await whole.start()
    const ends = whole.journal.flatMap(({ step }, place) => (step === 'defuse' ? [place, place + 1] : []))
    for (const killAfter of ends) {
      const simulated = simulate(upgrading(smallScenario()))
      await expect(simulated.start({ killAfter })).rejects.toBeInstanceOf(Killed)
      await simulated.start()
      expect(nodesOf(simulated).map(({ labels }) => labels)).toEqual(
        nodesOf(whole).map(({ labels }) => labels),
      )
    }
  })
})

import { describe, expect, test } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { run } from '../../../src/migrate/runner.ts'
import { blockedScenario, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

/** Only `a`, whose drain the budget does not let end. */
function withPolicy(policy: Partial<Plan['policy']>) {
  return (plan: Plan): Plan => ({
    ...plan,
    nodes: plan.nodes.filter(({ name }) => name === 'a'),
    policy: { ...plan.policy, ...policy },
  })
}

const kubeNode = ({ world }: Simulated, name: string) => {
  const node = world.node(name)
  if (node === undefined) throw new Error(`no node ${name}`)
  return world.kubeNode(node)
}

describe('a drain that fails', () => {
  test('leaves nothing behind when the plan says uncordon', async () => {
    const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'uncordon' }))
    const { exit } = await simulated.start()
    expect([exit, kubeNode(simulated, 'a').unschedulable]).toEqual([exitCode.blocked, false])
  })

  describe('when the plan says pause', () => {
    test('leaves the node cordoned and says so, with both ways on', async () => {
      const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'pause' }))
      const { error } = await simulated.start()
      expect(kubeNode(simulated, 'a').unschedulable).toBe(true)
      expect(error).toMatchObject({
        exitCode: exitCode.blocked,
        message: expect.stringMatching(/shop.*a stays cordoned, as the plan says$/),
        hint: expect.stringMatching(/resume run-1, or .*abandon run-1$/),
      })
    })

    test('goes on with the drain when resumed, without beginning the node anew', async () => {
      const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'pause' }))
      await simulated.start()
      simulated.world.scaleUp('shops', 'web')
      const { error } = await simulated.start()
      expect(error).toBeNull()
      expect(nodeState(replay(simulated.journal), 'a')).toMatchObject({ attempt: 1, phase: 'done' })
    })

    test('takes the pods as they are then: one that came meanwhile goes too', async () => {
      const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'pause' }))
      await simulated.start()
      const { world } = simulated
      const first = world.pods.find(({ name, node }) => name.startsWith('web-') && node === 'a')
      if (first === undefined) throw new Error('no pod to take the place of')
      world.pods.push({ ...structuredClone(first), name: 'web-late', uid: 'late' })
      world.scaleUp('shops', 'web')
      world.scaleUp('shops', 'web')
      const { error } = await simulated.start()
      expect(error).toBeNull()
      expect(world.pods.some(({ uid, node }) => uid === 'late' && node === 'a')).toBe(false)
    })

    test('is no failure of a node that is done in the end', async () => {
      const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'pause' }))
      await simulated.start()
      simulated.world.scaleUp('shops', 'web')
      await simulated.start()
      expect(nodeState(replay(simulated.journal), 'a').failure).toBeNull()
    })
  })
})

describe('a drain that fails when the plan leaves it open', () => {
  const start = async (attended: boolean | undefined) => {
    const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'auto' }))
    const { error } = await simulated.start({
      act: async (job) => run({ ...job, ...(attended === undefined ? {} : { attended }) }),
    })
    const started = simulated.journal.find(({ data }) => data['event'] === 'start')
    return {
      cordoned: kubeNode(simulated, 'a').unschedulable,
      written: started?.data['onDrainFailure'],
      said: error?.message,
    }
  }

  test('leaves the node cordoned where somebody is at the terminal, and writes that down', async () => {
    expect(await start(true)).toEqual({
      cordoned: true,
      written: 'pause',
      said: expect.stringMatching(/a stays cordoned, as somebody is at this terminal$/),
    })
  })

  test.each([[false], [undefined]])('leaves nothing behind where nobody is (%s)', async (attended) => {
    expect(await start(attended)).toEqual({
      cordoned: false,
      written: 'uncordon',
      said: expect.stringMatching(/a is as it was before$/),
    })
  })

  test('is undone by a process without a terminal after one at a terminal', async () => {
    const simulated = simulate(blockedScenario(), withPolicy({ onDrainFailure: 'auto' }))
    await simulated.start({ act: async (job) => run({ ...job, attended: true }) })
    await simulated.start()
    expect(kubeNode(simulated, 'a').unschedulable).toBe(false)
  })
})

describe('a drain in the manner of kubectl', () => {
  test('moves a node as the strict one does', async () => {
    const simulated = simulate(smallScenario(), withPolicy({ drainMode: 'kubectl' }))
    const { error } = await simulated.start()
    expect(error).toBeNull()
    expect(nodeState(replay(simulated.journal), 'a').phase).toBe('done')
  })

  test('gives up at the first error of a request, where the strict one asks again', async () => {
    const failing = async (drainMode: Plan['policy']['drainMode']) => {
      const simulated = simulate(smallScenario(), withPolicy({ drainMode }))
      let asked = 0
      const evict = simulated.ports.kube.evict.bind(simulated.ports.kube)
      simulated.ports.kube.evict = async (pod, signal, how) => {
        asked += 1
        if (asked === 1)
          throw new MigrateError('leader changed', { exitCode: exitCode.blocked, transient: true })
        return evict(pod, signal, how)
      }
      return (await simulated.start()).exit
    }
    expect([await failing('kubectl'), await failing('strict')]).toEqual([exitCode.blocked, exitCode.ok])
  })

  test('evicts only pods that were written down before', async () => {
    const simulated = simulate(smallScenario(), withPolicy({ drainMode: 'kubectl' }))
    const evicted: string[] = []
    const { kube } = simulated.ports
    const evict = kube.evict.bind(kube)
    kube.evict = async (pod, signal, how) => {
      evicted.push(pod.uid)
      return evict(pod, signal, how)
    }
    await simulated.start()
    const drain = nodeState(replay(simulated.journal), 'a').steps.get('drain')
    const planned = drain?.intent['evict']
    expect(planned).toMatchObject([...new Set(evicted)].map((uid) => ({ uid })))
  })
})

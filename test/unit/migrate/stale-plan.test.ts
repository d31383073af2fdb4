import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

describe('a plan that is not what it was', () => {
  it('refuses a node whose configuration was edited meanwhile, and names the file', async () => {
    const simulated = simulate(smallScenario(), (plan) => ({
      ...plan,
      nodes: plan.nodes.map((node) => ({
        ...node,
        fingerprint: {
          ...node.fingerprint,
          config: { ...node.fingerprint.config, '/proc/cmdline': 'other' },
        },
      })),
    }))
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.stalePlan)
    expect(error?.message).toContain('configuration /proc/cmdline')
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(false)
  })

  it('survives its own partial execution: nodes that are done and pods that moved do not count', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const { error } = await simulated.start()
    expect(error).toBeNull()
  })

  it('refuses only the node that changed, when its turn comes', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const node = simulated.world.node('b')
    if (node) node.kube.labels['example.org/rack'] = 'elsewhere'
    const { error } = await simulated.start()
    expect(error?.message).toContain('the plan is stale for b: labels changed')
    expect(nodeState(replay(simulated.journal), 'a').phase).toBe('done')
  })
})

describe('a node that died after it was done', () => {
  async function goOnWith(ready: (afterMs: number) => boolean) {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const { world } = simulated
    const sinceMs = world.clock.monotonicMs()
    const nodes = simulated.ports.reader.nodes.bind(simulated.ports.reader)
    simulated.ports.reader.nodes = async (signal) =>
      (await nodes(signal)).map((node) =>
        node.name === 'a' ? { ...node, ready: ready(world.clock.monotonicMs() - sinceMs) } : node,
      )
    return { simulated, result: await simulated.start({ limit: 1 }) }
  }

  it('keeps the next one from being touched, with exit 9 and its name', async () => {
    const { simulated, result } = await goOnWith(() => false)
    expect(result.error).toMatchObject({
      exitCode: exitCode.blocked,
      message: expect.stringContaining('not Ready: a'),
    })
    expect(simulated.world.node('b')?.kube).toMatchObject({ unschedulable: false, annotations: {} })
  })

  it('is waited for when it comes back soon', async () => {
    const { result } = await goOnWith((afterMs) => afterMs > 60_000)
    expect(result.error).toBeNull()
  })
})

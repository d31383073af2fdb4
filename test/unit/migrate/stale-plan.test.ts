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

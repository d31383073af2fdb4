import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

describe('watching a node that is back', () => {
  it('takes the time of the plan', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const soak = nodeState(replay(simulated.journal), 'a').steps.get('soak')
    expect(Date.parse(soak?.endedAt ?? '') - Date.parse(soak?.startedAt ?? '')).toBe(120_000)
  })

  it('ends with exit 11 when it does not stay well, and the next node is not touched', async () => {
    const simulated = simulate(smallScenario())
    simulated.world.trouble.turnsSick.add('a')
    const { error } = await simulated.start()
    expect(error).toMatchObject({
      exitCode: exitCode.postCheckFailed,
      message: 'a does not stay well after its move: it is not Ready',
    })
    expect(nodeState(replay(simulated.journal), 'b').phase).toBe('pending')
  })

  it('bears one bad look', async () => {
    const simulated = simulate(smallScenario())
    let looks = 0
    const heartbeatAgeSeconds = simulated.ports.kube.heartbeatAgeSeconds.bind(simulated.ports.kube)
    simulated.ports.kube.heartbeatAgeSeconds = async (name, signal) => {
      looks += 1
      return looks === 5 ? 300 : heartbeatAgeSeconds(name, signal)
    }
    const { error } = await simulated.start({ limit: 1 })
    expect(looks).toBeGreaterThan(5)
    expect(error).toBeNull()
  })
})

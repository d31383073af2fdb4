import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { offsetAt } from '../../../src/core/time-zone.ts'
import { parseWindow } from '../../../src/core/windows.ts'
import { Killed, simulate, smallScenario } from '../../support/simulated-run.ts'

describe('a maintenance window', () => {
  /** The simulated run begins on a Tuesday at 08:00 UTC; the worst case of a node is 66 minutes. */
  const withWindow = (text: string) => {
    const { days, ...window } = parseWindow(text, offsetAt)
    return (plan: Plan): Plan => ({
      ...plan,
      policy: { ...plan.policy, windows: [{ ...window, days: [...days] }] },
    })
  }

  it('that is closed keeps the run from touching anything', async () => {
    const simulated = simulate(smallScenario(), withWindow('daily 22:00-04:00 UTC'))
    const { error } = await simulated.start()
    expect(error).toMatchObject({
      exitCode: exitCode.blocked,
      message: 'a is not begun: no maintenance window is open; the next chance is Tue 2026-11-24 22:00 UTC',
    })
    expect(simulated.journal.filter(({ node }) => node !== null)).toEqual([])
  })

  it('that closes before the worst case would be over is as good as closed', async () => {
    const simulated = simulate(smallScenario(), withWindow('daily 07:00-09:00 UTC'))
    const { error } = await simulated.start()
    expect(error?.message).toContain('the maintenance window closes at Tue 2026-11-24 09:00 UTC')
    expect(error?.exitCode).toBe(exitCode.blocked)
  })

  it('too short for any node says that it will never do', async () => {
    const simulated = simulate(smallScenario(), withWindow('daily 07:30-08:30 UTC'))
    const { error } = await simulated.start()
    expect(error?.message).toContain('no window is ever open for 66 minutes')
  })

  it('that runs out during a slow drain stops before the disk is touched, and everything is undone', async () => {
    const simulated = simulate(smallScenario(), withWindow('daily 07:00-09:10 UTC'))
    const evict = simulated.ports.kube.evict.bind(simulated.ports.kube)
    // Busy until 08:09; the disk may be written until 08:04 at the latest.
    simulated.ports.kube.evict = async (pod, signal, how) =>
      simulated.world.clock.monotonicMs() < 9 * 60_000
        ? { status: 'throttled', message: 'busy', retryAfterMs: 30_000 }
        : evict(pod, signal, how)
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.blocked)
    expect(error?.message).toContain('the maintenance window closes')
    expect(simulated.world.node('a')).toMatchObject({ system: 'k3os', kube: { unschedulable: false } })
    expect(nodeState(replay(simulated.journal), 'a').phase).toBe('rolled-back')
  })

  it('that closed while a node was being rebuilt does not keep it from being finished', async () => {
    const simulated = simulate(smallScenario(), withWindow('daily 07:00-09:10 UTC'))
    const whole = simulate(smallScenario(), withWindow('daily 07:00-09:10 UTC'))
    await whole.start({ limit: 1 })
    const killAfter = whole.journal.findIndex(({ step, phase }) => step === 'reimage' && phase === 'result')
    await expect(simulated.start({ killAfter })).rejects.toThrow(Killed)
    await simulated.world.clock.sleep(4 * 3_600_000, new AbortController().signal)
    await simulated.start({ limit: 1 })
    expect(nodeState(replay(simulated.journal), 'a')).toMatchObject({ phase: 'done', attempt: 1 })
  })
})

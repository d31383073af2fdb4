import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import type { StepId } from '../../../src/core/plan.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

/** Only `b`, on whose disk the volume of `till` is. */
const onlyB = () =>
  simulate(smallScenario(), (plan) => ({ ...plan, nodes: plan.nodes.filter(({ name }) => name === 'b') }))

/** Does something to the world soon after a step has ended: pods that start then are ready by now. */
function after(simulated: Simulated, step: StepId, act: () => void): void {
  const { clock } = simulated.world
  const append = simulated.journal.push.bind(simulated.journal)
  simulated.journal.push = (...records) => {
    if (records.some((record) => record.step === step && record.phase === 'result'))
      clock.at(clock.monotonicMs() + 12_000, act)
    return append(...records)
  }
}

const till = ({ world }: Simulated) => {
  const pod = world.pods.find(({ name, terminating }) => name === 'till-0' && !terminating)
  if (pod === undefined) throw new Error('there is no till-0')
  return pod
}

const stepOf = ({ journal }: Simulated, step: StepId) => nodeState(replay(journal), 'b').steps.get(step)

describe('claims of the pods of a moved node', () => {
  it('are written down before, and named when they are waited for', async () => {
    const simulated = onlyB()
    const { error } = await simulated.start()
    expect([error, stepOf(simulated, 'capture')?.intent['claims']]).toEqual([null, ['shops/data-till-0']])
    const said = simulated.events.flatMap((event) =>
      event.type === 'action' && event.step === 'workloads' ? [event.describe] : [],
    )
    expect(said).toEqual([
      expect.stringMatching(/as many ready pods as before and shops\/data-till-0 is still bound$/),
    ])
  })

  it('that lost their volume stop the run, though every pod is ready', async () => {
    const simulated = onlyB()
    after(simulated, 'release', () => simulated.world.trouble.lostClaims.add('shops/data-till-0'))
    const { error } = await simulated.start()
    expect(error).toMatchObject({
      exitCode: exitCode.postCheckFailed,
      message: expect.stringContaining('the claim shops/data-till-0 is Lost, and was Bound before'),
    })
    expect(stepOf(simulated, 'workloads')?.outcome).toBe('failed')
  })

  it('are watched afterwards too', async () => {
    const simulated = onlyB()
    after(simulated, 'workloads', () => simulated.world.trouble.lostClaims.add('shops/data-till-0'))
    const { error } = await simulated.start()
    expect(error?.message).toBe(
      'b does not stay well after its move: the claim shops/data-till-0 is Lost, and was Bound before',
    )
  })

  it('that were lost before are not blamed on the move', async () => {
    const simulated = onlyB()
    simulated.world.trouble.lostClaims.add('shops/data-till-0')
    expect((await simulated.start()).error).toBeNull()
  })
})

describe('containers on a moved node', () => {
  const restart = (simulated: Simulated, times: number) => () =>
    void simulated.world.trouble.restarts.set(till(simulated).uid, times)

  it('that keep being restarted stop the run, though they are ready at each look', async () => {
    const simulated = onlyB()
    after(simulated, 'uncordon', restart(simulated, 4))
    const { error } = await simulated.start()
    expect(error).toMatchObject({
      exitCode: exitCode.postCheckFailed,
      message: expect.stringContaining(
        'the container main of shops/till-0 was restarted 4 times since the node takes pods again, last because of Error',
      ),
    })
  })

  it('are watched afterwards too', async () => {
    const simulated = onlyB()
    after(simulated, 'workloads', restart(simulated, 5))
    const { error } = await simulated.start()
    expect(error?.message).toContain(
      'b does not stay well after its move: the container main of shops/till-0 was restarted 5 times',
    )
  })

  it('may start a few times until what they need is there', async () => {
    const simulated = onlyB()
    after(simulated, 'uncordon', restart(simulated, 3))
    expect((await simulated.start()).error).toBeNull()
  })

  it('count from when the node takes pods again', async () => {
    const simulated = onlyB()
    after(simulated, 'release', restart(simulated, 40))
    expect((await simulated.start()).error).toBeNull()
  })

  it('that were mended do not stop a run that is resumed', async () => {
    const simulated = onlyB()
    after(simulated, 'workloads', restart(simulated, 5))
    await simulated.start()
    expect((await simulated.start()).error).toBeNull()
  })
})

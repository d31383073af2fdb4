import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { abandonedAt, nodeState, replay } from '../../../src/core/run-state.ts'
import { abandonRun } from '../../../src/migrate/abandon.ts'
import { Killed, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

type IsIt = (record: JournalRecord) => boolean
const resultOf =
  (wanted: string, of = 'a'): IsIt =>
  ({ node, step, phase }) =>
    node === of && step === wanted && phase === 'result'

/** The process dies right after this record. */
async function killAfter(simulated: Simulated, isIt: IsIt): Promise<void> {
  const whole = simulate(smallScenario())
  await whole.start()
  const records = whole.journal.findIndex(isIt) + 1
  await expect(simulated.start({ killAfter: records })).rejects.toBeInstanceOf(Killed)
}

const abandon = async (simulated: Simulated, ...leave: readonly string[]) =>
  simulated.start({ act: async (job) => abandonRun(job, leave) })

const nodesOf = ({ world }: Simulated) => [...world.nodes.values()].map((node) => world.kubeNode(node))
const before = nodesOf(simulate(smallScenario()))

describe('a run that is given up', () => {
  it.each(['check', 'stage', 'steer', 'cordon', 'drain', 'fingerprint'])(
    'after %s, leaves every node as it was',
    async (step) => {
      const simulated = simulate(smallScenario())
      await killAfter(simulated, resultOf(step))
      const { error } = await abandon(simulated)
      expect([error, nodesOf(simulated), [...simulated.files.keys()]]).toEqual([null, before, []])
    },
  )

  it('in the middle of its own undo, finishes that', async () => {
    const simulated = simulate(smallScenario())
    simulated.ports.hook.run = async () => ({ exitCode: 75, tail: 'no' })
    await simulated.start()
    const undone = simulated.journal.findIndex(({ data }) => data['outcome'] === 'undone')
    const again = simulate(smallScenario())
    again.ports.hook.run = async () => ({ exitCode: 75, tail: 'no' })
    await expect(again.start({ killAfter: undone + 1 })).rejects.toBeInstanceOf(Killed)
    const { error } = await abandon(again)
    expect([error, nodesOf(again)]).toEqual([null, before])
  })

  it('between two nodes, takes the taint off those that are still to move', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    await abandon(simulated)
    const [server, , agent] = nodesOf(simulated)
    expect([server?.taints, agent?.taints]).toEqual([before[0]?.taints, before[2]?.taints])
  })

  it('says so in its journal, as the last word', async () => {
    const simulated = simulate(smallScenario())
    await killAfter(simulated, resultOf('cordon'))
    await abandon(simulated)
    expect([abandonedAt(simulated.journal), nodeState(replay(simulated.journal), 'a').phase]).toEqual([
      simulated.journal.at(-1)?.ts,
      'rolled-back',
    ])
  })

  it('after the disk may have been written, is refused with what to do instead', async () => {
    const simulated = simulate(smallScenario())
    await killAfter(simulated, ({ step, phase }) => step === 'reimage' && phase === 'intent')
    const then = nodesOf(simulated)
    const { error } = await abandon(simulated)
    expect(error).toMatchObject({
      exitCode: exitCode.needsOperator,
      message: expect.stringContaining('a is past its point of no return'),
      hint: 'finish it: k3os-migrate resume run-1; or leave it as it is: k3os-migrate abandon run-1 --leave a',
    })
    expect([nodesOf(simulated), abandonedAt(simulated.journal)]).toEqual([then, null])
  })

  it('leaves a node as it is when that is what is wanted, cordoned and marked', async () => {
    const simulated = simulate(smallScenario())
    await killAfter(simulated, resultOf('reimage'))
    const { error } = await abandon(simulated, 'a')
    const [, node, other] = nodesOf(simulated)
    expect([error, node?.unschedulable, node?.annotations, other?.taints]).toEqual([
      null,
      true,
      { 'k3os-migrate/run': 'run-1/1' },
      before[2]?.taints,
    ])
  })

  it('does not take "leave it" for a node that can be undone', async () => {
    const simulated = simulate(smallScenario())
    await killAfter(simulated, resultOf('cordon'))
    expect((await abandon(simulated, 'a')).exit).toBe(exitCode.usage)
    expect(nodesOf(simulated)[1]?.unschedulable).toBe(true)
  })

  it('is not given up when the undo does not work', async () => {
    const simulated = simulate(smallScenario())
    await killAfter(simulated, resultOf('cordon'))
    simulated.ports.kube.patchNode = async () => {}
    const { exit } = await abandon(simulated)
    expect([exit, abandonedAt(simulated.journal)]).toEqual([exitCode.needsOperator, null])
  })
})

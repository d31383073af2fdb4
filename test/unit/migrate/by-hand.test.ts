import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { methods } from '../../../src/core/methods.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { withPerson } from '../../../src/simulation/by-hand.ts'
import { Killed, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

const byHand = (plan: Plan): Plan => ({
  ...plan,
  method: { kind: 'manual', keepsData: true, hasPointOfNoReturn: true },
  nodes: plan.nodes.map((node) => ({
    ...node,
    steps: methods.manual.steps.map((id) => ({ id, title: id, timeoutMs: 600_000 })),
  })),
})

/** `absent` = nodes that nobody comes for. */
function simulateByHand(absent: ReadonlySet<string> = new Set()): Simulated {
  const simulated = simulate(smallScenario(), byHand)
  const { ports } = simulated
  return Object.assign(simulated, {
    ports: Object.assign(ports, { files: withPerson(ports.files, ports.hook, absent) }),
  })
}

const instructions = ({ files }: Simulated, node: string) => files.get(`nodes/${node}/by-hand-1.txt`) ?? ''

describe('a rebuild by hand', () => {
  it('moves every node once somebody has rebuilt it', async () => {
    const simulated = simulateByHand()
    const { error } = await simulated.start()
    expect(error).toBeNull()
    expect([...simulated.world.nodes.values()].map(({ system }) => system)).toEqual(['new', 'new', 'new'])
  })

  it('says which machine, what to keep, what to write and how to go on', async () => {
    const simulated = simulateByHand()
    await simulated.start()
    const text = instructions(simulated, 'b')
    expect(text).toContain('10000000-0000-4000-8000-000000000012')
    expect(text).toContain('b.example')
    expect(text).toMatch(/compared afterwards: .*pvc-1/)
    expect(text).toContain('k3os-migrate resume run-1')
  })

  it('never runs a program', async () => {
    const simulated = simulateByHand(new Set(['a', 'b', 's']))
    let ran = 0
    simulated.ports.hook.run = async () => {
      ran += 1
      return { exitCode: 0, tail: '' }
    }
    await simulated.start()
    expect(ran).toBe(0)
  })

  it('asks for an operator when nobody comes in time, and leaves the node cordoned: somebody may stand before it', async () => {
    const simulated = simulateByHand(new Set(['a']))
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.needsOperator)
    expect(error?.hint).toContain('by-hand-1.txt')
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(true)
  })

  it('waits on in another process, without a second attempt', async () => {
    const absent = new Set(['a'])
    const simulated = simulateByHand(absent)
    await simulated.start()
    absent.clear()
    const { hook, files } = simulated.ports
    await hook.run([], {
      environment: {
        K3OS_MIGRATE_NODE: 'a',
        K3OS_MIGRATE_SEED: `${files.directory}/nodes/a/seed-1`,
        K3OS_MIGRATE_KEEP_DATA: '1',
      },
      onLine: () => {},
      output: '',
      signal: new AbortController().signal,
    })
    const { error } = await simulated.start()
    expect(error).toBeNull()
    expect(nodeState(replay(simulated.journal), 'a')).toMatchObject({ phase: 'done', attempt: 1 })
  })

  it('says again what to do when it was killed before it was written down', async () => {
    const simulated = simulateByHand()
    const { error } = await (async () => {
      const intent = () =>
        simulated.journal.some(({ step, phase }) => step === 'hand-over' && phase === 'intent')
      for (let killAfter = 1; !intent(); killAfter += 1)
        await simulated.start({ killAfter, limit: 1 }).catch((thrown: unknown) => {
          if (!(thrown instanceof Killed)) throw thrown
        })
      return simulated.start()
    })()
    expect(error).toBeNull()
    expect(instructions(simulated, 'a')).toContain('Rebuild a (agent)')
  })

  it('is undone like any other before it is handed over', async () => {
    const simulated = simulateByHand()
    const node = simulated.world.node('a')
    const append = simulated.journal.push.bind(simulated.journal)
    simulated.journal.push = (...records) => {
      const quiet = records.some(({ step, phase }) => step === 'fingerprint' && phase === 'result')
      if (quiet && node !== undefined) node.kube.unschedulable = false
      return append(...records)
    }
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.exitCode).toBe(exitCode.stalePlan)
    expect(instructions(simulated, 'a')).toBe('')
    expect(node?.kube.annotations).toEqual({})
  })
})

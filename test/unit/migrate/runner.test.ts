import { describe, expect, it } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { marker } from '../../../src/migrate/steps/check.ts'
import { blockedScenario, Killed, simulate, smallScenario } from '../../support/simulated-run.ts'
import { endState } from '../../support/world-effects.ts'

describe('a run', () => {
  it('moves every node and leaves it as it was, on the new system', async () => {
    const simulated = simulate(smallScenario())
    const result = await simulated.start()
    expect(result.error).toBeNull()
    const nodes = [...simulated.world.nodes.values()].map((node) => simulated.world.kubeNode(node))
    expect(nodes.map(({ osImage }) => osImage)).toEqual(Array(3).fill('Debian GNU/Linux 13 (trixie)'))
    expect(nodes.map(({ unschedulable }) => unschedulable)).toEqual([false, false, false])
    expect(nodes.map(({ labels }) => labels['example.org/rack'])).toEqual(['s', 'a', 'b'])
    expect(
      nodes.flatMap(({ labels }) => Object.keys(labels).filter((key) => key.startsWith('k3os.io/'))),
    ).toEqual([])
    expect(nodes.flatMap(({ annotations }) => Object.keys(annotations))).toEqual([])
    expect(nodes[2]?.taints).toEqual([{ key: 'example.org/till', value: '', effect: 'PreferNoSchedule' }])
  })

  it('writes the intent before it acts and the proof after it looked', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start()
    const state = nodeState(replay(simulated.journal), 'a')
    expect(state.phase).toBe('done')
    expect(state.steps.get('join')?.result).toMatchObject({
      outcome: 'done',
      osImageBefore: 'k3OS v0.21.5-k3s2r1',
      osImageAfter: 'Debian GNU/Linux 13 (trixie)',
    })
  })

  it('names the budget that blocks a drain, undoes what it did and says "blocked"', async () => {
    const simulated = simulate(blockedScenario())
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.blocked)
    expect(error?.message).toContain('shops/web')
    const node = simulated.world.node('a')
    expect(node && simulated.world.kubeNode(node)).toMatchObject({ unschedulable: false, annotations: {} })
    expect(nodeState(replay(simulated.journal), 'a').phase).toBe('rolled-back')
    expect([...simulated.files.keys()]).toEqual([])
  })

  it('does not touch another node after a failure', async () => {
    const simulated = simulate(blockedScenario())
    await simulated.start()
    expect(new Set(simulated.journal.map(({ node }) => node))).toEqual(new Set([null, 'a']))
  })

  it('starts a rolled back node again when the cause is gone', async () => {
    const simulated = simulate(blockedScenario())
    await simulated.start()
    simulated.world.scaleUp('shops', 'web')
    await simulated.world.clock.sleep(10_000, new AbortController().signal)
    const { error } = await simulated.start({ limit: 1 })
    expect(error).toBeNull()
    expect(nodeState(replay(simulated.journal), 'a')).toMatchObject({ attempt: 2, phase: 'done' })
  })

  it('leaves a node cordoned that was cordoned before', async () => {
    const simulated = simulate(smallScenario())
    const node = simulated.world.node('a')
    if (node) node.kube.unschedulable = true
    await simulated.start({ limit: 1 })
    expect(node && simulated.world.kubeNode(node).unschedulable).toBe(true)
    expect(node?.kube.annotations).toEqual({})
  })

  it('refuses a machine that is not the one of the plan, and changes nothing', async () => {
    const simulated = simulate(smallScenario())
    const node = simulated.world.node('a')
    if (node) node.kube.systemUuid = 'another-machine'
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.stalePlan)
    expect(node?.kube.unschedulable).toBe(false)
  })

  it('keeps k3s stopped when data is not what it was', async () => {
    const simulated = simulate(smallScenario(), (plan) => ({
      ...plan,
      method: { ...plan.method, keepsData: false },
    }))
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.postCheckFailed)
    expect(error?.message).toContain('pvc-1')
    const node = simulated.world.node('b')
    expect(node?.silentSinceMs).not.toBeNull()
    expect(node?.kube.unschedulable).toBe(true)
  })

  it('rolls back when the hook swears that it touched nothing', async () => {
    const simulated = simulate(smallScenario())
    simulated.ports.hook.run = async () => ({ exitCode: 75, tail: 'no credentials' })
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.rolledBack)
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(false)
  })

  it('asks for an operator when the hook fails otherwise, and keeps the node cordoned', async () => {
    const simulated = simulate(smallScenario())
    simulated.ports.hook.run = async () => ({ exitCode: 1, tail: 'boom' })
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.needsOperator)
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(true)
  })

  it('stops between steps when asked to, and goes on later', async () => {
    const simulated = simulate(smallScenario())
    const stop = new AbortController()
    const append = simulated.journal.push.bind(simulated.journal)
    simulated.journal.push = (...records) => {
      if (records.some(({ step, phase }) => step === 'cordon' && phase === 'result')) stop.abort()
      return append(...records)
    }
    const first = await simulated.start({ stop: stop.signal })
    expect(first.error?.exitCode).toBe(exitCode.interrupted)
    const second = await simulated.start()
    expect(second.error).toBeNull()
    expect(nodeState(replay(simulated.journal), 'a').attempt).toBe(1)
  })
})

describe('a run that is killed', () => {
  it.each([
    ['that succeeds', smallScenario],
    ['that is rolled back', blockedScenario],
  ])('between any two records of a run %s ends in the same state after resume', async (_, scenario) => {
    const whole = simulate(scenario())
    await whole.start()
    const expected = endState(whole)
    const records = whole.journal.length
    expect(records).toBeGreaterThan(15)
    for (let killAfter = 0; killAfter < records; killAfter += 1) {
      const simulated = simulate(scenario())
      await expect(simulated.start({ killAfter }), `kill after ${killAfter}`).rejects.toThrow(Killed)
      await simulated.start()
      expect(endState(simulated), `killed after record ${killAfter}`).toEqual(expected)
    }
  })

  it('never runs the hook again once the machine went down', async () => {
    const whole = simulate(smallScenario())
    await whole.start({ limit: 1 })
    for (let killAfter = 0; killAfter < whole.journal.length; killAfter += 1) {
      const simulated = simulate(smallScenario())
      const hooks: (string | undefined)[] = []
      const run = simulated.ports.hook.run.bind(simulated.ports.hook)
      simulated.ports.hook.run = async (argv, options) => {
        hooks.push(options.environment['K3OS_MIGRATE_NODE'])
        return run(argv, options)
      }
      await expect(simulated.start({ killAfter, limit: 1 })).rejects.toThrow(Killed)
      await simulated.start({ limit: 1 })
      expect(hooks, `killed after record ${killAfter}`).toEqual([...new Set(hooks)])
    }
  })
})

describe('undo', () => {
  it('touches nothing that does not carry the mark of this run', async () => {
    const simulated = simulate(blockedScenario())
    const patchNode = simulated.ports.kube.patchNode.bind(simulated.ports.kube)
    // Somebody takes the node over while the drain waits.
    simulated.ports.kube.patchNode = async (name, patch, signal) => {
      await patchNode(name, patch, signal)
      const node = simulated.world.node(name)
      if (node) node.kube.annotations[marker] = 'somebody-else/1'
    }
    const { error } = await simulated.start()
    expect(error).toBeInstanceOf(MigrateError)
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(true)
  })
})

it('writes down who approved each node', async () => {
  const simulated = simulate(smallScenario())
  await simulated.start({ limit: 1 })
  const [note] = simulated.journal.filter(({ data }) => 'approval' in data)
  expect(note).toMatchObject({ node: 'a', data: { approval: { by: 'kim', how: 'file' } } })
})

import { describe, expect, it } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'
import { softTaint } from '../../../src/core/plan-fingerprint.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { offsetAt } from '../../../src/core/time-zone.ts'
import { parseWindow } from '../../../src/core/windows.ts'
import { marker } from '../../../src/migrate/steps/check.ts'
import { Killed, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

/** What must be equal however often the run was interrupted. */
function endState({ world, files }: Simulated) {
  const nodes = [...world.nodes.values()].map((node) => {
    const { bootId: _, machineId: __, ...kube } = world.kubeNode(node)
    return { ...kube, system: node.system }
  })
  const pods = world.pods.map(
    ({ name, node, ready }) => `${name.replace(/-7c9d-.*/, '')} ready=${ready} placed=${node !== null}`,
  )
  return { nodes, pods: pods.toSorted(), files: [...files.keys()].toSorted() }
}

/** The stuck budget that no drain of `a` can pass. */
function blockedScenario() {
  const scenario = smallScenario()
  scenario.budgets = [{ namespace: 'shops', name: 'web', matchLabels: { app: 'web' }, minAvailable: 3 }]
  return scenario
}

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

describe('a run steers pods', () => {
  it('away from nodes that are still to move, and lets them back when a node is done', async () => {
    const simulated = simulate(smallScenario())
    const seen: Record<string, string[]> = {}
    const { evict } = simulated.ports.kube
    simulated.ports.kube.evict = async (pod, signal, how) => {
      const nodes = [...simulated.world.nodes.values()].map((node) => simulated.world.kubeNode(node))
      const place = simulated.world.pods.find(({ uid }) => uid === pod.uid)?.node ?? ''
      seen[place] = nodes
        .filter(({ taints }) => taints.some(({ key }) => key === softTaint))
        .map(({ name }) => name)
      return evict(pod, signal, how)
    }
    await simulated.start()
    expect(seen).toMatchObject({ a: ['s', 'b'], b: ['s', 'b'] })
    const left = [...simulated.world.nodes.values()].flatMap(({ kube }) => kube.taints.map(({ key }) => key))
    expect(left).not.toContain(softTaint)
  })

  it('so that none moves more often than its own node does', async () => {
    const scenario = smallScenario()
    const [web] = scenario.workloads
    if (web !== undefined) web.on = ['a', 'a', 'a', 'b', 'b', 's']
    const simulated = simulate(scenario)
    const { evict } = simulated.ports.kube
    const evicted = new Set<string>()
    simulated.ports.kube.evict = async (pod, signal, how) => {
      const answer = await evict(pod, signal, how)
      if (answer.status === 'accepted') evicted.add(pod.uid)
      return answer
    }
    await simulated.start()
    const placed = [...simulated.world.moves.values()].reduce((sum, count) => sum + count, 0)
    expect(placed).toBe(evicted.size)
  })

  it('and takes every taint back when the node is rolled back', async () => {
    const simulated = simulate(blockedScenario())
    await simulated.start()
    const taints = [...simulated.world.nodes.values()].flatMap(({ kube }) =>
      kube.taints.map(({ key }) => key),
    )
    expect(taints).not.toContain(softTaint)
  })

  it('but leaves the taint of another run alone', async () => {
    const simulated = simulate(blockedScenario())
    const other = { key: softTaint, value: 'another-run', effect: 'PreferNoSchedule' }
    const node = simulated.world.node('b')
    node?.kube.taints.push(other)
    await simulated.start()
    expect(node?.kube.taints).toContainEqual(other)
  })
})

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
    const { evict } = simulated.ports.kube
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
    const { heartbeatAgeSeconds } = simulated.ports.kube
    simulated.ports.kube.heartbeatAgeSeconds = async (name, signal) => {
      looks += 1
      return looks === 5 ? 300 : heartbeatAgeSeconds(name, signal)
    }
    const { error } = await simulated.start({ limit: 1 })
    expect(looks).toBeGreaterThan(5)
    expect(error).toBeNull()
  })
})

it('writes down who approved each node', async () => {
  const simulated = simulate(smallScenario())
  await simulated.start({ limit: 1 })
  const [note] = simulated.journal.filter(({ data }) => 'approval' in data)
  expect(note).toMatchObject({ node: 'a', data: { approval: { by: 'kim', how: 'file' } } })
})

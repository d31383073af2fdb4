import { describe, expect, test } from 'vitest'
import { pausedMark } from '../../../src/core/controller-switch.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { explainRun } from '../../../src/core/explain-run.ts'
import { pausedNow } from '../../../src/core/paused-now.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { abandonRun } from '../../../src/migrate/abandon.ts'
import { revertNode } from '../../../src/migrate/revert.ts'
import { runExplanationText } from '../../../src/output/explain-run-text.ts'
import type { Scenario } from '../../../src/simulation/scenario.ts'
import {
  blockedScenario,
  inPlace,
  Killed,
  simulate,
  smallScenario,
  type Simulated,
} from '../../support/simulated-run.ts'

/** With software that drains, reboots and removes nodes by itself. */
function crowded(scenario: Scenario): Scenario {
  const common = {
    namespace: 'kube-system',
    labels: {},
    requests: {},
    volumes: [],
    graceSeconds: 1,
    priority: 0,
  }
  return {
    ...scenario,
    workloads: [
      ...scenario.workloads,
      { ...common, name: 'cluster-autoscaler', kind: 'Deployment', on: ['s', 'b'] },
      { ...common, name: 'kured', kind: 'DaemonSet', on: [] },
    ],
  }
}

const autoscaler = 'Deployment kube-system/cluster-autoscaler'
const kured = 'DaemonSet kube-system/kured'
const lock = 'weave.works/kured-node-lock'

function controller({ world }: Simulated, name: string) {
  const found = world.controllers.get(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** What can be switched, as it is now. */
const switches = (simulated: Simulated) =>
  [autoscaler, kured].map((name) => {
    const { spec, annotations } = controller(simulated, name)
    return { ...spec, ...annotations }
  })
const before = switches(simulate(crowded(smallScenario())))

const autoscalerPods = ({ world }: Simulated) =>
  world.pods.filter(({ name, terminating }) => name.startsWith('cluster-autoscaler-') && !terminating).length

const onlyA = (plan: Plan): Plan => ({ ...plan, nodes: plan.nodes.filter(({ name }) => name === 'a') })

const giveUp = async (simulated: Simulated) => simulated.start({ act: async (job) => abandonRun(job, []) })

describe('controllers that work on nodes by themselves', () => {
  test('stand still before the first node is cordoned', async () => {
    const simulated = simulate(crowded(smallScenario()))
    const atCordon: unknown[] = []
    const push = simulated.journal.push.bind(simulated.journal)
    simulated.journal.push = (...records) => {
      if (records.some(({ step, phase }) => step === 'cordon' && phase === 'intent'))
        atCordon.push([controller(simulated, autoscaler).spec.replicas, autoscalerPods(simulated)])
      return push(...records)
    }
    await simulated.start({ limit: 1 })
    expect(atCordon).toEqual([[0, 0]])
  })

  test('of which kured is kept from rebooting by its own lock, in a name that is no node', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    expect(JSON.parse(controller(simulated, kured).annotations[lock] ?? '')).toMatchObject({
      nodeID: 'k3os-migrate',
    })
  })

  test('have their old state in the journal before anything is changed', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    const intent = simulated.journal.find(({ step, phase }) => step === 'defuse' && phase === 'intent')
    expect(intent?.data['paused']).toMatchObject([
      { name: 'kured', before: { by: 'lock', value: null } },
      { name: 'cluster-autoscaler', before: { by: 'replicas', value: 2 } },
    ])
  })

  test('go on when the last node is done, with as many pods as before', async () => {
    const simulated = simulate(crowded(smallScenario()))
    const { error } = await simulated.start()
    expect([error, switches(simulated), autoscalerPods(simulated)]).toEqual([null, before, 2])
  })

  test('still stand still between two nodes', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    await simulated.start({ limit: 1 })
    expect(controller(simulated, autoscaler).spec.replicas).toBe(0)
  })

  test('go on when the first node is rolled back', async () => {
    const simulated = simulate(crowded(blockedScenario()))
    await simulated.start()
    expect(switches(simulated)).toEqual(before)
  })

  test('go on when the run is given up between two nodes', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    await giveUp(simulated)
    expect(switches(simulated)).toEqual(before)
  })

  test('stay as somebody has set them since, without the mark of the run', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    controller(simulated, autoscaler).spec.replicas = 5
    await giveUp(simulated)
    const { spec, annotations } = controller(simulated, autoscaler)
    expect([spec.replicas, annotations[pausedMark]]).toEqual([5, undefined])
  })

  test('are paused again before the next node when somebody put them back', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    controller(simulated, autoscaler).spec.replicas = 2
    await simulated.start({ limit: 1 })
    expect(controller(simulated, autoscaler).spec.replicas).toBe(0)
  })

  test('that somebody has stopped already are not started in the end', async () => {
    const simulated = simulate(crowded(smallScenario()))
    controller(simulated, autoscaler).spec.replicas = 0
    await simulated.start()
    expect(controller(simulated, autoscaler).spec.replicas).toBe(0)
  })

  test('that a lost run left stopped go on as they were before that one', async () => {
    const simulated = simulate(crowded(smallScenario()))
    const left = controller(simulated, autoscaler)
    left.spec.replicas = 0
    const mark = { run: 'lost', before: { by: 'replicas', value: 3 }, off: { by: 'replicas', value: 0 } }
    left.annotations[pausedMark] = JSON.stringify(mark)
    await simulated.start()
    expect([left.spec.replicas, left.annotations]).toEqual([3, {}])
  })

  test('are waited for while kured is rebooting a node', async () => {
    const simulated = simulate(crowded(smallScenario()))
    controller(simulated, kured).annotations[lock] = '{"nodeID":"b"}'
    const { error } = await simulated.start()
    expect(error).toMatchObject({
      exitCode: exitCode.blocked,
      message: expect.stringContaining('DaemonSet kube-system/kured cannot be paused: it is rebooting b now'),
    })
    expect(controller(simulated, kured).annotations).toEqual({ [lock]: '{"nodeID":"b"}' })
  })

  test('that are gone meanwhile are not missed', async () => {
    const simulated = simulate(crowded(smallScenario()), (plan) => ({
      ...plan,
      pauses: [
        {
          controller: 'descheduler',
          kind: 'CronJob',
          namespace: 'ops',
          name: 'descheduler',
          isAtRest: false,
        },
        ...plan.pauses,
      ],
    }))
    const { error } = await simulated.start()
    expect([error, switches(simulated)]).toEqual([null, before])
  })

  test('end as before wherever the process is killed', async () => {
    const whole = simulate(crowded(smallScenario()))
    await whole.start()
    expect(whole.journal.length).toBeGreaterThan(50)
    for (let killAfter = 1; killAfter < whole.journal.length; killAfter += 1) {
      const simulated = simulate(crowded(smallScenario()))
      await expect(simulated.start({ killAfter })).rejects.toBeInstanceOf(Killed)
      const { error } = await simulated.start()
      expect([killAfter, error, switches(simulated)]).toEqual([killAfter, null, before])
    }
  })

  test('go on when the only node that is left goes back to k3OS', async () => {
    const simulated = simulate(crowded(smallScenario()), (plan) => inPlace(onlyA(plan)))
    const { trouble } = simulated.world
    trouble.turnsSick.add('a')
    const { exit } = await simulated.start()
    expect([exit, controller(simulated, autoscaler).spec.replicas]).toEqual([exitCode.postCheckFailed, 0])
    trouble.turnsSick.delete('a')
    const node = simulated.world.node('a')
    if (node !== undefined) node.kube.ready = true
    const { error } = await simulated.start({ act: async (job) => revertNode(job, 'a') })
    expect([error, switches(simulated)]).toEqual([null, before])
  })

  test('are named as long as they stand still', async () => {
    const simulated = simulate(crowded(smallScenario()))
    await simulated.start({ limit: 1 })
    const still = [
      { controller: 'kured', object: kured, before: 'reboot lock free', keeper: null },
      { controller: 'cluster-autoscaler', object: autoscaler, before: '2 replicas', keeper: null },
    ]
    expect(pausedNow(simulated.plan, simulated.journal)).toEqual(still)
    await simulated.start({ limit: 1 })
    expect(pausedNow(simulated.plan, simulated.journal)).toEqual(still)
    const [node] = simulated.plan.nodes
    if (node === undefined) throw new Error('the plan has no node')
    const run = { runId: 'run-1', records: simulated.journal, progress: [], isCarriedOn: false }
    const said = runExplanationText(explainRun(simulated.plan, node, run))
    expect(said).toMatch(/^stands still +cluster-autoscaler \(Deployment .*, was 2 replicas\)$/m)
  })

  test.each([
    ['is done', async (simulated: Simulated) => simulated.start()],
    [
      'was given up',
      async (simulated: Simulated) => {
        await simulated.start({ limit: 1 })
        await giveUp(simulated)
      },
    ],
  ])('are not named any more when the run %s', async (_how, act) => {
    const simulated = simulate(crowded(smallScenario()))
    await act(simulated)
    expect(pausedNow(simulated.plan, simulated.journal)).toEqual([])
  })

  test('are not named when the first node was rolled back', async () => {
    const blocked = simulate(crowded(blockedScenario()))
    await blocked.start()
    expect(pausedNow(blocked.plan, blocked.journal)).toEqual([])
  })

  test('work on where the plan pauses none', async () => {
    const simulated = simulate(crowded(smallScenario()), (plan) => ({ ...plan, pauses: [] }))
    await simulated.start({ limit: 1 })
    expect(switches(simulated)).toEqual(before)
  })
})

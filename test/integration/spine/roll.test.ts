import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outcome } from '../../../src/core/outcome.ts'
import type { Scenario, ScenarioNode } from '../../../src/simulation/scenario.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import {
  apply,
  budget,
  daemonSet,
  deployment,
  pods,
  statefulSet,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'
import { readPlanFile, sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { nodeState, type NodeState } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'
import { watchPods, type PodWatch } from '../../support/watch-pods.ts'

const agents = ['a', 'b', 'c', 'd', 'e'] as const
const servers = ['s', 's2', 's3'] as const
const names = [...servers, ...agents]
const wanted = { web: 6, api: 3, cache: 2, till: 2, logs: names.length } as const

/** Three servers that share a datastore outside of them: each one is away for a while, the API never is. */
function threeServers(): Scenario {
  const scenario = spineScenario(agents)
  const [first, ...others] = scenario.nodes
  if (first === undefined) throw new Error('the scenario has no server')
  return { ...scenario, nodes: [...servers.map((name, index) => server(first, name, 30 + index)), ...others] }
}

function server(like: ScenarioNode, name: string, number: number): ScenarioNode {
  const config = like.files['/k3os/system/config.yaml'] ?? ''
  return {
    ...like,
    name,
    address: `192.0.2.${number}`,
    machine: {
      ...like.machine,
      uuid: `10000000-0000-4000-8000-0000000000${number}`,
      mac: `52:54:00:00:00:${number}`,
    },
    files: {
      ...like.files,
      '/k3os/system/config.yaml': config.replace(`"hostname": "${like.name}"`, `"hostname": "${name}"`),
      '/etc/rancher/k3s/config.yaml': 'datastore-endpoint: postgres://k3s@db.example.org/k3s\n',
    },
    nodePassword: `canary-node-password-of-${name}`,
    labels: { 'example.org/rack': `rack-of-${name}` },
  }
}

/**
 * A cluster of eight nodes with what shops run, rolled node by node as a user does it, on a real API server with its
 * scheduler and controllers.
 */
describe.skipIf(
  requirePart('KUBE', controlPlaneMissing('1.20')) || requirePart('SSHD', missingForK3osRoot()),
)('rolling three servers and five agents', () => {
  let lab: SpineLab
  let desk: Desk
  let watched: PodWatch
  let planned: CliResult
  let applied: CliResult
  const atFirst = new Map<string, NodeState>()

  beforeAll(async () => {
    lab = await startSpineLab('1.20', threeServers(), { keepApi: true })
    desk = sitDown(lab)
    await apply(
      lab.cluster,
      deployment('web', wanted.web, 1),
      budget('1.20', 'web', 5),
      deployment('api', wanted.api, 1),
      budget('1.20', 'api', 2),
      deployment('cache', wanted.cache, 1),
      statefulSet('till', wanted.till, 1),
      daemonSet('logs'),
    )
    for (const [app, count] of Object.entries(wanted)) await untilReady(lab.cluster, app, count)
    await untilBudgetAllows(lab.cluster, '1.20', 'web', 1)
    await untilBudgetAllows(lab.cluster, '1.20', 'api', 1)
    for (const name of names) atFirst.set(name, await nodeState(lab.cluster, name))
    const inventory = await desk.run('inventory', ...lab.hosts)
    if (inventory.code !== 0) throw new Error(inventory.stderr)
    const times = ['--soak', '2s', '--canary-soak', '2s']
    planned = await desk.run('plan', '--keeps-data', ...times, '--hook', ...lab.hook)
    if (planned.code !== 0) throw new Error(planned.stderr)
    watched = watchPods(lab.cluster)
    applied = await desk.apply('plan.json').result
    await watched.stop()
  }, 900_000)
  afterAll(async () => {
    await watched?.stop()
    await lab?.stop()
  })

  test('moves agents first, servers last', () => {
    const plan = readPlanFile(join(desk.folder, 'plan.json'))
    expect(plan.nodes.map(({ role }) => role)).toEqual([
      ...agents.map(() => 'agent'),
      ...servers.map(() => 'server'),
    ])
  })

  test('ends well', () => {
    expect(applied).toMatchObject({ code: 0 })
    const outcome = JSON.parse(
      readFileSync(join(desk.runDirectory() ?? '', 'outcome.json'), 'utf8'),
    ) as Outcome
    expect([outcome.status, outcome.nodes.map(({ state }) => state)]).toEqual([
      'complete',
      names.map(() => 'done'),
    ])
  })

  test('nothing went wrong with a machine behind its back', () => {
    expect(lab.troubles).toEqual([])
  })

  test.each(names)('brings %s back as the same Node, Ready, schedulable, on the new system', async (name) => {
    const { uid, taints } = atFirst.get(name) ?? {}
    expect(await nodeState(lab.cluster, name)).toMatchObject({
      uid,
      taints,
      ready: true,
      unschedulable: false,
      osImage: newSystem,
    })
  })

  test.each(Object.entries(wanted))('has all pods of %s Ready: %i', async (app, count) => {
    await untilReady(lab.cluster, app, count)
    expect(await pods(lab.cluster, app)).toHaveLength(count)
  })

  test('never had fewer Ready pods than a budget asks for', () => {
    expect({ web: watched.leastReady('web'), api: watched.leastReady('api') }).toEqual({
      web: expect.toSatisfy((count: number) => count >= 5),
      api: expect.toSatisfy((count: number) => count >= 2),
    })
  })

  // kubernetes/kubernetes issue 31487: without a taint on the nodes to come, pods move from one to the next.
  test('moves each pod at most 1.2 times, and starts no more than were evicted', () => {
    const uids = new Set(
      desk
        .journal()
        .filter(({ step, phase }) => step === 'drain' && phase === 'intent')
        .flatMap(({ data }) => (data['evict'] as { uid: string }[]).map(({ uid }) => uid)),
    )
    const atRest = wanted.web + wanted.api + wanted.cache + wanted.till
    const moves = watched.started()
    process.stdout.write(
      `${uids.size} pods evicted, ${moves} started anew (${(moves / uids.size).toFixed(2)} for each); ` +
        `${atRest} pods moved off ${names.length} nodes (${(uids.size / atRest).toFixed(2)} moves for each)\n`,
    )
    // Every node is drained once, so that each pod has to leave at least once.
    expect(uids.size / atRest).toBeGreaterThanOrEqual(1)
    expect(uids.size / atRest).toBeLessThanOrEqual(1.2)
    expect(moves / uids.size).toBeLessThanOrEqual(1.2)
  })
})

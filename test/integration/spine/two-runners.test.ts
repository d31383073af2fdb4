import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import {
  apply,
  budget,
  deployment,
  pods,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'
import { sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { nodeState, recordOf, scale, type NodeState } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

const agents = ['a', 'b', 'c', 'd'] as const

/** Two people, two processes, one cluster: each with a plan of their own, for another node. */
describe.skipIf(
  requirePart('KUBE', controlPlaneMissing('1.35')) || requirePart('SSHD', missingForK3osRoot()),
)('two runners on one cluster', () => {
  let lab: SpineLab
  let kim: Desk
  let sam: Desk

  beforeAll(async () => {
    lab = await startSpineLab('1.35', spineScenario(agents))
    // All pods of `c` are on its node, and its budget has room as long as there are two.
    await lab.cluster.kubectl(['cordon', 's'])
    const affinity = onlyOn('c', 's')
    await apply(lab.cluster, deployment('c', 2, 1, { affinity }), budget('1.35', 'c', 1))
    await untilReady(lab.cluster, 'c', 2)
    await lab.cluster.kubectl(['uncordon', 's'])
    kim = sitDown(lab)
    sam = sitDown(lab, kim)
    const prepared = [await kim.run('inventory', ...lab.hosts)]
    for (const name of agents) {
      const choice = ['--node', name, '--out', `${name}.json`, '--no-soak', '--canary-soak', '1s']
      prepared.push(await kim.run('plan', ...choice, '--keeps-data', '--hook', ...lab.hook))
    }
    for (const { code, stderr } of prepared) if (code !== 0) throw new Error(stderr)
  })
  afterAll(async () => {
    await lab?.stop()
  })

  describe('in the same moment', () => {
    let results: CliResult[]
    beforeAll(async () => {
      results = await Promise.all([kim.apply('a.json').result, sam.apply('b.json').result])
    })

    test('one passes, and one is refused with 6', () => {
      expect(new Set(results.map(({ code }) => code))).toEqual(new Set([0, 6]))
    })

    test('the other is told who has the cluster, since when, and what to do', () => {
      const refused = results.find(({ code }) => code === 6)
      expect(refused?.stderr).toMatch(
        /error: .* is locked by \S+@\S+, process \d+, run [0-9a-f-]{36} \(since \S+, last renewed \S+\)\nhint: wait for it; .* --take-over [0-9a-f-]{36}/,
      )
    })

    test('one machine was rebuilt', () => {
      expect(lab.hookCalls).toHaveLength(1)
    })
  })

  describe('one of them stopped for a while, and the other with its lock', () => {
    let stoppedDesk: Desk
    let beforeWaking: JournalRecord[]
    let before: NodeState
    let podsBefore: string[]
    let woken: CliResult
    let other: CliResult
    const podsOfC = async () => (await pods(lab.cluster, 'c')).map(({ metadata }) => metadata.uid).toSorted()
    beforeAll(async () => {
      stoppedDesk = sitDown(lab, kim)
      before = await nodeState(lab.cluster, 'c')
      await scale(lab.cluster, 'c', 1)
      await untilBudgetAllows(lab.cluster, '1.35', 'c', 0)
      const stopped = stoppedDesk.apply('c.json')
      await recordOf(stoppedDesk, ({ step, data }) => step === 'drain' && data['action'] !== undefined)
      await sleep(2_000)
      stopped.kill('SIGSTOP')
      await sleep(200)
      // Now an eviction would pass, if one were sent.
      await lab.cluster.kubectl(['delete', 'poddisruptionbudget', '-n', 'shop', 'c'])
      podsBefore = await podsOfC()
      const runId = stoppedDesk.runDirectory()?.split('/').at(-1) ?? ''
      const taking = sitDown(lab, kim)
      const running = taking.apply('d.json', '--take-over', runId)
      await recordOf(taking, ({ step, phase }) => step === 'drain' && phase === 'intent')
      beforeWaking = stoppedDesk.journal()
      stopped.kill('SIGCONT')
      woken = await stopped.result
      other = await running.result
    }, 240_000)

    test('the woken one ends with 6, and says who has the cluster', () => {
      expect(woken).toMatchObject({
        code: 6,
        stderr: expect.stringMatching(
          /error: \S+, process \d+, run \S+ has taken the lock of .* from this run/,
        ),
      })
    })

    test('it writes nothing more into its journal', () => {
      expect(stoppedDesk.journal().slice(0, beforeWaking.length)).toEqual(beforeWaking)
      expect(stoppedDesk.journal()).toHaveLength(beforeWaking.length)
    })

    test('it evicts nothing, and uncordons nothing', async () => {
      const { unschedulable } = await nodeState(lab.cluster, 'c')
      expect([await podsOfC(), unschedulable]).toEqual([podsBefore, true])
    })

    test('the other one waited for silence, and then moved its own node', () => {
      expect([other.code, other.stderr]).toEqual([
        0,
        expect.stringContaining('has the lock; it may be taken after 60 s without a sign of life'),
      ])
    })

    test('its run can be abandoned afterwards: its node is as it was', async () => {
      const { code, stderr } = await stoppedDesk.run('abandon', stoppedDesk.runDirectory() ?? '')
      expect([code, stderr]).toEqual([0, expect.stringContaining('is abandoned; the cluster is free')])
      expect(await nodeState(lab.cluster, 'c')).toEqual(before)
    })

    test('nothing went wrong with a machine', () => {
      expect([lab.troubles, lab.hookCalls.filter(({ node }) => node === 'c')]).toEqual([[], []])
    })
  })
})

function onlyOn(...names: readonly string[]): object {
  const on = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: on } } }
}

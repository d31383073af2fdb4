import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import { requirePart } from '../../support/require-part.ts'
import { sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { nodeState, recordOf, type NodeState } from '../../support/spine-state.ts'
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
    let beforeWaking: JournalRecord[]
    let afterWaking: JournalRecord[]
    let nodeBefore: NodeState
    let woken: CliResult
    let other: CliResult
    beforeAll(async () => {
      const desk = sitDown(lab, kim)
      const stopped = desk.apply('c.json')
      await recordOf(desk, ({ step, phase }) => step === 'cordon' && phase === 'result')
      stopped.kill('SIGSTOP')
      await sleep(200)
      const runId = desk.runDirectory()?.split('/').at(-1) ?? ''
      const taking = sitDown(lab, kim)
      const running = taking.apply('d.json', '--take-over', runId)
      await recordOf(taking, ({ step, phase }) => step === 'drain' && phase === 'intent')
      beforeWaking = desk.journal()
      nodeBefore = await nodeState(lab.cluster, 'c')
      stopped.kill('SIGCONT')
      woken = await stopped.result
      other = await running.result
      afterWaking = desk.journal()
    }, 240_000)

    test('the woken one starts no step, and ends with 6', () => {
      expect(woken).toMatchObject({
        code: 6,
        stderr: expect.stringMatching(
          /error: \S+, process \d+, run \S+ has taken the lock of .* from this run/,
        ),
      })
    })

    test('it writes nothing more into its journal', () => {
      expect(afterWaking).toEqual(beforeWaking)
    })

    test('its node stays as it was when it was stopped', async () => {
      const now = await nodeState(lab.cluster, 'c')
      expect([now, lab.hookCalls.filter(({ node }) => node === 'c')]).toEqual([nodeBefore, []])
    })

    test('the other one waited for silence, and then moved its own node', () => {
      expect([other.code, other.stderr]).toEqual([
        0,
        expect.stringContaining('has the lock; it may be taken after 60 s without a sign of life'),
      ])
    })

    test('nothing went wrong with a machine', () => {
      expect(lab.troubles).toEqual([])
    })
  })
})

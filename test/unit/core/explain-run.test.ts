import { describe, expect, it } from 'vitest'
import { methods } from '../../../src/core/methods.ts'
import { explainRun, type ProgressEvent } from '../../../src/core/explain-run.ts'
import { runExplanationText } from '../../../src/output/explain-run-text.ts'
import {
  Killed,
  simulate,
  smallScenario,
  blockedScenario,
  type Simulated,
} from '../../support/simulated-run.ts'

function explained(
  { plan, journal }: Simulated,
  more: { progress?: readonly ProgressEvent[]; isCarriedOn?: boolean; node?: string } = {},
) {
  const node = plan.nodes.find(({ name }) => name === (more.node ?? 'a'))
  if (node === undefined) throw new Error('no such node')
  return explainRun(plan, node, {
    runId: 'run-1',
    records: journal,
    progress: more.progress ?? [],
    isCarriedOn: more.isCarriedOn ?? false,
  })
}

/** Stops as if killed, right after the intent of this step of the first node. */
async function killedIn(step: string): Promise<Simulated> {
  const simulated = simulate(smallScenario())
  const has = () => simulated.journal.some((record) => record.step === step && record.phase === 'intent')
  for (let killAfter = 1; !has(); killAfter += 1) {
    simulated.journal.length = 0
    Object.assign(simulated, simulate(smallScenario()))
    await simulated.start({ killAfter, limit: 1 }).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error
    })
  }
  return simulated
}

describe('a node of a run', () => {
  it('that has not begun has everything to do', () => {
    const found = explained(simulate(smallScenario()))
    expect(found).toMatchObject({
      phase: 'pending',
      step: null,
      wouldUndo: [],
      next: 'k3os-migrate resume run-1',
    })
    expect(found.stillToDo).toHaveLength(methods.command.steps.length)
  })

  it('in the middle tells since when, how long at most, and what would be undone in which order', async () => {
    const found = explained(await killedIn('drain'))
    expect(found.step).toMatchObject({ id: 'drain', outcome: 'under way', allowedMs: 660_000 })
    expect(found.wouldUndo).toEqual([
      'cordon',
      'keep pods off the nodes that are still to move',
      'render the target configuration',
    ])
  })

  it('past its point of no return has only forward', async () => {
    expect(explained(await killedIn('reimage')).wouldUndo).toBeNull()
  })

  it('says what it waits for as it said last, and nothing of an earlier step', async () => {
    const simulated = await killedIn('drain')
    const event = { node: 'a', step: 'drain', message: 'pod web waits for a budget' }
    const later = { ...event, ts: '2999-01-01T00:00:00.000Z' }
    const earlier = { ...event, ts: '2000-01-01T00:00:00.000Z', message: 'of another attempt' }
    expect(explained(simulated, { progress: [earlier, later] }).step?.waitsFor).toBe(
      'pod web waits for a budget',
    )
    expect(explained(simulated, { progress: [earlier] }).step?.waitsFor).toBeNull()
  })

  it('that another process carries on needs nothing typed', async () => {
    expect(explained(await killedIn('drain'), { isCarriedOn: true }).next).toBeNull()
  })

  it('that was undone says why, and begins anew', async () => {
    const simulated = simulate(blockedScenario())
    await simulated.start()
    const found = explained(simulated)
    expect(found).toMatchObject({ phase: 'rolled-back', wouldUndo: [] })
    expect(found.failure).toContain('web')
    expect(found.stillToDo).toHaveLength(methods.command.steps.length)
  })

  it('that is done needs nothing', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start()
    expect(explained(simulated)).toMatchObject({ phase: 'done', next: null, stillToDo: [], failure: null })
  })
})

it('for people it is a few lines, the time among them', async () => {
  const [head, ...rows] = runExplanationText(explained(await killedIn('drain'))).split('\n')
  expect(head).toContain('(agent, 1 of 3)')
  expect(rows.slice(0, 3).map((row) => row.split(/ {2,}/))).toEqual([
    ['step', 'drain: under way'],
    ['since', '2026-11-24 08:00:00 UTC'],
    ['until', '2026-11-24 08:11:00 UTC'],
  ])
})

import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { nodeState, replay } from '../../../src/core/run-state.ts'

type Entry = readonly [
  step: string,
  phase: JournalRecord['phase'],
  data?: JournalRecord['data'],
  attempt?: number,
]

function stateAfter(...entries: readonly Entry[]) {
  const records = entries.map(([step, phase, data = {}, attempt = 1], index): JournalRecord => ({
    v: 1,
    seq: index + 1,
    ts: `2026-11-24T08:00:0${index}.000Z`,
    monotonicMs: 0,
    runId: 'run-1',
    node: 'n1',
    step,
    phase,
    attempt,
    data,
    prev: '',
    hash: '',
  }))
  return nodeState(replay(records), 'n1')
}

const failed = { outcome: 'failed', error: 'the budget web', exit: 9, undo: true }

describe('the state of a node', () => {
  it('is pending when the journal does not name it', () => {
    expect(stateAfter()).toMatchObject({ phase: 'pending', attempt: 1, startedAt: null })
  })

  it('is open for a step with an intent and no result: nobody knows', () => {
    const state = stateAfter(['cordon', 'intent', { wasUnschedulable: true }])
    expect(state.phase).toBe('running')
    expect(state.steps.get('cordon')).toMatchObject({ outcome: null, intent: { wasUnschedulable: true } })
  })

  it('keeps the intent of a step that is done, for the undo of a later failure', () => {
    const state = stateAfter(
      ['cordon', 'intent', { wasUnschedulable: false }],
      ['cordon', 'result', { outcome: 'done' }],
    )
    expect(state.steps.get('cordon')).toMatchObject({ outcome: 'done', intent: { wasUnschedulable: false } })
  })

  it('does not change by a note', () => {
    expect(stateAfter(['cordon', 'intent'], ['cordon', 'note', { action: 'cordon n1' }])).toEqual(
      stateAfter(['cordon', 'intent']),
    )
  })

  it('is being rolled back from a failure that can be undone', () => {
    const state = stateAfter(['cordon', 'intent'], ['cordon', 'result', failed])
    expect(state).toMatchObject({
      phase: 'rolling-back',
      failure: { step: 'cordon', message: 'the budget web', exit: 9 },
    })
  })

  it('goes on running after a failure that cannot be undone', () => {
    const state = stateAfter(['reimage', 'intent'], ['reimage', 'result', { ...failed, undo: false }])
    expect(state.phase).toBe('running')
  })

  it('is rolled back only when the record of the node says so', () => {
    const undone: Entry[] = [
      ['cordon', 'intent'],
      ['cordon', 'result', failed],
      ['cordon', 'result', { outcome: 'undone' }],
    ]
    expect(stateAfter(...undone).phase).toBe('rolling-back')
    expect(stateAfter(...undone, ['node', 'result', { outcome: 'rolled-back' }]).phase).toBe('rolled-back')
  })

  it('forgets the steps of an earlier attempt', () => {
    const state = stateAfter(
      ['cordon', 'intent'],
      ['cordon', 'result', failed],
      ['node', 'result', { outcome: 'rolled-back' }],
      ['check', 'intent', {}, 2],
    )
    expect(state).toMatchObject({ attempt: 2, phase: 'running', failure: null })
    expect([...state.steps.keys()]).toEqual(['check'])
  })

  it('takes an outcome it does not know for a failure, never for done', () => {
    const state = stateAfter(['cordon', 'intent'], ['cordon', 'result', { outcome: 'fine' }])
    expect(state.steps.get('cordon')?.outcome).toBe('failed')
  })

  it('leaves records of steps it does not know alone', () => {
    expect(stateAfter(['polish', 'intent'])).toMatchObject({ phase: 'pending' })
  })
})

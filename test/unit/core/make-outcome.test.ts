import { describe, expect, it } from 'vitest'
import { exitCode, type ExitCode } from '../../../src/core/errors.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { makeOutcome } from '../../../src/core/make-outcome.ts'
import { outcomeSchema } from '../../../src/core/outcome.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

const { plan } = simulate(smallScenario())

/** Of a run whose nodes (a, b, s in this order) have these records: step, outcome. */
function outcomeOf(
  exit: ExitCode,
  results: Readonly<Record<string, readonly (readonly [string, JournalRecord['data']])[]>>,
) {
  const records = Object.entries(results).flatMap(([node, steps]) =>
    steps.flatMap(([step, data]) => [record(node, step, 'intent', {}), record(node, step, 'result', data)]),
  )
  return makeOutcome({
    plan,
    runId: 'run-1',
    records,
    exit,
    reason: null,
    now: 'now',
    resume: 'k3os-migrate resume',
  })
}

function record(
  node: string,
  step: string,
  phase: JournalRecord['phase'],
  data: JournalRecord['data'],
): JournalRecord {
  const ts = '2026-11-24T08:00:00.000Z'
  return {
    v: 1,
    seq: 1,
    ts,
    monotonicMs: 0,
    runId: 'run-1',
    node,
    step,
    phase,
    attempt: 1,
    data,
    prev: '',
    hash: '',
  }
}

const done = { outcome: 'done' }
const proof = {
  outcome: 'done',
  nonce: 'f00d',
  systemUuid: 'uuid',
  bootIdBefore: 'boot-1',
  bootIdAfter: 'boot-2',
  osImageBefore: 'k3OS',
  osImageAfter: 'Debian',
  kubeletVersion: 'v1.21.5+k3s2',
}
const all = ['a', 'b', 's']

describe('the status of a run', () => {
  it('is complete when every node is done, and nothing is left to type', () => {
    const outcome = outcomeOf(exitCode.ok, Object.fromEntries(all.map((name) => [name, [['node', done]]])))
    expect(outcome).toMatchObject({ status: 'complete', next: null })
  })

  it('is partial when it stopped well before the last node', () => {
    expect(outcomeOf(exitCode.ok, { a: [['node', done]] })).toMatchObject({
      status: 'partial',
      next: 'k3os-migrate resume',
    })
  })

  it('is paused when something is in the way', () => {
    expect(outcomeOf(exitCode.blocked, {}).status).toBe('paused')
  })

  it.each([exitCode.needsOperator, exitCode.postCheckFailed])('needs an operator with exit %i', (exit) => {
    expect(outcomeOf(exit, {}).status).toBe('needs-operator')
  })

  it('is not complete for a run without records', () => {
    expect(outcomeOf(exitCode.ok, {}).nodes.map(({ state }) => state)).toEqual([
      'pending',
      'pending',
      'pending',
    ])
  })
})

describe('a node in the outcome', () => {
  const failed = { outcome: 'failed', error: 'no answer', exit: 8, undo: false }

  it('needs an operator when it failed after the point of no return, at the step that failed', () => {
    const { nodes } = outcomeOf(exitCode.needsOperator, { a: [['reimage', failed]] })
    expect(nodes[0]).toMatchObject({ state: 'needs-operator', step: 'reimage', reason: 'no answer' })
  })

  it('needs an operator when not everything could be undone', () => {
    const { nodes } = outcomeOf(exitCode.needsOperator, { a: [['cordon', { ...failed, undo: true }]] })
    expect(nodes[0]?.state).toBe('needs-operator')
  })

  it('is in progress between two steps', () => {
    const { nodes } = outcomeOf(exitCode.interrupted, { a: [['cordon', done]] })
    expect(nodes[0]).toMatchObject({ state: 'in-progress', step: 'cordon', proof: null })
  })

  it('has the proof that its join wrote', () => {
    const { outcome: _, ...expected } = proof
    expect(outcomeOf(exitCode.ok, { a: [['join', proof]] }).nodes[0]?.proof).toEqual(expected)
  })

  it('has no proof when its join did not end well', () => {
    const { nodes } = outcomeOf(exitCode.postCheckFailed, { a: [['join', { ...proof, ...failed }]] })
    expect(nodes[0]?.proof).toBeNull()
  })
})

it('is a document of its schema, whatever the run did', async () => {
  const simulated = simulate(smallScenario())
  const { records, exit } = await simulated.start({ limit: 2 })
  const outcome = makeOutcome({ plan, runId: 'r', records, exit, reason: null, now: 'now', resume: 'resume' })
  expect(outcomeSchema.parse(outcome)).toEqual(outcome)
})

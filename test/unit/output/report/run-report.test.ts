import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../../src/core/outcome.ts'
import { runReport } from '../../../../src/output/report/run-report.ts'
import { attempts, stepRows } from '../../../../src/output/report/step-rows.ts'
import { JournalScript, plan, stoppedRun } from './builders.ts'

function outcome(changes: Partial<Outcome>): Outcome {
  return { ...stoppedRun().outcome, ...changes }
}

describe('the answer', () => {
  test('of a stopped run says what stopped where, and what was not touched', () => {
    const { headline, lead, next, state } = runReport(stoppedRun())
    expect(headline).toBe('1 of 3 nodes moved.')
    expect(lead).toBe(
      'a1 stopped at "compare the data with its fingerprints": data is not what it was before the move: /var/lib/rancher/k3s/storage/pvc-1; k3s stays stopped. s1 has not been touched.',
    )
    expect(next).toBe('k3os-migrate resume 01a0b2c3-d4e5-7000-8000-000000000001')
    expect(state.tone).toBe('bad')
  })

  test('of a complete run', () => {
    const nodes = stoppedRun().outcome.nodes.map((node) => ({
      ...node,
      state: 'done' as const,
      reason: null,
    }))
    const report = runReport(stoppedRun({ outcome: outcome({ nodes, status: 'complete', next: null }) }))
    expect(report).toMatchObject({ headline: 'All 3 nodes moved.', next: null, state: { tone: 'ok' } })
  })

  test('of a node that was brought back says so', () => {
    const [, , waiting] = stoppedRun().outcome.nodes
    const back = { name: 'a2', state: 'rolled-back', step: 'drain', reason: 'budget shop/web' } as const
    const nodes = [
      { ...back, startedAt: null, endedAt: null, proof: null },
      ...(waiting === undefined ? [] : [waiting]),
    ]
    const report = runReport(stoppedRun({ outcome: outcome({ nodes, status: 'paused' }) }))
    expect(report.headline).toBe('No node of 2 nodes moved.')
    expect(report.lead).toBe(
      'a2 is as it was before; it had stopped at "drain": budget shop/web. s1 has not been touched.',
    )
  })
})

describe('steps', () => {
  const report = runReport(stoppedRun())
  const [a2, a1, s1] = report.nodes

  test('of each try stand together, with what was undone', () => {
    expect(a2?.attempts.map(({ number, rows }) => [number, rows.at(-1)?.outcome])).toEqual([
      [1, 'failed'],
      [2, 'done'],
    ])
    expect(a2?.attempts[0]?.rows.find(({ id }) => id === 'cordon')).toMatchObject({
      outcome: 'undone',
      actions: ['cordon a2', 'undo: uncordon a2'],
    })
  })

  test('that failed have their error and time', () => {
    expect(a2?.attempts[0]?.rows.at(-1)).toMatchObject({
      error: 'shop/web-2 could not be evicted in 30m: budget shop/web',
      durationMs: 1_800_000,
    })
  })

  test('took the time of the last try, not of the pause before it', () => {
    expect(a2?.took).toBe('14 min 28 s')
  })

  test('of an untouched node are none', () => {
    expect(s1).toMatchObject({ attempts: [], took: '–', state: { text: 'not begun' } })
  })

  test('that were begun and never ended say so', () => {
    const { records } = new JournalScript().step('n', 'check', 10).after(5).intent('n', 'reimage')
    expect(stepRows(records, 'n').at(-1)).toMatchObject({ outcome: 'unfinished', durationMs: null })
  })

  test('that span two processes take the time of the wall clock', () => {
    const { records } = new JournalScript()
      .intent('n', 'reimage')
      .after(600_000)
      .result('n', 'reimage', 1, { outcome: 'done' })
    const restarted = records.map((record, index) => (index === 0 ? record : { ...record, monotonicMs: 12 }))
    expect(attempts(stepRows(restarted, 'n'))[0]?.rows[0]?.durationMs).toBe(600_000)
  })

  test('prove nothing about data that differs', () => {
    expect(a1?.proven).toEqual([
      expect.objectContaining({ what: '/var/lib/rancher/k3s/storage/pvc-1', holds: false, after: null }),
    ])
  })
})

describe('proof', () => {
  test('compares before and after', () => {
    expect(
      runReport(stoppedRun()).nodes[0]?.proven.map(({ what, says, holds }) => [what, says, holds]),
    ).toEqual([
      ['System UUID', 'the same machine', true],
      ['Boot', 'booted anew', true],
      ['System', 'no longer k3OS', true],
      ['k3s', 'the same version', true],
      ['Nonce', 'the new system answered with the number made for this attempt', true],
    ])
  })

  test.each([
    ['systemUuid', 'other', 'System UUID'],
    ['bootIdAfter', 'boot-of-a2', 'Boot'],
    ['osImageAfter', 'k3OS v0.21.5-k3s2r1', 'System'],
    ['kubeletVersion', 'v1.22.0+k3s1', 'k3s'],
  ])('that fails by %s is shown as failing', (key, value, what) => {
    const nodes = stoppedRun().outcome.nodes.map((node) => ({
      ...node,
      proof: node.proof === null ? null : { ...node.proof, [key]: value },
    }))
    const report = runReport(stoppedRun({ outcome: outcome({ nodes }) }))
    expect(report.nodes[0]?.proven.filter(({ holds }) => !holds).map((row) => row.what)).toEqual([what])
  })

  test('without an inventory claims no sameness', () => {
    const report = runReport(stoppedRun({ inventory: null }))
    expect(report.nodes[0]?.proven.find(({ what }) => what === 'System UUID')).toMatchObject({
      holds: false,
      says: 'not known before: nothing to compare',
    })
  })
})

describe('evidence', () => {
  const verdictOf = (label: string, changes: Parameters<typeof stoppedRun>[0] = {}) =>
    runReport(stoppedRun(changes)).evidence.find((row) => row.label === label)?.verdict?.text

  test('quotes the chain', () => {
    const { records } = stoppedRun().journal
    const rows = runReport(stoppedRun()).evidence
    expect(rows.find(({ label }) => label === 'First hash')?.value).toBe(records[0]?.hash)
    expect(rows.find(({ label }) => label === 'Last hash')?.value).toBe(records.at(-1)?.hash)
    expect(rows.find(({ label }) => label === 'Journal')?.value).toBe(`${records.length} records`)
  })

  test('says what is as it should be', () => {
    expect(verdictOf('Plan digest')).toBe('plan.json has this digest')
    expect(verdictOf('inventory.yaml')).toBe('the one the plan was made from')
  })

  test('says what is not', () => {
    expect(verdictOf('Plan digest', { planDigest: 'sha256:0' })).toBe('plan.json was changed')
    expect(verdictOf('Plan digest', { plan: plan({ target: 'other' }) })).toBe(
      'plan.json is not the plan that was carried out',
    )
    expect(verdictOf('inventory.yaml', { digests: [{ file: 'inventory.yaml', sha256: '00' }] })).toBe(
      'not the one the plan was made from',
    )
    expect(verdictOf('Journal', { journal: { ...stoppedRun().journal, torn: true } })).toBe(
      'a torn last line was left out',
    )
  })
})

import { expect, test } from 'vitest'
import type { Outcome } from '../../../src/core/outcome.ts'
import { runSummary } from '../../../src/output/run-summary.ts'

type Node = Outcome['nodes'][number]
const node = (name: string, changes: Partial<Node> = {}): Node => ({
  name,
  state: 'pending',
  step: null,
  reason: null,
  startedAt: null,
  endedAt: null,
  proof: null,
  ...changes,
})

const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  apiVersion: 'k3os-migrate/v1',
  kind: 'Outcome',
  runId: 'run-1',
  planDigest: 'sha256:0',
  startedAt: '2026-11-24T08:00:00Z',
  endedAt: '2026-11-24T09:00:00Z',
  exit: 9,
  status: 'paused',
  nodes: [
    node('till-1', { state: 'done', startedAt: '2026-11-24T08:00:00Z', endedAt: '2026-11-24T08:05:30Z' }),
    node('till-2', { state: 'rolled-back', step: 'drain', reason: 'shop/web is held by its budget' }),
    node('till-3'),
  ],
  reason: 'till-2: not drained within 1800 s',
  paused: [],
  next: 'k3os-migrate resume run-1',
  ...changes,
})

test('says how far it came, why it stands, what to type, and what became of each node', () => {
  const text = runSummary(outcome())
  expect(text).toMatch(/^## Paused: 1 of 3 nodes moved\n\ntill-2: not drained within 1800 s \(exit 9\)\n/)
  expect(text).toContain('```sh\nk3os-migrate resume run-1\n```')
  expect(text).toMatch(/^\| till-1 \| done \| – \| 5 min 30 s \|/m)
})

test('begins with the node that somebody has to look at', () => {
  const rows = runSummary(outcome())
    .split('\n')
    .filter((line) => line.startsWith('| till'))
  expect(rows[0]).toContain('till-2')
})

test('says nothing of a next command when nothing is left', () => {
  const text = runSummary(outcome({ status: 'complete', exit: 0, next: null, reason: null }))
  expect(text).toMatch(/^## Complete/)
  expect(text).not.toContain('```')
})

test('cannot be made to carry markup of a name or reason', () => {
  const text = runSummary(outcome({ reason: '<img src=x> [a](b)' }))
  expect(text).toContain('\\<img src=x\\> \\[a\\](b)')
})

test('stays small with many nodes', () => {
  const many = Array.from({ length: 20_000 }, (_, index) =>
    node(`till-${index}`, { reason: 'x'.repeat(200) }),
  )
  const text = runSummary(outcome({ nodes: many }))
  expect(new TextEncoder().encode(text).length).toBeLessThan(900 * 1024)
  expect(text).toMatch(/18000 more nodes\.\n$/)
})

import { describe, expect, it } from 'vitest'
import {
  approvalMessage,
  approvalsFor,
  approvalsSchema,
  type ApprovalEntry,
} from '../../../src/core/approvals.ts'

const entry: ApprovalEntry = {
  planDigest: 'sha256:1',
  node: 'a',
  approvedBy: 'kim@example.org',
  at: '2026-11-24T08:00:00.000Z',
}

describe('an approval', () => {
  it('counts for its node of its plan, the earliest first', () => {
    const entries = [
      { ...entry, at: '2026-11-25T08:00:00Z' },
      entry,
      { ...entry, node: 'b' },
      { ...entry, planDigest: 'sha256:2' },
    ]
    expect(approvalsFor(entries, { digest: 'sha256:1' }, { name: 'a' })).toEqual([entries[1], entries[0]])
  })

  it('is signed in its canonical form, without the signature', () => {
    expect(approvalMessage({ ...entry, signature: 'x' })).toBe(
      '{"approvedBy":"kim@example.org","at":"2026-11-24T08:00:00.000Z","node":"a","planDigest":"sha256:1"}',
    )
  })

  it.each([
    ['nobody approved', { ...entry, approvedBy: '' }],
    ['without a time', { ...entry, at: 'yesterday' }],
    ['with something else', { ...entry, all: true }],
  ])('%s is no approval', (_, wrong) => {
    expect(approvalsSchema.safeParse([wrong]).success).toBe(false)
  })
})

import { expect, test } from 'vitest'
import type { Assessment } from '../../../src/core/assessment.ts'
import { jobSummary } from '../../../src/output/job-summary.ts'
import { fiveNodes } from '../../support/five-nodes.ts'

const { assessment } = fiveNodes()

test('says the answer, the counts, what stops a move, every node and the next command', () => {
  const text = jobSummary(assessment)
  expect(text).toMatch(/^## Not yet: \d+ findings stop a move\.\n/)
  expect(text).toContain(`${assessment.summary.inhibitors} inhibitors, `)
  expect(text).toContain('### Next\n\n```sh\nssh rancher@')
  expect(text).toContain('#### somebody cordoned the node till-2')
  expect(text).toMatch(/^\| till-1 \| agent \| fits \| \*\*\d\*\* \| \d+ min \|$/m)
})

test('stays below 900 KiB, says what it leaves out, and keeps the headline', () => {
  const many: Assessment = {
    ...assessment,
    findings: assessment.findings.flatMap((f) =>
      Array.from({ length: 300 }, (_, index) => ({
        ...f,
        key: `${f.key}:${index}`,
        summary: `${f.summary} ${index}`,
      })),
    ),
    nodes: assessment.nodes.flatMap((node) =>
      Array.from({ length: 3000 }, (_, index) => ({
        ...node,
        name: `${node.name}-${index}-${'long'.repeat(8)}`,
      })),
    ),
  }
  const text = jobSummary(many)
  expect(new TextEncoder().encode(text).length).toBeLessThan(900 * 1024)
  expect(text).toMatch(/^## Not yet/)
  expect(text).toMatch(/Left out, because a summary has a limit: \d+ more inhibitors and \d+ more nodes\.\n$/)
})

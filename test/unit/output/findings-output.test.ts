import { expect, test } from 'vitest'
import { finding, type Finding, type Rule } from '../../../src/core/findings.ts'
import { findingsMarkdown } from '../../../src/output/findings-markdown.ts'
import { findingsTable } from '../../../src/output/findings-table.ts'
import { json } from '../../../src/output/json.ts'
import { strip } from '../../../src/output/style.ts'
import { yaml } from '../../../src/core/yaml-text.ts'

const stop: Rule<{ name: string }> = {
  severity: 'inhibitor',
  title: 'Something stops',
  text: ({ name }) => ({
    summary: `${name} stops the move`,
    diagnosis: 'It would be lost.',
    remediations: [
      { type: 'hint', text: 'look at it' },
      { type: 'command', text: `kubectl get ${name}` },
    ],
  }),
}
const note: Rule<object> = { severity: 'low', title: 'Note', text: () => ({ summary: 'good to know' }) }

const stops = (name: string): Finding =>
  finding('PRE-STOP', stop, { name }, { subject: { kind: 'Node', name } })
const notes = finding('PRE-NOTE', note, {}, { subject: { kind: 'Cluster' } })

test('the table has the worst first and commands below', () => {
  expect(strip(findingsTable([notes, stops('n1')]))).toBe(
    [
      'SEVERITY   RULE      SUBJECT  SUMMARY',
      'inhibitor  PRE-STOP  Node n1  n1 stops the move',
      'low        PRE-NOTE  Cluster  good to know',
      '',
      'PRE-STOP Node n1: n1 stops the move',
      '  look at it',
      '    kubectl get n1',
      '',
    ].join('\n'),
  )
})

test('a waived inhibitor is no longer one', () => {
  const waived: Finding = {
    ...stops('n1'),
    waiver: { reason: 'spare', approvedBy: 'kim', expires: null, ticket: null },
  }
  const text = strip(findingsTable([waived]))
  expect(text).toContain('waived    PRE-STOP')
  expect(text).toContain('(waived: spare)')
  expect(text).not.toContain('kubectl')
})

test('a check that could not run says error', () => {
  expect(strip(findingsTable([{ ...notes, result: 'error' }]))).toContain('error     PRE-NOTE')
})

test('passed checks are not findings', () => {
  expect(findingsTable([{ ...notes, result: 'pass' }])).toBe('No findings.\n')
  expect(findingsMarkdown([{ ...notes, result: 'pass' }])).toBe('No findings.\n')
})

test('summaries wrap at 100 columns', () => {
  const long = finding(
    'PRE-STOP',
    { severity: 'high', title: 'x', text: () => ({ summary: 'word '.repeat(40).trim() }) },
    {},
    { subject: { kind: 'Node', name: 'n1' } },
  )
  const lines = strip(findingsTable([long])).split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
})

test('Markdown neither runs markup nor breaks the table', () => {
  const [prose = '', block = ''] = findingsMarkdown([stops('<script>|x\n# y')]).split('```sh\n')
  expect(prose).not.toContain('<script>')
  expect(prose).toContain('\\<script\\>\\|x\\\\n\\# y stops the move')
  expect(block).toBe('kubectl get <script>|x\n# y\n```\n')
})

test('JSON has every key of a finding, also the empty ones', () => {
  expect(Object.keys(JSON.parse(json(notes)) as object)).toEqual([
    'key',
    'rule',
    'severity',
    'result',
    'title',
    'summary',
    'diagnosis',
    'subject',
    'nodes',
    'location',
    'evidence',
    'remediations',
    'links',
    'waiver',
  ])
})

test('JSON hides C1 control characters from terminals and keeps the value', () => {
  const text = json({ name: 'a\u009b2J' })
  expect(text).not.toContain('\u009b')
  expect(JSON.parse(text)).toEqual({ name: 'a\u009b2J' })
})

test('YAML quotes what older readers would turn into something else', () => {
  expect(yaml({ answer: 'yes', time: '1:30', mode: '0644' })).toBe(
    'answer: "yes"\ntime: "1:30"\nmode: "0644"\n',
  )
})

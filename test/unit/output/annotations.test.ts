import { expect, test } from 'vitest'
import { finding, type Finding, type Rule, type Severity } from '../../../src/core/findings.ts'
import { githubAnnotations } from '../../../src/output/annotations.ts'

const rule: Rule<{ text: string }> = {
  severity: 'high',
  title: 'A title',
  text: ({ text }) => ({ summary: text }),
}

function found(
  text: string,
  severity: Severity,
  place?: { file: string; line: number; column: number },
): Finding {
  return finding(
    'CFG-X',
    rule,
    { text },
    {
      subject: { kind: 'Configuration', name: text },
      nodes: ['n1'],
      severity,
      ...(place === undefined ? {} : { location: place }),
    },
  )
}

test('the worst comes first, with its place', () => {
  const place = { file: '/k3os/system/config.yaml', line: 3, column: 5 }
  expect(githubAnnotations([found('b', 'medium'), found('c', 'low'), found('a', 'inhibitor', place)])).toBe(
    '::error file=n1/k3os/system/config.yaml,line=3,col=5,title=CFG-X::a\n::warning title=CFG-X::b\n',
  )
})

test('a name cannot give orders of its own', () => {
  expect(githubAnnotations([found('a\n::set-output name=x::y 100%', 'high')])).toBe(
    '::error title=CFG-X::a\\n::set-output name=x::y 100%25\n',
  )
})

test('ten of each are shown, the rest are counted', () => {
  const lines = githubAnnotations(
    Array.from({ length: 14 }, (_, index) => found(`f${index}`, 'high')),
  ).trimEnd()
  expect(lines.split('\n')).toHaveLength(11)
  expect(lines).toMatch(/::notice title=k3os-migrate::4 more findings are in the report$/)
})

test('what a waiver covers is not said', () => {
  const waiver = { reason: 'r', approvedBy: 'k', expires: null, ticket: null }
  expect(githubAnnotations([{ ...found('a', 'inhibitor'), waiver }])).toBe('')
})

import { findingsMarkdown } from '../findings-markdown.ts'
import { code, codeBlock, inline, markdownTable } from '../markdown.ts'
import { openFindings } from './findings-order.ts'
import type { Row } from './html-parts.ts'
import type { NodeReport } from './node-report.ts'
import type { EvidenceRow, RunReport } from './run-report.ts'
import type { Attempt } from './step-rows.ts'
import { capital, clockText, durationText, timeText } from './words.ts'

/** The same report for a pull request, a wiki or a job summary. */
export function reportMarkdown(report: RunReport): string {
  const { assessment } = report
  const blocks = [
    `# ${inline(report.headline)}\n`,
    `${inline(report.lead)}\n`,
    report.next === null ? '' : `Next:\n\n${codeBlock(report.next, 'sh')}`,
    definitions(report.about),
    '## Nodes\n',
    overview(report.nodes),
    ...report.nodes.map(nodeSection),
    ...(assessment === null
      ? []
      : ['## Findings\n', findingsMarkdown(openFindings(assessment)), '## Checks\n', checks(assessment)]),
    evidence(report),
  ]
  return blocks.filter((block) => block !== '').join('\n')
}

function definitions(list: readonly (Row | EvidenceRow)[]): string {
  return list
    .map((row) => {
      const says = 'verdict' in row && row.verdict !== null ? ` (${inline(row.verdict.text)})` : ''
      return `- ${inline(row.label)}: ${row.kind === 'code' ? code(row.value) : inline(row.value)}${says}\n`
    })
    .join('')
}

function overview(nodes: readonly NodeReport[]): string {
  return markdownTable(
    ['Node', 'Role', 'State', 'Last step', 'Took'],
    nodes.map(({ name, role, state, step, took }) => [name, role, state.text, step ?? '–', took].map(inline)),
  )
}

function nodeSection(node: NodeReport): string {
  const proven = node.proven.map(({ what, before, after, says, holds }) => [
    inline(what),
    before === null ? '–' : code(before),
    after === null ? '–' : code(after),
    holds ? inline(says) : `**${inline(says)}**`,
  ])
  return [
    `## ${inline(node.name)}: ${inline(node.state.text)}\n`,
    node.reason === null ? '' : `${inline(node.reason)}\n`,
    '### Found\n',
    node.found.length === 0 ? 'There is no inventory in the run directory.\n' : definitions(node.found),
    '### Decided\n',
    node.decided.length === 0 ? 'There is no plan in the run directory.\n' : definitions(node.decided),
    '### Done\n',
    node.attempts.length === 0
      ? 'Nothing was done on this node.\n'
      : node.attempts.map((attempt) => stepTable(attempt, node.attempts.length)).join('\n'),
    '### Proven\n',
    proven.length === 0
      ? 'Nothing yet: the proof is taken when the node has rejoined.\n'
      : markdownTable(['What', 'Before', 'After', 'Says'], proven),
  ]
    .filter((block) => block !== '')
    .join('\n')
}

function stepTable({ number, rows }: Attempt, of: number): string {
  const steps = rows.map((row) => [
    [
      `**${inline(capital(row.title))}**`,
      ...row.actions.map((action) => inline(capital(action))),
      ...(row.error === null ? [] : [inline(row.error)]),
    ].join('<br>'),
    row.outcome,
    clockText(row.startedAt),
    row.durationMs === null ? 'no end' : durationText(row.durationMs),
  ])
  const day = timeText(rows[0]?.startedAt ?? '').slice(0, 10)
  const title = of === 1 ? '' : `Try ${number}:\n\n`
  return `${title}${markdownTable(['Step', 'Result', `Began, ${day} UTC`, 'Took'], steps)}`
}

function checks(assessment: NonNullable<RunReport['assessment']>): string {
  return markdownTable(
    ['Rule', 'What was looked for', 'Result'],
    assessment.checks.map(({ rule, title, result, findings, reason }) => [
      code(rule),
      inline(title),
      inline(result === 'fail' ? `${findings} found` : reason === null ? result : `${result}: ${reason}`),
    ]),
  )
}

function evidence({ evidence: list, missing }: RunReport): string {
  const gone =
    missing.length === 0
      ? ''
      : `\nNot in the run directory, and so not in this report: ${missing.map(inline).join(', ')}.\n`
  return `## Evidence\n\n${definitions(list)}${gone}`
}

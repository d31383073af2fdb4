import type { Assessment } from '../core/assessment.ts'
import { findingsMarkdown } from './findings-markdown.ts'
import { findingsTable } from './findings-table.ts'
import { fitMarkdown, fitTable } from './fit-table.ts'
import { code, inline, markdownTable } from './markdown.ts'
import { mark } from './style.ts'

/** An assessment for a terminal: the answer first, then findings with remedies, then which target fits. */
export function assessmentText(assessment: Assessment, options: { readonly width?: number } = {}): string {
  const width = options.width ?? 100
  const fit = assessment.fit.length === 0 ? '' : fitTable(assessment.fit, { width })
  return [answer(assessment), findingsTable(assessment.findings, { width }), fit]
    .filter((part) => part !== '')
    .join('\n')
}

function answer(assessment: Assessment): string {
  const { inhibitors, nodes, nodesRead } = assessment.summary
  const verdict =
    inhibitors === 0
      ? mark('ok', 'Nothing stops a move.')
      : mark('bad', inhibitors === 1 ? '1 finding stops a move.' : `${inhibitors} findings stop a move.`)
  return `${verdict} ${nodesRead} of ${nodes} nodes read; ${counts(assessment)}.\n`
}

function counts({ summary, checks }: Assessment): string {
  const { high, medium, low, info, waived } = summary
  const unlooked = checks.filter(({ result }) => result === 'skip').length
  return [
    `${high} high, ${medium} medium, ${low} low, ${info} info`,
    ...(waived === 0 ? [] : [`${waived} waived`]),
    `${checks.length - unlooked} of ${checks.length} checks looked at`,
  ].join('; ')
}

/** The same for a pull request or a job summary. */
export function assessmentMarkdown(assessment: Assessment): string {
  const { inhibitors, nodes, nodesRead } = assessment.summary
  const verdict =
    inhibitors === 0
      ? 'Nothing stops a move.'
      : inhibitors === 1
        ? '1 finding stops a move.'
        : `${inhibitors} findings stop a move.`
  const checks = assessment.checks.map(({ rule, title, result, reason }) => [
    code(rule),
    inline(title),
    reason === null || result === 'fail' ? result : inline(`${result}: ${reason}`),
  ])
  return [
    '# k3OS migration assessment\n',
    `**${verdict}** ${nodesRead} of ${nodes} nodes read; ${counts(assessment)}.\n`,
    '## Findings\n',
    findingsMarkdown(assessment.findings),
    '## Targets\n',
    assessment.fit.length === 0 ? 'No target was looked at.\n' : fitMarkdown(assessment.fit),
    '## Checks\n',
    markdownTable(['Rule', 'What was looked for', 'Result'], checks),
  ].join('\n')
}

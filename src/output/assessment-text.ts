import type { Assessment, Fit, FitVerdict } from '../core/assessment.ts'
import { findingsMarkdown } from './findings-markdown.ts'
import { findingsTable } from './findings-table.ts'
import { code, inline, markdownTable } from './markdown.ts'
import { mark, type Role } from './style.ts'
import { table, type Cell } from './table.ts'

/** An assessment for a terminal: the answer first, then findings with remedies, then which target fits. */
export function assessmentText(assessment: Assessment, options: { readonly width?: number } = {}): string {
  const width = options.width ?? 100
  const fit =
    assessment.fit.length === 0
      ? ''
      : table(['NODE', 'TARGET', 'FIT', 'WHY'], assessment.fit.map(fitCells), { width })
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

const verdictRoles: Readonly<Record<FitVerdict, Role>> = {
  fits: 'ok',
  'fits with changes': 'warn',
  'does not fit': 'bad',
  unknown: 'bad',
}

function fitCells({ node, target, verdict, reasons }: Fit): Cell[] {
  return [
    node,
    target,
    { text: verdict, role: verdictRoles[verdict] },
    reasons.map(({ text }) => text).join('; '),
  ]
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
  const fit = assessment.fit.map(({ node, target, verdict: fits, reasons }) => [
    inline(node),
    inline(target),
    fits,
    inline(reasons.map(({ text }) => text).join('; ')),
  ])
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
    fit.length === 0 ? 'No target was looked at.\n' : markdownTable(['Node', 'Target', 'Fit', 'Why'], fit),
    '## Checks\n',
    markdownTable(['Rule', 'What was looked for', 'Result'], checks),
  ].join('\n')
}

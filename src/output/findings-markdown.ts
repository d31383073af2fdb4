import { isInhibitor, sortFindings, type Finding } from '../core/findings.ts'
import { placeText, severityWord, subjectText } from './findings-table.ts'
import { code, codeBlock, inline, markdownTable } from './markdown.ts'

/** Findings as GitHub-flavoured Markdown: one table, then diagnosis and remedy of what is above `low`. */
export function findingsMarkdown(findings: readonly Finding[]): string {
  const shown = sortFindings(findings).filter((f) => f.result === 'fail' || f.result === 'error')
  if (shown.length === 0) return 'No findings.\n'
  const overview = markdownTable(
    ['Severity', 'Rule', 'Subject', 'Summary'],
    shown.map((f) => [
      isInhibitor(f) ? `**${severityWord(f)}**` : severityWord(f),
      code(f.rule),
      inline(subjectText(f.subject)),
      inline([f.summary, placeText(f)].join(' ').trim()),
    ]),
  )
  return [overview, ...shown.filter(hasMoreToSay).map(detail)].join('\n')
}

function hasMoreToSay(f: Finding): boolean {
  if (f.waiver !== null) return true
  const serious = isInhibitor(f) || f.severity === 'high' || f.severity === 'medium'
  return serious && (f.diagnosis !== '' || f.remediations.length > 0)
}

function detail(f: Finding): string {
  const parts = [`#### ${inline(f.summary)}\n`, `${code(f.rule)} · ${inline(subjectText(f.subject))}\n`]
  if (f.waiver !== null) {
    const until = f.waiver.expires === null ? '' : ` until ${f.waiver.expires}`
    parts.push(`Waived${inline(until)} by ${inline(f.waiver.approvedBy)}: ${inline(f.waiver.reason)}\n`)
  }
  if (f.diagnosis !== '') parts.push(`${inline(f.diagnosis)}\n`)
  for (const { type, text } of f.remediations)
    parts.push(type === 'hint' ? `${inline(text)}\n` : codeBlock(text, type === 'command' ? 'sh' : ''))
  return parts.join('\n')
}

import type { Assessment } from '../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding } from '../core/findings.ts'
import { byRule } from './audit/audit.ts'
import { answers, bestFits } from './audit/answers.ts'
import { minutesText } from './audit/time-text.ts'
import { severityWord, subjectText } from './findings-table.ts'
import { code, codeBlock, inline, markdownTable } from './markdown.ts'
import { list, plural } from './report/words.ts'

/** GitHub refuses a summary above 1024 KiB; steps before may have written to the same file. */
const limitBytes = 900 * 1024

/**
 * The headline of an assessment for the page of a CI job: what stops a move with its remedy, a row for each node, the next
 * command. Whole rows are left out, with a note, until it is smaller than 900 KiB.
 */
export function jobSummary(assessment: Assessment): string {
  const says = answers(assessment)
  const inhibitors = sortFindings(assessment.findings).filter(isInhibitor)
  const head = [
    `## ${inline(says.headline)}\n`,
    `${says.canWeLeave.map(inline).join(' ')}\n`,
    counts(assessment),
    rulesTable(assessment),
  ]
  const rows = inhibitors.map(inhibitorBlock)
  const nodes = nodeRows(assessment)
  const next = nextBlock(says.first)
  return withinLimit(head.join('\n'), rows, nodes, next)
}

function counts({ summary }: Assessment): string {
  const { inhibitors, high, medium, low, info, waived } = summary
  return `${inhibitors} inhibitors, ${high} high, ${medium} medium, ${low} low, ${info} info, ${waived} waived.\n`
}

function rulesTable({ findings }: Assessment): string {
  const open = findings.filter(({ result }) => result === 'fail' || result === 'error')
  if (open.length === 0) return 'Nothing was found.\n'
  const rows = byRule(open).map(({ rule, title, findings: own }) => [
    severityWord(own[0]),
    code(rule),
    inline(title),
    String(own.length),
  ])
  return markdownTable(['Severity', 'Rule', 'What', 'Times'], rows)
}

function inhibitorBlock(f: Finding): string {
  const remedies = f.remediations.map(({ type, text }) =>
    type === 'hint' ? `${inline(text)}\n` : codeBlock(text, 'sh'),
  )
  return [
    `#### ${inline(f.summary)}\n`,
    `${code(f.rule)} · ${inline(subjectText(f.subject))}\n`,
    ...remedies,
  ].join('\n')
}

function nodeRows(assessment: Assessment): readonly string[] {
  const best = bestFits(assessment)
  const stops = new Map<string, number>()
  for (const f of assessment.findings.filter(isInhibitor))
    for (const node of f.nodes) stops.set(node, (stops.get(node) ?? 0) + 1)
  return assessment.nodes.map(({ name, role, estimate }) =>
    [
      inline(name),
      role,
      best.get(name) ?? '–',
      stops.has(name) ? `**${stops.get(name)}**` : '0',
      minutesText(estimate.seconds),
    ].join(' | '),
  )
}

function nextBlock(first: ReturnType<typeof answers>['first']): string {
  const [command] = first.flatMap((step) => (step.command === null ? [] : [step.command]))
  return command === undefined ? '' : `### Next\n\n${codeBlock(command, 'sh')}`
}

function withinLimit(
  head: string,
  blocks: readonly string[],
  nodes: readonly string[],
  next: string,
): string {
  // Half for what stops a move, the rest for the nodes.
  const room = limitBytes - bytes(head) - bytes(next) - 4096
  const shownBlocks = fitting(blocks, Math.floor(room / 2))
  const shownNodes = fitting(nodes, room - shownBlocks.reduce((sum, block) => sum + bytes(block) + 1, 0))
  const table =
    nodes.length === 0
      ? []
      : [
          '### Nodes\n',
          `| Node | Role | Best fit | In the way | Takes |\n| --- | --- | --- | --- | --- |\n${shownNodes.map((row) => `| ${row} |\n`).join('')}`,
        ]
  const left = [
    ...(shownBlocks.length < blocks.length
      ? [plural(blocks.length - shownBlocks.length, 'more inhibitor')]
      : []),
    ...(shownNodes.length < nodes.length ? [plural(nodes.length - shownNodes.length, 'more node')] : []),
  ]
  const note = left.length === 0 ? [] : [`Left out, because a summary has a limit: ${list(left)}.\n`]
  return [
    head,
    next,
    ...(blocks.length === 0 ? [] : ['### What stops a move\n', ...shownBlocks]),
    ...table,
    ...note,
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function fitting(parts: readonly string[], room: number): readonly string[] {
  let used = 0
  const end = parts.findIndex((part) => {
    used += bytes(part) + 8
    return used > room
  })
  return end === -1 ? parts : parts.slice(0, end)
}

const encoder = new TextEncoder()

function bytes(text: string): number {
  return encoder.encode(text).length
}

import type { Outcome } from '../core/outcome.ts'
import { codeBlock, inline, markdownTable } from './markdown.ts'
import { durationText, plural } from './report/words.ts'

/** Rows of a page that may hold 1024 KiB in all; those that need somebody come first. */
const limitRows = 2_000

/** The end of a run for the page of a CI job: what became of it and why, a row for each node, what to type next. */
export function runSummary(outcome: Outcome): string {
  const { nodes, reason, next } = outcome
  const shown = nodes.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, limitRows)
  const rows = shown.map((node) => [
    inline(node.name),
    node.state,
    inline(node.step ?? '–'),
    tookText(node),
    inline(node.reason ?? proofText(node)),
  ])
  return [
    `## ${headline(outcome)}\n`,
    ...(reason === null ? [] : [`${inline(reason)} (exit ${outcome.exit})\n`]),
    ...(next === null ? [] : [codeBlock(next, 'sh')]),
    markdownTable(['Node', 'State', 'Step', 'Took', 'Because'], rows),
    ...(shown.length < nodes.length ? [`${plural(nodes.length - shown.length, 'more node')}.\n`] : []),
  ].join('\n')
}

function headline({ status, nodes }: Outcome): string {
  const done = nodes.filter(({ state }) => state === 'done').length
  const moved = `${done} of ${plural(nodes.length, 'node')} moved`
  switch (status) {
    case 'complete':
      return `Complete: ${moved}`
    case 'partial':
      return `Going well: ${moved}`
    case 'paused':
      return `Paused: ${moved}`
    case 'needs-operator':
      return `Needs a person: ${moved}`
    case 'abandoned':
      return `Abandoned: ${moved}`
  }
}

const order: readonly Outcome['nodes'][number]['state'][] = [
  'needs-operator',
  'rolled-back',
  'in-progress',
  'done',
  'pending',
]

function urgency({ state }: Outcome['nodes'][number]): number {
  return order.indexOf(state)
}

function tookText({ startedAt, endedAt }: Outcome['nodes'][number]): string {
  return startedAt === null || endedAt === null
    ? '–'
    : durationText(Date.parse(endedAt) - Date.parse(startedAt))
}

function proofText({ proof }: Outcome['nodes'][number]): string {
  return proof === null ? '' : `${proof.osImageBefore} → ${proof.osImageAfter}, same machine, new boot`
}

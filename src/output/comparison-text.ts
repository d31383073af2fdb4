import type { Comparison } from '../core/comparison.ts'
import { fates, type ValueFate } from '../core/fates.ts'
import { inline, markdownTable } from './markdown.ts'
import { table, type Cell } from './table.ts'
import type { Role } from './style.ts'

/** Counts for each node and target, then what would be missed, worst first. */
export function comparisonText(document: Comparison, options: { readonly width?: number } = {}): string {
  const counts = countRows(document).map((row) => row.map(String))
  const parts = [table(countHeads, counts, { ...options, right: countHeads.slice(2) })]
  const missed = document.losses.map((loss): Cell[] => [
    { text: loss.severity, role: roles[loss.severity] },
    loss.rule,
    some(loss.targets, document.targets.length),
    some(loss.nodes, document.nodes.length),
    loss.summary,
  ])
  if (missed.length > 0) parts.push(table(lossHeads, missed, options))
  for (const { name, unread } of document.nodes)
    if (unread !== null) parts.push(`${name} could not be read: ${unread}\n`)
  return parts.join('\n')
}

export function comparisonMarkdown(document: Comparison): string {
  const missed = document.losses.map((loss) => [
    loss.severity,
    loss.rule,
    inline(some(loss.targets, document.targets.length)),
    inline(some(loss.nodes, document.nodes.length)),
    inline(loss.summary),
  ])
  return [
    markdownTable(
      countHeads,
      countRows(document).map((row) => row.map((cell) => inline(String(cell)))),
    ),
    ...(missed.length === 0 ? [] : [markdownTable(lossHeads, missed)]),
  ].join('\n')
}

const countHeads = ['NODE', 'TARGET', ...fates.map((fate) => fate.toUpperCase())]
const lossHeads = ['SEVERITY', 'RULE', 'TARGETS', 'NODES', 'SUMMARY']

function countRows({ nodes }: Comparison): (string | number)[][] {
  return nodes.flatMap(({ name, targets }) =>
    targets.map(({ target, counts }) => [name, target, ...fates.map((fate) => counts[fate])]),
  )
}

function some(names: readonly string[], all: number): string {
  if (names.length === all && all > 1) return 'all'
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ')
}

const roles: Readonly<Record<Comparison['losses'][number]['severity'], Role>> = {
  inhibitor: 'bad',
  high: 'warn',
  medium: 'warn',
  low: 'dim',
  info: 'dim',
}

/** Where one value goes on each target, and why. */
export function explanationText(
  rows: readonly { readonly node: string; readonly target: string; readonly value: ValueFate }[],
  options: { readonly width?: number } = {},
): string {
  return table(
    ['NODE', 'PATH', 'TARGET', 'FATE', 'WHERE AND WHY'],
    rows.map(({ node, target, value }): Cell[] => [
      node,
      value.path,
      target,
      { text: value.fate, role: value.fate === 'lost' || value.fate === 'manual' ? 'warn' : 'name' },
      [
        ...value.to.map(({ file, path }) => (path === undefined ? file : `${file}: ${path}`)),
        ...value.because.map(({ rule, summary }) => `${rule}: ${summary}`),
      ].join('; '),
    ]),
    options,
  )
}

import type { Fit, FitVerdict } from '../core/assessment.ts'
import { inline, markdownTable } from './markdown.ts'
import type { Role } from './style.ts'
import { table } from './table.ts'

/** The one table of nodes and targets: `assess`, `targets` and whatever compares targets print it. */
export function fitTable(fit: readonly Fit[], options: { readonly width?: number } = {}): string {
  const rows = fit.map(({ node, target, verdict, reasons }) => [
    node,
    target,
    { text: verdict, role: verdictRoles[verdict] },
    reasons.map(({ text }) => text).join('; '),
  ])
  return table(['NODE', 'TARGET', 'FIT', 'WHY'], rows, options)
}

export function fitMarkdown(fit: readonly Fit[]): string {
  const rows = fit.map(({ node, target, verdict, reasons }) => [
    inline(node),
    inline(target),
    verdict,
    inline(reasons.map(({ text }) => text).join('; ')),
  ])
  return markdownTable(['Node', 'Target', 'Fit', 'Why'], rows)
}

const verdictRoles: Readonly<Record<FitVerdict, Role>> = {
  fits: 'ok',
  'fits with changes': 'warn',
  'does not fit': 'bad',
  unknown: 'bad',
}

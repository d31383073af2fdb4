import type { Targets } from '../core/targets.ts'
import { fitMarkdown, fitTable } from './fit-table.ts'
import { code, inline, markdownTable } from './markdown.ts'
import { table } from './table.ts'
import { targetNeeds } from './target-needs.ts'

export function targetsText(
  { targets, refused, fit }: Targets,
  options: { readonly width?: number } = {},
): string {
  const rows = targets.map(({ id, title, requires }) => [
    { text: id, role: 'name' } as const,
    title,
    targetNeeds(requires).join('; '),
  ])
  const width = options.width ?? 100
  return [
    table(['TARGET', 'SYSTEM', 'NEEDS AND OFFERS'], rows, { width }),
    ...(refused.length === 0
      ? []
      : [
          table(
            ['NO TARGET', 'BECAUSE'],
            refused.map(({ id, reason }) => [id, reason]),
            { width },
          ),
        ]),
    ...(fit === null
      ? []
      : [fit.length === 0 ? 'No node of the inventory runs k3OS.\n' : fitTable(fit, { width })]),
  ].join('\n')
}

export function targetsMarkdown({ targets, refused, fit }: Targets): string {
  return [
    '## Targets\n',
    markdownTable(
      ['Target', 'System', 'Needs and offers'],
      targets.map(({ id, title, requires }) => [
        code(id),
        inline(title),
        inline(targetNeeds(requires).join('; ')),
      ]),
    ),
    ...refused.map(({ id, reason }) => `${code(id)} is no target: ${inline(reason)}.\n`),
    ...(fit === null
      ? []
      : ['## Fit\n', fit.length === 0 ? 'No node of the inventory runs k3OS.\n' : fitMarkdown(fit)]),
  ].join('\n')
}

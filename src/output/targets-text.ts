import type { AssessedTarget } from '../core/assess/context.ts'
import { sizeText } from '../core/assess/size-text.ts'
import type { Fit } from '../core/assessment.ts'
import type { Requirements } from '../core/requirements.ts'
import { fitMarkdown, fitTable } from './fit-table.ts'
import { code, inline, markdownTable } from './markdown.ts'
import { table } from './table.ts'

/** The document `Targets`. */
export interface Targets {
  readonly apiVersion: 'k3os-migrate/v1'
  readonly kind: 'Targets'
  readonly metadata: { readonly createdAt: string; readonly toolVersion: string }
  readonly targets: readonly AssessedTarget[]
  /** Systems that are asked for and are none, each with the reason. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  /** Null without an inventory. */
  readonly fit: readonly Fit[] | null
}

export function targetsText(
  { targets, refused, fit }: Targets,
  options: { readonly width?: number } = {},
): string {
  const rows = targets.map(({ id, title, requires }) => [
    { text: id, role: 'name' } as const,
    title,
    needs(requires).join('; '),
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
      targets.map(({ id, title, requires }) => [code(id), inline(title), inline(needs(requires).join('; '))]),
    ),
    ...refused.map(({ id, reason }) => `${code(id)} is no target: ${inline(reason)}.\n`),
    ...(fit === null
      ? []
      : ['## Fit\n', fit.length === 0 ? 'No node of the inventory runs k3OS.\n' : fitMarkdown(fit)]),
  ].join('\n')
}

function needs(requires: Requirements): string[] {
  const { machines, x86Level, firmware, memoryMib, diskMib, cgroup, network, k3s } = requires
  const size = (mib: number): string => sizeText(mib * 1024 * 1024)
  return [
    machines.join(', '),
    ...(machines.includes('x86_64') ? [`x86-64-v${x86Level}`] : []),
    firmware.map((kind) => kind.toUpperCase()).join(' or '),
    `${size(memoryMib)} memory`,
    `${size(diskMib)} disk`,
    `cgroup ${cgroup.join(' or ')}`,
    ...(network === undefined ? [] : [wifi[network.wifi]]),
    ...(k3s?.oldest == null ? [] : [`k3s ${k3s.oldest} or newer`]),
    ...(k3s?.newest == null ? [] : [`k3s ${k3s.newest} or older`]),
    ...(requires.image === undefined ? [] : ['no image yet']),
    requires.rejoins ? 'joins the cluster again' : 'grows a new cluster',
  ]
}

const wifi = { works: 'Wi-Fi', setup: 'Wi-Fi with packages to be added', none: 'no Wi-Fi' } as const

import type { Assessment, Fit } from '../../core/assessment.ts'
import { html, type Html } from '../html.ts'
import { plural } from '../report/words.ts'
import { elide } from '../text-width.ts'

/** Rows of one picture: as many as fit on a printed page, because a picture cannot be cut. */
const rowsEach = 36
const cell = 28
const labelWidth = 190
const headHeight = 96
/** Room for the last slanted name. */
const overhang = 70
const longestName = 24

/**
 * Nodes × targets as pictures. Shape and colour both say the verdict; what a picture shows is also in words: its label
 * for those who cannot see it, and the reasons in the section of each node.
 */
export function fitMatrix({ nodes, targets, fit }: Assessment): Html[] {
  const cells = new Map(fit.map((one) => [keyOf(one.node, one.target), one.verdict]))
  const names = nodes.map(({ name }) => name)
  const pages = Array.from({ length: Math.ceil(names.length / rowsEach) }, (_, page) =>
    names.slice(page * rowsEach, (page + 1) * rowsEach),
  )
  return pages.map((page) => picture(page, targets, cells))
}

const keyOf = (node: string, target: string): string => `${node}\n${target}`

const shapes: Readonly<Record<Fit['verdict'], { readonly name: string; readonly path: string }>> = {
  fits: { name: 'fits', path: 'M7 14.5 L12 19.5 L21 9' },
  'fits with changes': { name: 'changes', path: 'M14 7.5 V15.5 M14 19.5 V20.5' },
  'does not fit': { name: 'not', path: 'M9 9 L19 19 M19 9 L9 19' },
  unknown: { name: 'unknown', path: 'M9 14 H19' },
}

function picture(
  names: readonly string[],
  targets: Assessment['targets'],
  cells: ReadonlyMap<string, Fit['verdict']>,
): Html {
  const width = labelWidth + targets.length * cell + overhang
  const height = headHeight + names.length * cell
  const heads = targets.map(({ id }, column) => {
    const x = labelWidth + column * cell + cell / 2 + 4
    return html`<text class="head" transform="translate(${x} ${headHeight - 10}) rotate(-45)">
      ${elide(id, 18)}
    </text>`
  })
  const rows = names.map((name, row) => {
    const y = headHeight + row * cell
    return html`<g transform="translate(0 ${y})">
      <text class="name" x="${labelWidth - 12}" y="19" text-anchor="end">${elide(name, longestName)}</text>
      ${targets.map(({ id }, column) => mark(cells.get(keyOf(name, id)) ?? 'unknown', labelWidth + column * cell))}
    </g> `
  })
  return html`<svg
    class="matrix"
    role="img"
    aria-label="${describe(names, targets, cells)}"
    width="${width}"
    height="${height}"
    viewBox="0 0 ${width} ${height}"
  >
    ${heads} ${rows}
  </svg>`
}

function mark(verdict: Fit['verdict'], x: number): Html {
  const { name, path } = shapes[verdict]
  return html`<g class="fit-${name}" transform="translate(${x} 0)">
    <rect x="1.5" y="1.5" width="${cell - 3}" height="${cell - 3}" rx="4" />
    <path d="${path}" />
  </g> `
}

function describe(
  names: readonly string[],
  targets: Assessment['targets'],
  cells: ReadonlyMap<string, Fit['verdict']>,
): string {
  const perTarget = targets.map(({ id }) => {
    const own = names.map((name) => cells.get(keyOf(name, id)) ?? 'unknown')
    const parts = Object.keys(shapes).flatMap((verdict) => {
      const count = own.filter((one) => one === verdict).length
      return count === 0 ? [] : [`${count} ${verdict}`]
    })
    return `${id}: ${parts.join(', ')}`
  })
  return `Which target fits, ${plural(names.length, 'node')}. ${perTarget.join('. ')}.`
}

/** What the shapes mean, in the order from best to worst. */
export function fitLegend(): Html {
  return html`<ul class="legend">
    ${Object.entries(shapes).map(
      ([verdict, { name, path }]) =>
        html`<li>
          <svg width="20" height="20" viewBox="0 0 28 28" aria-hidden="true" focusable="false">
            <g class="fit-${name}">
              <rect x="1.5" y="1.5" width="25" height="25" rx="4" />
              <path d="${path}" />
            </g>
          </svg>
          ${verdict}
        </li>`,
    )}
  </ul>`
}

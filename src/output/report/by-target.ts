import { html, type Html } from '../html.ts'

/** One row of a table with a column for each target: its name, and a cell for each, or one over all of them. */
export interface TargetRow {
  readonly name: string | Html
  readonly cells: readonly Html[] | { readonly instead: string }
}

/** Rows by targets. Wide tables scroll by themselves; on narrow screens each cell names its target. */
export function tableByTarget(table: {
  /** For those who cannot see it. */
  readonly label: string
  /** Head of the first column. */
  readonly of: string
  readonly targets: readonly string[]
  readonly rows: readonly TargetRow[]
  readonly kind?: string
}): Html {
  const { targets } = table
  const rows = table.rows.map(
    ({ name, cells }) =>
      html`<tr>
        <th scope="row">${name}</th>
        ${
          'instead' in cells
            ? html`<td colspan="${targets.length}">${cells.instead}</td>`
            : targets.map((target, index) => html`<td data-label="${target}">${cells[index] ?? null}</td>`)
        }
      </tr>`,
  )
  return scrolling(
    table.label,
    html`<table class="${table.kind ?? 'by-target'}">
      <thead>
        <tr>
          <th scope="col">${table.of}</th>
          ${targets.map((target) => html`<th scope="col">${target}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

/** Scrolls by itself, also with the keyboard. */
export function scrolling(label: string, content: Html): Html {
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0">${content}</div>`
}

/** Styles of what is here, for the page it is on. */
export const byTargetCss = `
.wide { overflow-x: auto; }
.wide:focus-visible { outline: 2px solid var(--link); }
.wide table { width: auto; min-width: 100%; }
.wide tbody th { border-bottom: 1px solid var(--line); vertical-align: top; color: var(--ink); }
.wide td { min-width: 8.5rem; }
`

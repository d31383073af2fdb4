import { mark, plain, type Role } from './style.ts'
import { displayWidth, wrap } from './text-width.ts'

/** Text of one cell; with a role it is marked. The table makes it harmless, so pass it raw. */
export type Cell = string | { readonly text: string; readonly role: Role }

export interface TableOptions {
  /** Columns the table may take: the last column is wrapped to it. Not given = never wrapped. */
  readonly width?: number
  /** Headers of columns that hold numbers. */
  readonly right?: readonly string[]
}

const gap = '  '
const narrowest = 24

/**
 * Columns two spaces apart, as kubectl prints them; every line ends with a newline, none with a space. An empty list
 * prints the header only: what to say instead is the caller's to know.
 */
export function table(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  const cells = [headers, ...rows].map((row) => headers.map((_, column) => readCell(row[column] ?? '')))
  const widths = headers.map((_, column) =>
    Math.max(...cells.map((row) => displayWidth(row[column]?.text ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0)
  const room = options.width === undefined ? Infinity : Math.max(narrowest, options.width - before)
  const lines = cells.flatMap((row) => {
    const last = row.at(-1)
    const [first = '', ...more] = last === undefined ? [] : wrap(last.text, room)
    const line = row.map((cell, column) => {
      const text = column === headers.length - 1 ? first : cell.text
      const right = options.right?.includes(headers[column] ?? '') ?? false
      return pad(text, column === headers.length - 1 && !right ? 0 : (widths[column] ?? 0), right, cell.role)
    })
    return [line.join(gap), ...more.map((text) => `${' '.repeat(before)}${paintCell(text, last?.role)}`)]
  })
  return lines.map((line) => `${line.trimEnd()}\n`).join('')
}

function readCell(cell: Cell): { readonly text: string; readonly role: Role | undefined } {
  return typeof cell === 'string'
    ? { text: plain(cell), role: undefined }
    : { text: plain(cell.text), role: cell.role }
}

function pad(text: string, width: number, right: boolean, role: Role | undefined): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  const painted = paintCell(text, role)
  return right ? `${space}${painted}` : `${painted}${space}`
}

function paintCell(text: string, role: Role | undefined): string {
  return role === undefined ? text : mark(role, text)
}

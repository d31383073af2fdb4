import type { Place, SourceKind } from './reading.ts'

/** One source as text. Offsets into `text` are turned into lines and columns only for what is reported. */
export class Source {
  readonly kind: SourceKind
  readonly file: string
  readonly text: string
  private lineStarts: readonly number[] | null = null

  constructor(kind: SourceKind, file: string, text: string) {
    this.kind = kind
    this.file = file
    this.text = text
  }

  place(start: number, end: number): Place {
    const from = this.lineAndColumn(start)
    const to = this.lineAndColumn(Math.max(start, end))
    return { file: this.file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column }
  }

  private lineAndColumn(offset: number): { line: number; column: number } {
    this.lineStarts ??= startsOfLines(this.text)
    const starts = this.lineStarts
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

/** Lines as editors count them, and not as YAML 1.1 does: a NEL is no new line to them. */
function startsOfLines(text: string): number[] {
  // A byte order mark takes no column in any editor.
  const starts = [text.charCodeAt(0) === 0xfeff ? 1 : 0]
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length)
  return starts
}

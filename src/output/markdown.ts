import { plain } from './style.ts'

/** Text of the world inside a paragraph, heading or table cell: no markup, no HTML, one line. */
export function inline(text: string): string {
  return plain(text).replace(/[\\`*_{}[\]<>#|~&!]/g, (character) => `\\${character}`)
}

/** A code span that also holds backticks; pipes are escaped for tables. */
export function code(text: string): string {
  const safe = plain(text).replaceAll('|', '\\|')
  const longest = Math.max(0, ...(safe.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${safe}${fence}` : `${fence} ${safe} ${fence}`
}

/** A fenced block, with a fence longer than any inside. Ends with a newline. */
export function codeBlock(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.split('\n').map(plain).join('\n')}\n${fence}\n`
}

/** Cells are Markdown already: pass text of the world through `inline` or `code`. Ends with a newline. */
export function markdownTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  return [line(headers), line(headers.map(() => '---')), ...rows.map(line)].join('')
}

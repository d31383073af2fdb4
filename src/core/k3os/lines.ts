/** The lines of a text as Go's bufio.Scanner gives them: without their ends, and no empty one after the last end. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

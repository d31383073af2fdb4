/** One word for a POSIX shell, whatever the text holds except NUL. */
export function sh(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** One value of an `EnvironmentFile`: systemd.exec(5) takes these four escapes inside double quotes. */
export function environmentLine(name: string, value: string): string {
  return `${name}="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"`
}

/** One word of an `Exec` line: quotes, and no specifiers or variables of systemd. */
export function execWord(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain
  const escaped = plain.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)
  return `"${escaped}"`
}

/** A path in tmpfiles.d(5), where blanks end a field and `%` starts a specifier. */
export function tmpfilesPath(path: string): string {
  const escaped = path.replaceAll('%', '%%').replaceAll(/["\\]/g, String.raw`\$&`)
  return `"${escaped.replaceAll('\n', String.raw`\n`)}"`
}

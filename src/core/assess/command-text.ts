const plainWord = /^[A-Za-z0-9_./:=@%+,-]+$/

/**
 * A word for a command the user pastes into a shell: names come from files and API answers, so whatever is not plainly
 * harmless is quoted.
 */
export function word(text: string): string {
  return plainWord.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

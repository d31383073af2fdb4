import { sh } from '../shell.ts'

const plainWord = /^[A-Za-z0-9_./:=@%+,-]+$/

/**
 * A word of a command the user pastes into a shell. Names come from files and API answers: whatever is not plainly
 * harmless is quoted, the rest stays readable.
 */
export function word(text: string): string {
  return plainWord.test(text) ? text : sh(text)
}

/** The command line as data: what completion scripts are made of. */
export interface CommandNode {
  readonly name: string
  readonly description: string
  readonly flags: readonly Flag[]
  readonly arguments: readonly Argument[]
  readonly commands: readonly CommandNode[]
}

export interface Flag {
  /** `--output` and, when it has one, `-o`. */
  readonly names: readonly string[]
  readonly description: string
  readonly value: Value | null
}

export interface Argument {
  readonly name: string
  readonly value: Value
}

/** What may stand there: one of a few words, a file, a folder, or anything. */
export type Value =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'other' }

/** A command and everything below it, with the words that lead there: `['plan', 'show']`; none for the program itself. */
export function allCommands(
  root: CommandNode,
  path: readonly string[] = [],
): readonly (readonly [path: readonly string[], command: CommandNode])[] {
  return [[path, root], ...root.commands.flatMap((command) => allCommands(command, [...path, command.name]))]
}

/** `<file>` and `<dir>` in flags and arguments say what is meant. */
export function valueOf(placeholder: string, words: readonly string[] | undefined): Value {
  if (words !== undefined && words.length > 0) return { kind: 'words', words }
  if (/^(file|plan|config|before|after|format=file)\b/.test(placeholder)) return { kind: 'file' }
  return placeholder.startsWith('dir') ? { kind: 'folder' } : { kind: 'other' }
}

import { findFlag, type K3sFlag, type K3sRole } from './flags.ts'

/** One word of a k3s command line as read, with the positions (in the list given) of the words it took. */
export type K3sArgument = { readonly at: readonly number[] } & (
  | { readonly kind: 'role'; readonly role: K3sRole }
  | { readonly kind: 'flag'; readonly flag: K3sFlag; readonly value: string | boolean }
  /** k3s stops with an error here: no such flag, no value, or a boolean that is none. */
  | { readonly kind: 'refused'; readonly word: string; readonly reason: string }
  /** Not a flag: k3s stops reading flags here, and ignores this and all that follows. */
  | { readonly kind: 'ignored'; readonly word: string }
)

/**
 * Reads arguments as k3s does: Go's flag package (one or two dashes, `=` or the next word, booleans never take the next
 * word, the first other word ends it), and no re-ordering (k3s-io/k3s pkg/cli/cmds/server.go sets SkipArgReorder). A leading
 * flag gets its command word from k3s-io/k3s install.sh: agent when there is a server URL.
 */
export function readArguments(words: readonly string[], hasServerUrl: boolean): K3sArgument[] {
  const read: K3sArgument[] = []
  const first = words[0]
  let at = 0
  if (first === 'server' || first === 'agent') {
    read.push({ kind: 'role', role: first, at: [0] })
    at = 1
  } else if (first === undefined || first.startsWith('-')) {
    read.push({ kind: 'role', role: hasServerUrl ? 'agent' : 'server', at: [] })
  }
  while (at < words.length) {
    const text = words[at] ?? ''
    const dashes = /^--?(?=[^-=])/.exec(text)
    if (dashes === null) {
      const bad = text.startsWith('-') && text !== '-' && text !== '--'
      if (bad)
        read.push({ kind: 'refused', word: text.slice(0, 2), reason: 'not a flag in any form', at: [at] })
      else for (; at < words.length; at += 1) read.push({ kind: 'ignored', word: words[at] ?? '', at: [at] })
      at += 1
      continue
    }
    const equals = text.indexOf('=')
    const name = text.slice(dashes[0].length, equals === -1 ? undefined : equals)
    const flag = findFlag(name)
    const inline = equals === -1 ? undefined : text.slice(equals + 1)
    if (flag === undefined) {
      const reason = /\s/.test(name)
        ? 'one list entry is one argument, blanks do not split it'
        : 'no flag of k3s has this name'
      // k3s stops here; for the sake of what follows, a word that is no flag counts as the value of this one.
      const takesNext = inline === undefined && words[at + 1]?.startsWith('-') === false
      // Behind a blank may stand the secret of `--token abc` in one entry.
      const word = `--${name.split(/\s/, 1)[0]}`
      read.push({ kind: 'refused', word, reason, at: takesNext ? [at, at + 1] : [at] })
      at += takesNext ? 2 : 1
    } else if (flag.type === 'bool') {
      const value = inline === undefined ? true : goBoolean(inline)
      if (value === null)
        read.push({ kind: 'refused', word: `--${name}`, reason: 'its value is not true or false', at: [at] })
      else read.push({ kind: 'flag', flag, value, at: [at] })
      at += 1
    } else if (inline !== undefined) {
      read.push({ kind: 'flag', flag, value: inline, at: [at] })
      at += 1
    } else if (at + 1 < words.length) {
      read.push({ kind: 'flag', flag, value: words[at + 1] ?? '', at: [at, at + 1] })
      at += 2
    } else {
      read.push({ kind: 'refused', word: `--${name}`, reason: 'its value is missing', at: [at] })
      at += 1
    }
  }
  return read
}

/** strconv.ParseBool. */
function goBoolean(text: string): boolean | null {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  return null
}

import { trimSpace } from './coerce.ts'
import { linesOf } from './lines.ts'

/**
 * `/etc/environment` with variables merged into it: rancher/k3os pkg/cc/funcs.go ApplyEnvironment. Comments go, every
 * value is quoted as Go does it. k3OS writes the lines in random order; we keep that of their first appearance.
 */
export function mergeEnvironment(text: string, variables: Readonly<Record<string, string>>): string {
  const merged = new Map<string, string>()
  for (const line of linesOf(text)) {
    const assignment = trimSpace(trimSpace(line).replace(/^export/, ''))
    if (trimSpace(line).startsWith('#') || assignment.length < 2) continue
    const equals = assignment.indexOf('=')
    if (equals < 0) merged.set(assignment, '')
    else merged.set(assignment.slice(0, equals), unquote(assignment.slice(equals + 1)))
  }
  for (const [name, value] of Object.entries(variables)) merged.set(name, value)
  return Array.from(merged, ([name, value]) => `${name}=${quote(value)}\n`).join('')
}

const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const unnamed = new Map(Object.entries(named).map(([character, escape]) => [escape.slice(1), character]))

/** Go's strconv.Quote. */
function quote(value: string): string {
  let text = '"'
  for (const character of value)
    text += named[character] ?? (isPrintable(character) ? character : escapeOf(character))
  return `${text}"`
}

/** Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII blank. */
function isPrintable(character: string): boolean {
  return character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)
}

function escapeOf(character: string): string {
  const point = character.codePointAt(0) ?? 0
  const hex = point.toString(16)
  if (point < 0x80) return `\\x${hex.padStart(2, '0')}`
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Go's strconv.Unquote, or the text as it is where that fails. */
function unquote(text: string): string {
  const first = text.charAt(0)
  if (text.length < 2 || first !== text.charAt(text.length - 1)) return text
  const inner = text.slice(1, -1)
  if (first === '`') return inner.includes('`') ? text : inner.replaceAll('\r', '')
  if (first === '"') return unescape(inner, '"') ?? text
  if (first !== "'") return text
  // Go takes single quotes for one character only.
  const character = unescape(inner, "'")
  return character !== null && Array.from(character).length === 1 ? character : text
}

const escapePattern =
  /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|([abfnrtv\\'"]))|[^\\]/gsu

function unescape(inner: string, quoteMark: '"' | "'"): string | null {
  if (inner.includes('\n')) return null
  let text = ''
  let end = 0
  for (const match of inner.matchAll(escapePattern)) {
    const [whole, byte, short, long, octal, letter] = match
    if (
      match.index !== end ||
      whole === quoteMark ||
      (letter !== undefined && isOtherQuote(letter, quoteMark))
    )
      return null
    end += whole.length
    const code = byte ?? short ?? long
    const point = octal === undefined ? Number.parseInt(code ?? '', 16) : Number.parseInt(octal, 8)
    if (code === undefined && octal === undefined) text += letter === undefined ? whole : letterOf(letter)
    else if (!isCharacter(point) || (octal !== undefined && point > 255)) return null
    else text += String.fromCodePoint(point)
  }
  return end === inner.length ? text : null
}

function isCharacter(point: number): boolean {
  return point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
}

/** Only the quote a text is written in may be escaped in it. */
function isOtherQuote(letter: string, quoteMark: '"' | "'"): boolean {
  return (letter === '"' || letter === "'") && letter !== quoteMark
}

function letterOf(letter: string): string {
  return unnamed.get(letter) ?? letter
}

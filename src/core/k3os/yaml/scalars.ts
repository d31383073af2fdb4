import type { Cursor } from './cursor.ts'

/**
 * Line breaks between two lines of a flow scalar: one break is a space, more are one less. LS and PS are never folded.
 */
function fold(first: string, more: string): string {
  return first === '\n' ? (more === '' ? ' ' : more) : first + more
}

function endsPlain(cursor: Cursor, inFlow: boolean): boolean {
  const char = cursor.char()
  if (char === ':') return cursor.isBlankOrEnd(1)
  return (
    inFlow && (char === ',' || char === '?' || char === '[' || char === ']' || char === '{' || char === '}')
  )
}

export interface PlainScalar {
  readonly text: string
  /** Offset behind the last character; the cursor may stand on a later line. */
  readonly end: number
  readonly crossedLine: boolean
}

/** An unquoted scalar; its further lines stand at column `indent` or deeper unless it is in a flow collection. */
export function scanPlain(cursor: Cursor, indent: number, inFlow: boolean): PlainScalar {
  let text = ''
  let gap = ''
  let firstBreak = ''
  let moreBreaks = ''
  let end = cursor.pos
  for (;;) {
    if (cursor.isDocumentMark() || cursor.char() === '#') break
    const start = cursor.pos
    while (!cursor.isBlankOrEnd() && !endsPlain(cursor, inFlow)) cursor.skip()
    if (cursor.pos > start) {
      text += (firstBreak === '' ? gap : fold(firstBreak, moreBreaks)) + cursor.text.slice(start, cursor.pos)
      gap = firstBreak = moreBreaks = ''
      end = cursor.pos
    }
    if (!cursor.isBlank() && !cursor.isBreak()) break
    while (cursor.isBlank() || cursor.isBreak()) {
      if (cursor.isBreak()) {
        if (firstBreak === '') firstBreak = cursor.takeBreak()
        else moreBreaks += cursor.takeBreak()
      } else {
        if (firstBreak !== '' && cursor.column < indent && cursor.isTab())
          cursor.fail('a tab stands where the indentation of a value must be spaces')
        if (firstBreak === '') gap += cursor.char()
        cursor.skip()
      }
    }
    if (!inFlow && cursor.column < indent) break
  }
  return { text, end, crossedLine: firstBreak !== '' }
}

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
}
const escapeDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** The cursor stands on the backslash; what follows is no line break. */
function scanEscape(cursor: Cursor): string {
  const at = cursor.pos
  const letter = cursor.char(1)
  cursor.skip(2)
  const plain = escapes[letter]
  if (plain !== undefined) return plain
  const digits = escapeDigits[letter]
  if (digits === undefined) cursor.fail('a double-quoted text has an escape that YAML does not know', at)
  const hex = cursor.text.slice(cursor.pos, cursor.pos + digits)
  if (hex.length < digits || !/^[0-9A-Fa-f]+$/.test(hex))
    cursor.fail(`the escape \\${letter} needs ${digits} hexadecimal digits`, at)
  const point = Number.parseInt(hex, 16)
  if ((point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
    cursor.fail('a double-quoted text has an escape for a character that does not exist', at)
  cursor.skip(digits)
  return String.fromCodePoint(point)
}

/** A quoted scalar; the cursor stands on the opening quote and ends behind the closing one. */
export function scanQuoted(cursor: Cursor, quote: '"' | "'"): string {
  const opening = cursor.pos
  cursor.skip()
  let text = ''
  for (;;) {
    if (cursor.isDocumentMark()) cursor.fail('a quoted text is not closed before the document ends', opening)
    if (cursor.atEnd) cursor.fail('a quoted text is not closed', opening)
    let firstBreak: string | null = null
    while (!cursor.isBlankOrEnd()) {
      const char = cursor.char()
      if (char === quote) {
        if (quote === '"' || cursor.char(1) !== "'") break
        text += "'"
        cursor.skip(2)
      } else if (char === '\\' && quote === '"') {
        if (cursor.isBreak(1)) {
          cursor.skip()
          cursor.takeBreak()
          firstBreak = ''
          break
        }
        text += scanEscape(cursor)
      } else {
        text += char
        cursor.skip()
      }
    }
    if (cursor.char() === quote) break
    let gap = ''
    let moreBreaks = ''
    while (cursor.isBlank() || cursor.isBreak()) {
      if (cursor.isBreak()) {
        if (firstBreak === null) firstBreak = cursor.takeBreak()
        else moreBreaks += cursor.takeBreak()
      } else {
        if (firstBreak === null) gap += cursor.char()
        cursor.skip()
      }
    }
    text += firstBreak === null ? gap : fold(firstBreak, moreBreaks)
  }
  cursor.skip()
  return text
}

interface BlockHeader {
  readonly chomping: '+' | '-' | ''
  readonly increment: number
}

function scanBlockHeader(cursor: Cursor, opening: number): BlockHeader {
  const header = /^(?:([+-])(\d?)|(\d)([+-]?)|)/.exec(cursor.text.slice(cursor.pos, cursor.pos + 2))
  const chomping = header?.[1] ?? header?.[4] ?? ''
  const digit = header?.[2] ?? header?.[3] ?? ''
  if (digit === '0') cursor.fail('the indentation of a block text cannot be 0', opening)
  cursor.skip(header?.[0].length ?? 0)
  cursor.skipBlanks()
  if (cursor.char() === '#') cursor.skipLine()
  if (!cursor.isBreakOrEnd()) cursor.fail('something stands behind the | or > of a block text', opening)
  cursor.takeBreak()
  return { chomping: chomping === '+' || chomping === '-' ? chomping : '', increment: Number(digit) }
}

export interface BlockScalar {
  readonly text: string
  readonly end: number
}

/** A literal or folded block; `parentIndent` is the column of the collection it stands in, -1 at the root. */
export function scanBlock(cursor: Cursor, literal: boolean, parentIndent: number): BlockScalar {
  const opening = cursor.pos
  cursor.skip()
  const { chomping, increment } = scanBlockHeader(cursor, opening)
  let indent = increment === 0 ? 0 : Math.max(parentIndent, 0) + increment
  let end = cursor.pos
  let breaks = ''
  const takeBreaks = (): void => {
    let deepest = 0
    for (;;) {
      while ((indent === 0 || cursor.column < indent) && cursor.isSpace()) cursor.skip()
      deepest = Math.max(deepest, cursor.column)
      if ((indent === 0 || cursor.column < indent) && cursor.isTab())
        cursor.fail('a tab stands where the indentation of a block text must be spaces', opening)
      if (!cursor.isBreak()) break
      breaks += cursor.takeBreak()
      end = cursor.pos
    }
    // The first line that is not empty decides; a block at the root may start at column 1 at the earliest.
    if (indent === 0) indent = Math.max(deepest, parentIndent + 1, 1)
  }
  takeBreaks()
  let text = ''
  let lastBreak = ''
  let blankBefore = false
  while (cursor.column === indent && !cursor.atEnd) {
    const blankNow = cursor.isBlank()
    const folds = !literal && !blankBefore && !blankNow && lastBreak === '\n'
    text += (folds ? (breaks === '' ? ' ' : '') : lastBreak) + breaks
    breaks = ''
    blankBefore = blankNow
    const start = cursor.pos
    cursor.skipLine()
    text += cursor.text.slice(start, cursor.pos)
    end = cursor.pos
    lastBreak = cursor.takeBreak()
    takeBreaks()
  }
  if (chomping !== '-') text += lastBreak
  if (chomping === '+') text += breaks
  return { text, end }
}

import type { Cursor } from './cursor.ts'

// Anchors, tags and directives: rare in configurations, but a mistake in one of them discards the file.

function takeMatch(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.pos
  const text = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.skip(text.length)
  return text
}

const nameCharacters = /[0-9A-Za-z_-]*/y
const uriCharacters = /(?:[0-9A-Za-z_;/?:@&=+$,.!~*'()[\]-]|%[0-9A-Fa-f]{2})*/y

/** The name behind `&` or `*`. */
export function scanAnchorName(cursor: Cursor): string {
  const at = cursor.pos
  const what = cursor.char() === '*' ? '*' : '&'
  cursor.skip()
  const name = takeMatch(cursor, nameCharacters)
  const ends = cursor.isBlankOrEnd() || '?:,]}%@`'.includes(cursor.char())
  if (name === '' || !ends)
    cursor.fail(
      what === '*'
        ? "a value that starts with * is read as a reference to an anchor; quote it if it isn't one"
        : "a value that starts with & is read as an anchor; quote it if it isn't one",
      at,
    )
  return name
}

export interface Tag {
  readonly handle: string
  readonly suffix: string
}

function scanUri(cursor: Cursor, at: number): string {
  const raw = takeMatch(cursor, uriCharacters)
  if (cursor.char() === '%') cursor.fail('a tag has a bad % escape', at)
  return raw.includes('%') ? decodeEscapes(cursor, raw, at) : raw
}

function decodeEscapes(cursor: Cursor, raw: string, at: number): string {
  try {
    return decodeURIComponent(raw)
  } catch (cause) {
    if (cause instanceof URIError) return cursor.fail('a tag has a bad % escape', at)
    throw cause
  }
}

/** `!<uri>`, `!handle!suffix`, `!suffix` or `!`. */
export function scanTag(cursor: Cursor): Tag {
  const at = cursor.pos
  let tag: Tag
  if (cursor.char(1) === '<') {
    cursor.skip(2)
    const suffix = scanUri(cursor, at)
    if (suffix === '' || cursor.char() !== '>') cursor.fail('a tag !<…> is not complete', at)
    cursor.skip()
    tag = { handle: '', suffix }
  } else {
    cursor.skip()
    const name = takeMatch(cursor, nameCharacters)
    if (cursor.char() === '!') {
      cursor.skip()
      const suffix = scanUri(cursor, at)
      if (suffix === '') cursor.fail('a tag has nothing behind its !', at)
      tag = { handle: `!${name}!`, suffix }
    } else {
      const suffix = name + scanUri(cursor, at)
      tag = suffix === '' ? { handle: '', suffix: '!' } : { handle: '!', suffix }
    }
  }
  if (!cursor.isBlankOrEnd()) cursor.fail('a blank must follow a tag; quote a value that starts with !', at)
  return tag
}

export interface Directive {
  readonly name: string
  readonly value: string
}

/** A line `%YAML 1.1` or `%TAG !e! prefix`; `value` is `1.1`, or handle and prefix with one blank between. */
export function scanDirective(cursor: Cursor): Directive {
  const at = cursor.pos
  cursor.skip()
  const name = takeMatch(cursor, nameCharacters)
  if ((name !== 'YAML' && name !== 'TAG') || !cursor.isBlankOrEnd())
    cursor.fail('a line that starts with % is a directive, and this one is unknown', at)
  cursor.skipBlanks()
  const value = name === 'YAML' ? takeMatch(cursor, /\d{1,2}\.\d{1,2}/y) : scanTagPrefix(cursor, at)
  if (value === '') cursor.fail(`the directive %${name} is not complete`, at)
  cursor.skipBlanks()
  if (cursor.char() === '#') cursor.skipLine()
  if (!cursor.isBreakOrEnd()) cursor.fail(`something stands behind the directive %${name}`, at)
  cursor.takeBreak()
  return { name, value }
}

function scanTagPrefix(cursor: Cursor, at: number): string {
  const handle = takeMatch(cursor, /!(?:[0-9A-Za-z_-]*!)?/y)
  const separated = cursor.isBlank()
  cursor.skipBlanks()
  const prefix = scanUri(cursor, at)
  if (handle === '' || prefix === '' || !separated || !cursor.isBlankOrEnd())
    cursor.fail('the directive %TAG is not complete', at)
  return `${handle} ${prefix}`
}

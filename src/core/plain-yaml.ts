import { parse, YAMLParseError } from 'yaml'

/**
 * A YAML document. The block style that this tool writes is read about a hundred times as fast as the library does (48 s for
 * an inventory of 30,000 pods); whatever else stands in a text (flow collections, anchors, tags, folded lines) is left to
 * the library, with its errors. Both give the same value.
 */
export function parseYaml(text: string): unknown {
  const plain = parsePlainYaml(text)
  return plain === undefined ? parse(text) : plain.value
}

/** The value of a text in plain block style; undefined for all others, right or wrong. */
export function parsePlainYaml(text: string): { readonly value: unknown } | undefined {
  // Tabs, carriage returns and byte order marks have rules of their own.
  if (/[\t\r\ufeff]/.test(text)) return undefined
  try {
    const reader = new Reader(text)
    return { value: reader.document() }
  } catch (error) {
    if (error === notPlain) return undefined
    throw error
  }
}

/** Thrown and caught here only. */
const notPlain = new Error('not plain')

const longestKnown = 40
const mostKnown = 20_000

class Reader {
  readonly #text: string
  /** Of the line that is looked at: where its content begins and ends, and the column it counts as. */
  #start = 0
  #end = 0
  #column = 0
  /** Where the next line begins. */
  #next = 0
  #atEnd = false
  /** Texts that come again and again, with what they mean: looked at once, and kept once. */
  readonly #known = new Map<string, unknown>()

  constructor(text: string) {
    this.#text = text
  }

  document(): unknown {
    this.#advance()
    if (this.#atEnd || this.#column !== 0) throw notPlain
    const value = this.#block()
    if (!this.#atEnd) throw notPlain
    return value
  }

  /** To the next line that says something. */
  #advance(): void {
    const text = this.#text
    for (;;) {
      if (this.#next >= text.length) {
        this.#atEnd = true
        this.#column = -1
        return
      }
      const begin = this.#next
      const newline = text.indexOf('\n', begin)
      const end = newline === -1 ? text.length : newline
      this.#next = end + 1
      let start = begin
      while (start < end && text.charCodeAt(start) === space) start += 1
      if (start === end || text.charCodeAt(start) === hash) continue
      this.#start = start
      this.#end = end
      this.#column = start - begin
      return
    }
  }

  #isItem(): boolean {
    if (this.#text.charCodeAt(this.#start) !== dash) return false
    return this.#start + 1 === this.#end || this.#text.charCodeAt(this.#start + 1) === space
  }

  #block(): unknown {
    return this.#isItem() ? this.#sequence(this.#column) : this.#mapping(this.#column)
  }

  #sequence(column: number): unknown[] {
    const items: unknown[] = []
    while (this.#column === column && this.#isItem()) {
      const start = this.#start + 2
      if (start > this.#end) throw notPlain
      if (this.#text.charCodeAt(start) === space) throw notPlain
      this.#start = start
      this.#column = column + 2
      // `- - a` and `- key: value` begin a block on the line of the dash.
      if (this.#isItem() || this.#keyEnd() !== -1) items.push(this.#block())
      else items.push(this.#scalar(start, column))
    }
    if (this.#column > column) throw notPlain
    return items
  }

  #mapping(column: number): Record<string, unknown> {
    const entries: Record<string, unknown> = {}
    while (this.#column === column) {
      if (this.#isItem()) break
      const keyEnd = this.#keyEnd()
      if (keyEnd === -1) throw notPlain
      const key = this.#key(keyEnd)
      if (Object.hasOwn(entries, key)) throw notPlain
      const start = keyEnd + 2
      if (start <= this.#end) {
        entries[key] = this.#scalar(start, column)
        continue
      }
      this.#advance()
      const nested = this.#column > column || (this.#column === column && this.#isItem())
      entries[key] = nested ? this.#block() : null
    }
    if (this.#column > column) throw notPlain
    return entries
  }

  /** Index of the colon behind a key on this line; -1 when the line has none. */
  #keyEnd(): number {
    const text = this.#text
    const first = text.charCodeAt(this.#start)
    if (first === doubleQuote || first === singleQuote) {
      let at = this.#start + 1
      for (; at < this.#end && text.charCodeAt(at) !== first; at += 1)
        if (first === doubleQuote && text.charCodeAt(at) === backslash) at += 1
      return isColon(text, at + 1, this.#end) ? at + 1 : -1
    }
    for (let at = text.indexOf(':', this.#start); at !== -1 && at < this.#end; at = text.indexOf(':', at + 1))
      if (isColon(text, at, this.#end)) return at
    return -1
  }

  #key(end: number): string {
    const text = this.#text.slice(this.#start, end)
    const key = text.startsWith('"') || text.startsWith("'") ? quoted(text) : this.#plain(text)
    if (typeof key !== 'string' || key === '__proto__') throw notPlain
    return key
  }

  /** A value on one line, or the literal text below it. Goes on to the next line. */
  #scalar(start: number, column: number): unknown {
    const first = this.#text.charCodeAt(start)
    if (first === bar || first === greater) return this.#literal(start, column)
    const text = this.#text.slice(start, this.#end)
    const value = first === doubleQuote || first === singleQuote ? quoted(text) : this.#plain(text)
    this.#advance()
    // A value that goes on below.
    if (this.#column > column) throw notPlain
    return value
  }

  #plain(text: string): unknown {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const value = plain(ownText(text))
    const comesAgain = text.length <= longestKnown && (typeof value !== 'object' || value === null)
    if (comesAgain && this.#known.size < mostKnown) this.#known.set(text, value)
    return value
  }

  /** Rare, and full of rules: the library reads it, moved to the margin. */
  #literal(start: number, column: number): unknown {
    const header = this.#text.slice(start, this.#end)
    let end = this.#next
    while (end < this.#text.length) {
      const newline = this.#text.indexOf('\n', end)
      const lineEnd = newline === -1 ? this.#text.length : newline
      let content = end
      while (content < lineEnd && this.#text.charCodeAt(content) === space) content += 1
      if (content < lineEnd && content - end <= column) break
      end = lineEnd + 1
    }
    const body = this.#text.slice(this.#next, end)
    this.#next = end
    this.#advance()
    const margin = ' '.repeat(column)
    const lines = body.split('\n').map((line) => (line.startsWith(margin) ? line.slice(column) : ''))
    const read = Object.entries(byLibrary(`v: ${header}\n${lines.join('\n')}`) as { v: unknown })
    const [[, value] = [], ...more] = read
    if (more.length > 0) throw notPlain
    return value
  }
}

/** From this length on a piece of a text is a view of it, which keeps all of it in memory (V8, `SlicedString`). */
const viewLength = 13
const longestCopied = 2000

/** The same text on its own: one name must not hold the forty megabytes it was read from. */
function ownText(text: string): string {
  if (text.length < viewLength || text.length > longestCopied) return text
  const codes: number[] = []
  for (let at = 0; at < text.length; at += 1) codes.push(text.charCodeAt(at))
  return String.fromCharCode(...codes)
}

const space = 0x20
const hash = 0x23
const dash = 0x2d
const colon = 0x3a
const doubleQuote = 0x22
const singleQuote = 0x27
const backslash = 0x5c
const bar = 0x7c
const greater = 0x3e

function isColon(text: string, at: number, end: number): boolean {
  return at < end && text.charCodeAt(at) === colon && (at + 1 === end || text.charCodeAt(at + 1) === space)
}

/** A piece the library does not like makes the whole text one for the library, which names the right line. */
function byLibrary(piece: string): unknown {
  try {
    return parse(piece)
  } catch (error) {
    if (error instanceof YAMLParseError) throw notPlain
    throw error
  }
}

function quoted(text: string): unknown {
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw notPlain
    return ownText(text.slice(1, -1).replaceAll("''", "'"))
  }
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) throw notPlain
  if (!text.includes('\\')) return ownText(text.slice(1, -1))
  return byLibrary(text)
}

/** No character that begins something else in YAML. */
const beginsText = /^[A-Za-z0-9_./+~$^(-]/
const number =
  /^[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|\.[0-9]+|[0-9]+\.[0-9]*|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/

function plain(text: string): unknown {
  switch (text) {
    case 'null':
      return null
    case 'true':
      return true
    case 'false':
      return false
    case '[]':
      return []
    case '{}':
      return {}
  }
  if (/^(?:0|-?[1-9][0-9]{0,14})$/.test(text)) return Number(text)
  if (number.test(text)) return byLibrary(text)
  const unclear = !beginsText.test(text) || text.endsWith(' ') || text.endsWith(':') || /: | #/.test(text)
  if (unclear || /^(?:---|\.\.\.|- |-$)/.test(text)) throw notPlain
  return /^(?:~|[Nn]ull|NULL|[Tt]rue|TRUE|[Ff]alse|FALSE)$/.test(text) ? byLibrary(text) : text
}

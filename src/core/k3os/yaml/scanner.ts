import { Cursor } from './cursor.ts'
import { scanBlock, scanPlain, scanQuoted } from './scalars.ts'
import { scanAnchorName, scanDirective, scanTag } from './properties.ts'

export type TokenKind =
  | 'stream-end'
  | 'directive'
  | 'document-start'
  | 'document-end'
  | 'block-sequence'
  | 'block-mapping'
  | 'block-end'
  | '['
  | ']'
  | '{'
  | '}'
  | ','
  /** `- `, `? ` (or the start of a key without one) and `: `. */
  | 'entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar'

export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
  /** Of scalars, anchors, aliases; the handle of a tag, the name of a directive. */
  readonly text: string
  /** The suffix of a tag, the value of a directive. */
  readonly suffix: string
  readonly plain: boolean
}

/**
 * Something that becomes a key if a `:` follows on the same line within 1024 characters. Whether it was one is known
 * only then, so the tokens `block-mapping` and `key` are put in front of it afterwards.
 */
interface PossibleKey {
  /** Nothing else can stand at this column, so a missing `:` is an error. */
  readonly required: boolean
  readonly tokenNumber: number
  readonly pos: number
  readonly line: number
  readonly column: number
}

const longestKey = 1024
const plainCannotStartWith = '-?:,[]{}#&*!|>\'"%@`'
/** Deeper nesting than any configuration has; keeps recursion over the tree within every stack. */
const deepest = 512

/**
 * Splits a text into the tokens of YAML 1.1 the way libyaml does, block indentation included, a few at a time: what
 * stands behind the first document is not looked at.
 */
export class Scanner {
  private readonly cursor: Cursor
  private readonly queue: Token[] = []
  private taken = 0
  /** Column of the innermost block collection, -1 outside of all. */
  private indent = -1
  private readonly outerIndents: number[] = []
  private keyAllowed = true
  /** One place per flow level; the first is for block context. */
  private readonly keys: (PossibleKey | null)[] = [null]

  constructor(text: string) {
    this.cursor = new Cursor(text)
  }

  peek(): Token {
    while (this.needsMore()) this.scanNext()
    const [token] = this.queue
    if (token === undefined) return this.cursor.fail('the text ends where more was expected')
    return token
  }

  next(): Token {
    const token = this.peek()
    this.queue.shift()
    this.taken += 1
    return token
  }

  private get inFlow(): boolean {
    return this.keys.length > 1
  }

  /** The front token may still get others put in front of it. */
  private needsMore(): boolean {
    if (this.queue.length === 0) return true
    this.dropStaleKeys()
    return this.keys.some((key) => key?.tokenNumber === this.taken)
  }

  private push(
    kind: TokenKind,
    start: number,
    text = '',
    suffix = '',
    plain = false,
    end = this.cursor.pos,
  ): void {
    this.queue.push({ kind, start, end, text, suffix, plain })
  }

  private pushMark(kind: TokenKind, length: number): void {
    const start = this.cursor.pos
    this.cursor.skip(length)
    this.push(kind, start)
  }

  private scanNext(): void {
    const cursor = this.cursor
    this.skipToNext()
    this.dropStaleKeys()
    this.closeBlocks(cursor.column)
    if (cursor.atEnd) {
      // The end counts as a further line: a key still waiting for its colon has lost.
      if (cursor.column !== 0) cursor.line += 1
      return this.scanEnd('stream-end', 0)
    }
    const char = cursor.char()
    if (cursor.column === 0 && char === '%') return this.scanDirectiveLine()
    if (cursor.isDocumentMark()) return this.scanEnd(char === '-' ? 'document-start' : 'document-end', 3)
    switch (char) {
      case '[':
      case '{':
        return this.openFlow(char)
      case ']':
      case '}':
        return this.closeFlow(char)
      case ',':
        this.forgetKey()
        this.keyAllowed = true
        return this.pushMark(',', 1)
      case '*':
      case '&':
        return this.scanAnchor(char)
      case '!':
        return this.scanTagToken()
      case "'":
      case '"':
        return this.scanQuotedToken(char)
    }
    if (char === '-' && cursor.isBlankOrEnd(1)) return this.scanEntry()
    if (char === '?' && (this.inFlow || cursor.isBlankOrEnd(1))) return this.scanKey()
    if (char === ':' && (this.inFlow || cursor.isBlankOrEnd(1))) return this.scanValue()
    if ((char === '|' || char === '>') && !this.inFlow) return this.scanBlockToken(char)
    if (this.startsPlain(char)) return this.scanPlainToken()
    const shown = cursor.isTab() ? 'a tab' : JSON.stringify(char)
    return cursor.fail(`${shown} cannot stand at the start of a value or key`)
  }

  private startsPlain(char: string): boolean {
    if (this.cursor.isBlankOrEnd()) return false
    if (!plainCannotStartWith.includes(char)) return true
    // yaml.v2 asks for no blank here, libyaml elsewhere for no blank or end: `-` before a line end came as an entry.
    if (char === '-') return !this.cursor.isBlank(1)
    return !this.inFlow && (char === '?' || char === ':') && !this.cursor.isBlankOrEnd(1)
  }

  private skipToNext(): void {
    const cursor = this.cursor
    for (;;) {
      // A tab may separate tokens but not indent a line that could start a key.
      while (cursor.isSpace() || (cursor.isTab() && (this.inFlow || !this.keyAllowed))) cursor.skip()
      if (cursor.char() === '#') cursor.skipLine()
      if (!cursor.isBreak()) return
      cursor.takeBreak()
      if (!this.inFlow) this.keyAllowed = true
    }
  }

  private dropStaleKeys(): void {
    const { pos, line } = this.cursor
    for (const [level, key] of this.keys.entries())
      if (key !== null && (key.line < line || key.pos + longestKey < pos)) {
        if (key.required) this.failKey(key)
        this.keys[level] = null
      }
  }

  private failKey(key: PossibleKey): never {
    return this.cursor.fail("a key is not followed by ':'", key.pos)
  }

  private saveKey(): void {
    if (!this.keyAllowed) return
    this.forgetKey()
    const { pos, line, column } = this.cursor
    const required = !this.inFlow && this.indent === column
    this.keys[this.keys.length - 1] = {
      required,
      tokenNumber: this.taken + this.queue.length,
      pos,
      line,
      column,
    }
  }

  private forgetKey(): void {
    const key = this.keys.at(-1)
    if (key?.required === true) this.failKey(key)
    this.keys[this.keys.length - 1] = null
  }

  private openBlock(
    column: number,
    kind: 'block-sequence' | 'block-mapping',
    start: number,
    index: number,
  ): void {
    if (this.inFlow || this.indent >= column) return
    if (this.outerIndents.length >= deepest) this.cursor.fail('the text is nested too deeply')
    this.outerIndents.push(this.indent)
    this.indent = column
    this.queue.splice(index, 0, { kind, start, end: start, text: '', suffix: '', plain: false })
  }

  private closeBlocks(column: number): void {
    if (this.inFlow) return
    while (this.indent > column) {
      this.push('block-end', this.cursor.pos)
      this.indent = this.outerIndents.pop() ?? -1
    }
  }

  private scanEnd(kind: 'stream-end' | 'document-start' | 'document-end', length: number): void {
    this.closeBlocks(-1)
    this.forgetKey()
    this.keyAllowed = false
    this.pushMark(kind, length)
  }

  private scanDirectiveLine(): void {
    this.closeBlocks(-1)
    this.forgetKey()
    this.keyAllowed = false
    const start = this.cursor.pos
    const { name, value } = scanDirective(this.cursor)
    this.push('directive', start, name, value)
  }

  private openFlow(kind: '[' | '{'): void {
    this.saveKey()
    if (this.keys.length > deepest) this.cursor.fail('the text is nested too deeply')
    this.keys.push(null)
    this.keyAllowed = true
    this.pushMark(kind, 1)
  }

  private closeFlow(kind: ']' | '}'): void {
    this.forgetKey()
    if (this.inFlow) this.keys.pop()
    this.keyAllowed = false
    this.pushMark(kind, 1)
  }

  private scanEntry(): void {
    if (!this.inFlow) {
      if (!this.keyAllowed) this.cursor.fail("a list entry ('- ') cannot stand here")
      this.openBlock(this.cursor.column, 'block-sequence', this.cursor.pos, this.queue.length)
    }
    this.forgetKey()
    this.keyAllowed = true
    this.pushMark('entry', 1)
  }

  private scanKey(): void {
    if (!this.inFlow) {
      if (!this.keyAllowed) this.cursor.fail("a key ('? ') cannot stand here")
      this.openBlock(this.cursor.column, 'block-mapping', this.cursor.pos, this.queue.length)
    }
    this.forgetKey()
    this.keyAllowed = !this.inFlow
    this.pushMark('key', 1)
  }

  private scanValue(): void {
    const key = this.keys.at(-1) ?? null
    if (key === null) {
      if (!this.inFlow) {
        if (!this.keyAllowed) this.cursor.fail("a second ': ' cannot stand on one line; quote the value")
        this.openBlock(this.cursor.column, 'block-mapping', this.cursor.pos, this.queue.length)
      }
      this.keyAllowed = !this.inFlow
    } else {
      const index = key.tokenNumber - this.taken
      this.queue.splice(index, 0, {
        kind: 'key',
        start: key.pos,
        end: key.pos,
        text: '',
        suffix: '',
        plain: false,
      })
      this.openBlock(key.column, 'block-mapping', key.pos, index)
      this.keys[this.keys.length - 1] = null
      this.keyAllowed = false
    }
    this.pushMark('value', 1)
  }

  private scanAnchor(char: '*' | '&'): void {
    this.saveKey()
    this.keyAllowed = false
    const start = this.cursor.pos
    this.push(char === '*' ? 'alias' : 'anchor', start, scanAnchorName(this.cursor))
  }

  private scanTagToken(): void {
    this.saveKey()
    this.keyAllowed = false
    const start = this.cursor.pos
    const { handle, suffix } = scanTag(this.cursor)
    this.push('tag', start, handle, suffix)
  }

  private scanQuotedToken(quote: '"' | "'"): void {
    this.saveKey()
    this.keyAllowed = false
    const start = this.cursor.pos
    this.push('scalar', start, scanQuoted(this.cursor, quote))
  }

  private scanBlockToken(char: '|' | '>'): void {
    this.forgetKey()
    this.keyAllowed = true
    const start = this.cursor.pos
    const { text, end } = scanBlock(this.cursor, char === '|', this.indent)
    this.push('scalar', start, text, '', false, end)
  }

  private scanPlainToken(): void {
    this.saveKey()
    this.keyAllowed = false
    const start = this.cursor.pos
    const { text, end, crossedLine } = scanPlain(this.cursor, this.indent + 1, this.inFlow)
    if (crossedLine) this.keyAllowed = true
    this.push('scalar', start, text, '', true, end)
  }
}

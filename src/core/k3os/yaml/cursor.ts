import { YamlProblem } from './problem.ts'

const tab = 0x09
const lf = 0x0a
const cr = 0x0d
const space = 0x20

/** A place in a text. `charCodeAt` past the end is NaN, which compares false with everything: the end needs no sentinel. */
export class Cursor {
  readonly text: string
  pos = 0
  line = 0
  private lineStart = 0

  constructor(text: string) {
    this.text = text
    // A byte order mark is no column of its own.
    if (text.charCodeAt(0) === 0xfeff) this.pos = this.lineStart = 1
  }

  get column(): number {
    return this.pos - this.lineStart
  }

  get atEnd(): boolean {
    return this.pos >= this.text.length
  }

  code(ahead = 0): number {
    return this.text.charCodeAt(this.pos + ahead)
  }

  char(ahead = 0): string {
    return this.text.charAt(this.pos + ahead)
  }

  isBlank(ahead = 0): boolean {
    const code = this.code(ahead)
    return code === space || code === tab
  }

  isTab(): boolean {
    return this.code() === tab
  }

  isSpace(): boolean {
    return this.code() === space
  }

  /** YAML 1.1 also breaks lines at NEL, LS and PS. */
  isBreak(ahead = 0): boolean {
    const code = this.code(ahead)
    return code === lf || code === cr || code === 0x85 || code === 0x2028 || code === 0x2029
  }

  isBreakOrEnd(ahead = 0): boolean {
    return this.pos + ahead >= this.text.length || this.isBreak(ahead)
  }

  isBlankOrEnd(ahead = 0): boolean {
    return this.isBlank(ahead) || this.isBreakOrEnd(ahead)
  }

  /** `---` or `...` at the left margin. */
  isDocumentMark(): boolean {
    if (this.column !== 0 || !this.isBlankOrEnd(3)) return false
    const code = this.code()
    return (code === 0x2d || code === 0x2e) && this.code(1) === code && this.code(2) === code
  }

  skip(count = 1): void {
    this.pos += count
  }

  skipBlanks(): void {
    while (this.isBlank()) this.pos += 1
  }

  /** To the line break or the end, which stays unread. */
  skipLine(): void {
    while (!this.isBreakOrEnd()) this.pos += 1
  }

  /** Reads one line break and gives what it counts as: LF, or LS and PS as they are. Nothing at the end of the text. */
  takeBreak(): string {
    if (!this.isBreak()) return ''
    const code = this.code()
    this.pos += code === cr && this.code(1) === lf ? 2 : 1
    this.line += 1
    this.lineStart = this.pos
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n'
  }

  fail(problem: string, at = this.pos): never {
    throw new YamlProblem(problem, at)
  }
}

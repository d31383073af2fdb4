import { Scanner, type Token } from './scanner.ts'
import { YamlProblem } from './problem.ts'

interface Placed {
  readonly start: number
  readonly end: number
}

export interface YamlScalar extends Placed {
  readonly kind: 'scalar'
  readonly text: string
  /** The resolved tag, '' when none was written. */
  readonly tag: string
  /** Written without quotes and without a tag: what it looks like decides its type. */
  readonly plain: boolean
}
export interface YamlList extends Placed {
  readonly kind: 'list'
  readonly items: readonly YamlNode[]
}
export interface YamlMap extends Placed {
  readonly kind: 'map'
  readonly pairs: readonly (readonly [YamlNode, YamlNode])[]
}
export interface YamlAlias extends Placed {
  readonly kind: 'alias'
  readonly name: string
  readonly target: YamlNode
}
export type YamlNode = YamlScalar | YamlList | YamlMap | YamlAlias

export interface YamlDocument {
  /** Null for a text without any content. */
  readonly root: YamlNode | null
  /** The nodes the anchors named at the end of the document; a name may be used again. */
  readonly anchors: ReadonlyMap<string, YamlNode>
  /** Offset of what follows the first document and is not read, -1 when nothing follows. */
  readonly restAt: number
}

type Context = 'block' | 'block-or-indentless' | 'flow'

/** Parses the first document of a text (yaml.v2 never looks at a second one). Throws YamlProblem. */
export function parseYaml(text: string): YamlDocument {
  return new Parser(text).document()
}

const standardTags = 'tag:yaml.org,2002:'

class Parser {
  private readonly scanner: Scanner
  private readonly text: string
  private readonly anchors = new Map<string, YamlNode>()
  private readonly handles = new Map<string, string>()

  constructor(text: string) {
    this.text = text
    this.scanner = new Scanner(text)
  }

  document(): YamlDocument {
    const first = this.scanner.peek()
    if (first.kind === 'stream-end') return { root: null, anchors: this.anchors, restAt: -1 }
    const explicit = first.kind === 'directive' || first.kind === 'document-start'
    if (explicit) this.directives()
    if (!this.handles.has('!')) this.handles.set('!', '!')
    if (!this.handles.has('!!')) this.handles.set('!!', standardTags)
    if (explicit) this.scanner.next()
    const root = explicit && this.atDocumentEnd() ? empty(this.scanner.peek().start) : this.node('block')
    const after = this.scanner.peek()
    return { root, anchors: this.anchors, restAt: this.rest(after) }
  }

  private directives(): void {
    let version = false
    for (;;) {
      const token = this.scanner.peek()
      if (token.kind === 'document-start') return
      if (token.kind !== 'directive') fail("a directive must be followed by '---'", token)
      this.scanner.next()
      if (token.text === 'YAML') {
        if (version) fail('two %YAML directives', token)
        if (token.suffix.split('.').some((part) => Number(part) !== 1))
          fail(`the text says it is YAML ${token.suffix}, and k3OS reads 1.1 only`, token)
        version = true
      } else {
        const [handle = '', prefix = ''] = token.suffix.split(' ')
        if (this.handles.has(handle)) fail('two %TAG directives for one handle', token)
        this.handles.set(handle, prefix)
      }
    }
  }

  private atDocumentEnd(): boolean {
    const { kind } = this.scanner.peek()
    return (
      kind === 'directive' || kind === 'document-start' || kind === 'document-end' || kind === 'stream-end'
    )
  }

  private rest(after: Token): number {
    if (after.kind === 'stream-end') return -1
    const at = after.kind === 'document-end' ? after.end : after.start
    const content = /^(?!#|---[ \t]*$|\.\.\.[ \t]*$)[ \t]*[^\s#]/m
    const found = content.exec(this.text.slice(at))
    return found === null ? -1 : at + found.index + found[0].length - 1
  }

  /** One value with its anchor and tag. `block-or-indentless`: a list may stand at the column of its key. */
  private node(context: Context): YamlNode {
    const first = this.scanner.peek()
    if (first.kind === 'alias') return this.alias()
    const { anchor, tag } = this.nodeProperties()
    const token = this.scanner.peek()
    const start = first.start
    switch (token.kind) {
      case 'scalar': {
        this.scanner.next()
        const plain = tag === '!' || (tag === '' && token.plain)
        return this.remember(anchor, {
          kind: 'scalar',
          text: token.text,
          tag,
          plain,
          start: token.start,
          end: token.end,
        })
      }
      case '[':
        return this.flowList(anchor, start)
      case '{':
        return this.flowMap(anchor, start)
      case 'entry':
        if (context === 'block-or-indentless') return this.blockList(anchor, start, false)
        break
      case 'block-sequence':
        if (context !== 'flow') return this.blockList(anchor, start, true)
        break
      case 'block-mapping':
        if (context !== 'flow') return this.blockMap(anchor, start)
        break
      case 'stream-end':
      case 'directive':
      case 'document-start':
      case 'document-end':
      case 'block-end':
      case ']':
      case '}':
      case ',':
      case 'key':
      case 'value':
      case 'alias':
      case 'anchor':
      case 'tag':
        break
    }
    if (anchor === null && tag === '') fail('a value is missing', token)
    return this.remember(anchor, { ...empty(token.start), tag, plain: tag === '' })
  }

  private alias(): YamlAlias {
    const token = this.scanner.next()
    const target = this.anchors.get(token.text)
    if (target === undefined)
      fail(`*${token.text} refers to an anchor that does not exist; quote a value that starts with *`, token)
    return { kind: 'alias', name: token.text, target, start: token.start, end: token.end }
  }

  private nodeProperties(): { anchor: string | null; tag: string } {
    let anchor: string | null = null
    let tag: string | null = null
    for (;;) {
      const token = this.scanner.peek()
      if (token.kind === 'anchor' && anchor === null) anchor = this.scanner.next().text
      else if (token.kind === 'tag' && tag === null) tag = this.tag(this.scanner.next())
      else return { anchor, tag: tag ?? '' }
    }
  }

  private tag(token: Token): string {
    if (token.text === '') return token.suffix
    const prefix = this.handles.get(token.text)
    if (prefix === undefined) fail(`the tag handle ${token.text} is not defined`, token)
    return prefix + token.suffix
  }

  private remember<Node extends YamlNode>(anchor: string | null, node: Node): Node {
    if (anchor !== null) this.anchors.set(anchor, node)
    return node
  }

  /** An `indentless` list has no start and end tokens of its own. */
  private blockList(anchor: string | null, start: number, indented: boolean): YamlList {
    const items: YamlNode[] = []
    const node = this.remember(anchor, { kind: 'list' as const, items, start, end: start })
    if (indented) this.scanner.next()
    for (;;) {
      const token = this.scanner.peek()
      if (token.kind !== 'entry') {
        if (!indented) return node
        if (token.kind !== 'block-end') fail("a list entry ('- ') was expected here", token)
        this.scanner.next()
        return node
      }
      this.scanner.next()
      const next = this.scanner.peek().kind
      const missing =
        next === 'entry' || next === 'block-end' || (!indented && (next === 'key' || next === 'value'))
      items.push(missing ? empty(token.end) : this.node('block'))
      node.end = items.at(-1)?.end ?? token.end
    }
  }

  private blockMap(anchor: string | null, start: number): YamlMap {
    const pairs: [YamlNode, YamlNode][] = []
    const node = this.remember(anchor, { kind: 'map' as const, pairs, start, end: start })
    this.scanner.next()
    for (;;) {
      const token = this.scanner.peek()
      if (token.kind === 'block-end') {
        this.scanner.next()
        return node
      }
      if (token.kind !== 'key')
        fail(token.kind === 'value' ? 'a key is missing before the colon' : 'a key was expected here', token)
      this.scanner.next()
      const key = this.blockPart(token.end)
      const colon = this.scanner.peek()
      const value = colon.kind === 'value' ? this.blockPart(this.scanner.next().end) : empty(colon.start)
      pairs.push([key, value])
      node.end = Math.max(key.end, value.end)
    }
  }

  /** A key or value of a block mapping; nothing there is null. */
  private blockPart(at: number): YamlNode {
    const { kind } = this.scanner.peek()
    if (kind === 'key' || kind === 'value' || kind === 'block-end') return empty(at)
    return this.node('block-or-indentless')
  }

  private flowList(anchor: string | null, start: number): YamlList {
    const items: YamlNode[] = []
    const node = this.remember(anchor, { kind: 'list' as const, items, start, end: start })
    this.scanner.next()
    for (;;) {
      if (items.length > 0 && this.scanner.peek().kind !== ']') this.comma(']')
      const token = this.scanner.peek()
      if (token.kind === ']') {
        node.end = this.scanner.next().end
        return node
      }
      items.push(token.kind === 'key' ? this.flowPair() : this.node('flow'))
    }
  }

  /** `[a: b]` is a list of one map. */
  private flowPair(): YamlMap {
    const { start, end } = this.scanner.next()
    const first = this.scanner.peek().kind
    let key: YamlNode
    if (first === 'value' || first === ',' || first === ']') {
      // yaml.v2 also swallows the token it looked at.
      this.scanner.next()
      key = empty(end)
    } else key = this.node('flow')
    const colon = this.scanner.peek()
    let value: YamlNode = empty(colon.start)
    if (colon.kind === 'value') {
      this.scanner.next()
      const { kind } = this.scanner.peek()
      if (kind !== ',' && kind !== ']') value = this.node('flow')
    }
    return { kind: 'map', pairs: [[key, value]], start, end: Math.max(key.end, value.end) }
  }

  private flowMap(anchor: string | null, start: number): YamlMap {
    const pairs: [YamlNode, YamlNode][] = []
    const node = this.remember(anchor, { kind: 'map' as const, pairs, start, end: start })
    this.scanner.next()
    for (;;) {
      if (pairs.length > 0 && this.scanner.peek().kind !== '}') this.comma('}')
      const token = this.scanner.peek()
      if (token.kind === '}') {
        node.end = this.scanner.next().end
        return node
      }
      if (token.kind !== 'key') {
        const key = this.node('flow')
        pairs.push([key, empty(this.scanner.peek().start)])
        continue
      }
      this.scanner.next()
      const key = this.flowPart()
      const colon = this.scanner.peek()
      if (colon.kind === 'value') this.scanner.next()
      pairs.push([key, colon.kind === 'value' ? this.flowPart() : empty(colon.start)])
    }
  }

  private flowPart(): YamlNode {
    const { kind, start } = this.scanner.peek()
    return kind === 'value' || kind === ',' || kind === '}' ? empty(start) : this.node('flow')
  }

  private comma(closing: ']' | '}'): void {
    const token = this.scanner.peek()
    if (token.kind !== ',') fail(`',' or '${closing}' was expected here`, token)
    this.scanner.next()
  }
}

function empty(at: number): YamlScalar {
  return { kind: 'scalar', text: '', tag: '', plain: true, start: at, end: at }
}

function fail(problem: string, token: Token): never {
  throw new YamlProblem(problem, token.start)
}

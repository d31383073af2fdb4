import { base64Decode, firstInvalidUtf8, utf8Decode } from '../bytes.ts'
import { formatFloat32 } from '../go-number.ts'
import type { Source } from '../source.ts'
import type { Entry, Table, Value } from '../value.ts'
import {
  parseYaml,
  type YamlAlias,
  type YamlDocument,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
} from './parser.ts'
import { YamlProblem } from './problem.ts'
import { type Resolved, resolvePlain, resolveTagged } from './resolve.ts'

/** Something the reader noticed that k3OS does not mention. Offsets into the text. */
export type YamlNote =
  /** An earlier value of the same key is lost; `by` says whether a `<<` put the later one there. */
  | {
      readonly kind: 'duplicate-key'
      readonly key: string
      readonly lost: Value
      readonly kept: Value
      readonly by: 'key' | 'merge'
    }
  /** Keys that Go tells apart (`1` and `"1"`) and JSON does not: which one stays is random. */
  | { readonly kind: 'equal-keys'; readonly key: string; readonly lost: Value; readonly kept: Value }
  | { readonly kind: 'binary-damaged'; readonly start: number; readonly end: number }
  | { readonly kind: 'rest-ignored'; readonly start: number; readonly end: number }

export interface YamlReading {
  readonly root: Value | null
  readonly notes: readonly YamlNote[]
}

/**
 * A text as ghodss/yaml hands it to encoding/json: maps with text keys, numbers as 64-bit floats. Throws YamlProblem for
 * what k3OS cannot read. `source.text` must be valid Unicode.
 */
export function readYaml(source: Source): YamlReading {
  refuseControlCharacters(source.text)
  const document = parseYaml(source.text)
  const converter = new Converter(source, document)
  const root = document.root === null ? null : converter.convert(document.root)
  if (document.restAt >= 0)
    converter.notes.push({ kind: 'rest-ignored', start: document.restAt, end: document.restAt + 1 })
  return { root, notes: converter.notes }
}

// Everything but tab, line breaks and printable characters; libyaml's reader refuses them wherever they stand.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/

function refuseControlCharacters(text: string): void {
  const found = forbidden.exec(text)
  if (found === null) return
  const code = (found[0].codePointAt(0) ?? 0).toString(16).padStart(4, '0').toUpperCase()
  throw new YamlProblem(`a control character (U+${code}) is not allowed in YAML`, found.index)
}

// yaml.v2 refuses documents that are mostly expanded aliases; below these sizes it never does.
const aliasedFree = 100
const countedFree = 1000

/** What Go held a key as, and whether it was written out or came by `<<`. */
interface Key {
  readonly type: string
  readonly by: 'key' | 'merge'
}

class Converter {
  readonly notes: YamlNote[] = []
  private readonly source: Source
  private readonly document: YamlDocument
  private readonly open = new Set<YamlAlias>()
  private counted = 0
  private aliased = 0

  constructor(source: Source, document: YamlDocument) {
    this.source = source
    this.document = document
  }

  convert(node: YamlNode): Value {
    this.count(node)
    const { source } = this
    const { start, end } = node
    switch (node.kind) {
      case 'alias':
        return this.through(node, () => this.convert(node.target))
      case 'list':
        return { kind: 'list', items: node.items.map((item) => this.convert(item)), source, start, end }
      case 'map':
        return this.table(node)
      case 'scalar': {
        const resolved = this.resolve(node)
        if (resolved.type === 'number' && !Number.isFinite(resolved.value))
          throw new YamlProblem('infinity and not-a-number do not exist in JSON', start)
        return { kind: 'scalar', value: resolved.type === 'null' ? null : resolved.value, source, start, end }
      }
    }
  }

  private through<Result>(alias: YamlAlias, action: () => Result): Result {
    if (this.open.has(alias)) throw new YamlProblem(`the anchor ${alias.name} contains itself`, alias.start)
    this.open.add(alias)
    const result = action()
    this.open.delete(alias)
    return result
  }

  private count(node: YamlNode): void {
    this.counted += 1
    if (this.open.size > 0) this.aliased += 1
    if (this.aliased <= aliasedFree || this.counted <= countedFree) return
    const progress = Math.min(Math.max(this.counted - 400_000, 0) / 3_600_000, 1)
    if (this.aliased / this.counted > 0.99 - 0.89 * progress)
      throw new YamlProblem('the text consists almost only of references to anchors', node.start)
  }

  private resolve(node: YamlScalar): Resolved {
    if (node.tag === '') return node.plain ? resolvePlain(node.text) : { type: 'string', value: node.text }
    if (node.tag === 'tag:yaml.org,2002:binary') return this.binary(node)
    const resolved = resolveTagged(node.tag, node.text)
    if (resolved !== null) return resolved
    const name = node.tag.slice(node.tag.lastIndexOf(':') + 1)
    throw new YamlProblem(`a value with the tag !!${name} is nothing of that kind`, node.start)
  }

  private binary(node: YamlScalar): Resolved {
    const decoded = base64Decode(node.text)
    if ('badByte' in decoded) throw new YamlProblem('a !!binary value is not valid base64', node.start)
    if (firstInvalidUtf8(decoded.bytes) >= 0)
      this.notes.push({ kind: 'binary-damaged', start: node.start, end: node.end })
    return { type: 'string', value: utf8Decode(decoded.bytes) }
  }

  private table(node: YamlMap): Table {
    const entries = new Map<string, Entry>()
    this.fill(entries, node, 'key', new Map())
    return { kind: 'table', entries, source: this.source, start: node.start, end: node.end }
  }

  /**
   * yaml.v2 handles pairs in the order they stand, `<<` among them: merged values replace keys written before it, keys
   * written after it replace merged values.
   */
  private fill(
    entries: Map<string, Entry>,
    node: YamlMap,
    by: 'key' | 'merge',
    keys: Map<string, Key>,
  ): void {
    for (const [keyNode, valueNode] of node.pairs) {
      if (isMergeKey(keyNode)) {
        this.merge(entries, valueNode, keys)
        continue
      }
      const { text, type } = this.key(keyNode)
      const value = this.convert(valueNode)
      const lost = entries.get(text)?.value
      const before = keys.get(text)
      if (lost !== undefined && before !== undefined) {
        if (before.type !== type) this.notes.push({ kind: 'equal-keys', key: text, lost, kept: value })
        // A key written out takes the place of a merged one by design, and merged maps have an order of their own.
        else if (before.by === 'key')
          this.notes.push({ kind: 'duplicate-key', key: text, lost, kept: value, by })
      }
      keys.set(text, { type, by })
      entries.set(text, { value, keyStart: keyNode.start, keyEnd: keyNode.end })
    }
  }

  private merge(entries: Map<string, Entry>, node: YamlNode, keys: Map<string, Key>): void {
    const sources = node.kind === 'list' ? node.items.toReversed() : [node]
    for (const source of sources) {
      const named =
        source.kind === 'alias' ? (this.document.anchors.get(source.name) ?? source.target) : source
      const target = source.kind === 'alias' ? source.target : source
      if (named.kind !== 'map' || target.kind !== 'map')
        throw new YamlProblem('the value of << must be a map or a list of maps', source.start)
      this.count(target)
      if (source.kind === 'alias') this.through(source, () => this.fill(entries, target, 'merge', keys))
      else this.fill(entries, target, 'merge', keys)
    }
  }

  private key(node: YamlNode): { text: string; type: string } {
    this.count(node)
    if (node.kind === 'alias') return this.through(node, () => this.key(node.target))
    if (node.kind !== 'scalar') throw new YamlProblem('a list or map cannot be a key', node.start)
    const resolved = this.resolve(node)
    switch (resolved.type) {
      case 'string':
        return { text: resolved.value, type: 'string' }
      case 'boolean':
        return { text: String(resolved.value), type: 'boolean' }
      case 'number':
        if (resolved.unsigned) throw new YamlProblem('a number this large cannot be a key', node.start)
        if (resolved.whole) return { text: resolved.text, type: 'whole' }
        return { text: floatKey(resolved.value), type: 'float' }
      case 'null':
        throw new YamlProblem('null cannot be a key', node.start)
    }
  }
}

function floatKey(value: number): string {
  const text = formatFloat32(value)
  return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[text] ?? text
}

function isMergeKey(node: YamlNode): boolean {
  return (
    node.kind === 'scalar' && node.text === '<<' && (node.plain || node.tag === 'tag:yaml.org,2002:merge')
  )
}

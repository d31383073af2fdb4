import {
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Pair,
  parseDocument,
  type Document,
  type YAMLMap,
} from 'yaml'
import { toBase64 } from '../../src/core/base64.ts'
import type { Finding } from '../../src/core/findings.ts'
import type { K3osFile } from '../../src/core/k3os/config.ts'
import { planFile, textOf } from '../../src/core/k3os/planned-file.ts'
import { utf8Encode } from '../../src/core/k3os/bytes.ts'
import { findFlag } from '../../src/core/k3s/flags.ts'
import { modernise } from '../../src/core/k3s/modernise.ts'
import { configPath } from '../../src/core/path.ts'
import { findingsOf } from './arguments.ts'
import type { ForK3s, Part } from './corrections.ts'

/** k3s-io/k3s pkg/configfilearg/parser.go: the file, and drop-ins of either ending. */
const isK3sConfig = /^\/etc\/rancher\/k3s\/config\.yaml(?:\.d\/[^/]+\.ya?ml)?$/

/** Configuration files of k3s among `write_files`, corrected like its arguments; all other files stay byte for byte. */
export function correctFiles(files: readonly K3osFile[], k3s: ForK3s): Part<readonly K3osFile[]> {
  const findings: Finding[] = []
  const value = files.map((file, index) => {
    const planned = planFile(file)
    if ('stage' in planned || !isK3sConfig.test(planned.path)) return file
    const text = textOf(planned)
    const corrected = text === null ? null : correctText(text, { ...k3s, index, findings })
    if (corrected === null) return file
    // What was packed is packed no more, but no reader sees a difference.
    return file.encoding === ''
      ? { ...file, content: corrected }
      : { ...file, encoding: 'b64', content: toBase64(utf8Encode(corrected)) }
  })
  return { value, moved: new Map(), findings }
}

interface Place extends ForK3s {
  readonly index: number
  readonly findings: Finding[]
}

/** The text with its comments; null when nothing in it has to change, or when k3s itself cannot read it. */
function correctText(text: string, place: Place): string | null {
  const document = parseDocument(text, { version: '1.1', stringKeys: true })
  const map = document.contents
  if (document.errors.length > 0 || !isMap(map)) return null
  let changed = false
  for (const pair of map.items.slice()) changed = correctPair(document, map, pair, place) || changed
  return changed ? document.toString({ lineWidth: 0 }) : null
}

function correctPair(document: Document, map: YAMLMap, pair: Pair, place: Place): boolean {
  const key = String(isScalar(pair.key) ? pair.key.value : pair.key)
  const flag = findFlag(key.replace(/\+$/, ''))
  const items = isSeq(pair.value) ? pair.value.items : [pair.value]
  if (flag === undefined || items.some((item) => isCollection(item))) return false
  const path = configPath('writeFiles', place.index, 'content')
  const answers = items.map((item, index) => {
    const text = scalarText(item)
    const value = flag.type === 'bool' ? text === 'true' : text
    const answer = modernise(flag, value, place)
    const discriminator = `${path}:${key}:${index}`
    place.findings.push(...findingsOf(flag, value, answer, { ...place, paths: [path], discriminator }))
    return answer
  })
  if (answers.every((answer) => answer === null)) return false
  const become = answers.flatMap((answer) => answer?.becomes ?? [])
  const name = nameFor(become[0]?.name ?? '', key)
  // A new name for all of it: comments stay where they are.
  if (!map.has(name) && answers.every((answer) => answer?.becomes.length === 1)) {
    const values = become.map(({ value }) => value)
    map.items.splice(map.items.indexOf(pair), 1, renamed(document, pair, name, values))
    return true
  }
  const kept = items.filter((_, index) => answers[index] === null)
  if (kept.length === 0) map.delete(pair.key)
  else if (isSeq(pair.value)) pair.value.items = kept
  for (const one of become) add(document, map, nameFor(one.name, key), one.value)
  return true
}

/** `key+` appends to what earlier files gave, and so must the key in its place. */
function nameFor(name: string, before: string): string {
  return before.endsWith('+') && findFlag(name)?.type === 'slice' ? `${name}+` : name
}

function renamed(document: Document, pair: Pair, name: string, values: readonly (string | boolean)[]): Pair {
  const key = document.createNode(name)
  if (isNode(pair.key)) key.commentBefore = pair.key.commentBefore ?? null
  if (!isSeq(pair.value)) return new Pair(key, document.createNode(values[0]))
  for (const [index, item] of pair.value.items.entries()) if (isScalar(item)) item.value = values[index]
  return new Pair(key, pair.value)
}

/** To a list that is there; a single value that is there already is what k3s would take. */
function add(document: Document, map: YAMLMap, key: string, value: string | boolean): void {
  const isList = findFlag(key.replace(/\+$/, ''))?.type === 'slice'
  const there = map.get(key, true)
  if (there === undefined) map.set(document.createNode(key), document.createNode(isList ? [value] : value))
  else if (isSeq(there)) there.add(document.createNode(value))
  else if (isList) map.set(key, document.createNode([scalarText(there), value]))
}

function scalarText(node: unknown): string {
  if (!isScalar(node)) return ''
  const { value, source } = node
  if (typeof value === 'string') return value
  return typeof value === 'boolean' ? String(value) : value === null ? '' : (source ?? '')
}

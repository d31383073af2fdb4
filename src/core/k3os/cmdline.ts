import type { Source } from './source.ts'
import type { Entry, List, Scalar, Table, Value } from './value.ts'

/** An argument that changes nothing because of one before it. */
export interface IgnoredArgument {
  readonly key: string
  readonly start: number
  readonly end: number
  readonly because: 'a map has this name' | 'a value has the name of one of its parts'
}

export interface CommandLine {
  readonly table: Table
  readonly ignored: readonly IgnoredArgument[]
}

// A quoted argument; or key="value with blanks", where the quote directly follows an equals sign; or a run of non-blanks.
// Blanks are those of Go's regular expressions.
const argumentPattern = /"[^"]+"|[^\t\n\f\r ]+="[^"]+"|[^\t\n\f\r ]+/g

/** rancher/k3os pkg/config/read.go readCmdline: every argument is taken, whoever it was meant for. */
export function readCommandLine(source: Source): CommandLine {
  const root = emptyTable(source, 0, source.text.length)
  const ignored: IgnoredArgument[] = []
  for (const match of source.text.matchAll(argumentPattern)) {
    const [argument] = match
    const start = match.index
    const end = start + argument.length
    const equals = argument.indexOf('=')
    const key = trimQuotes(equals < 0 ? argument : argument.slice(0, equals))
    const written = equals < 0 ? 'true' : trimQuotes(argument.slice(equals + 1))
    const made = equals < 0 || written === ''
    const value: Scalar = {
      kind: 'scalar',
      value: written,
      made,
      source,
      ...valueRange(argument, equals, start),
    }
    const because = put(root, key.split('.'), value, { start, end })
    if (because !== null) ignored.push({ key, start, end, because })
  }
  return { table: root, ignored }
}

function trimQuotes(text: string): string {
  return text.replace(/^"+/, '').replace(/"+$/, '')
}

/** Where the value stands; the whole argument when there is none or it is empty. */
function valueRange(argument: string, equals: number, start: number): { start: number; end: number } {
  const from = equals + 1 + (/^"+/.exec(argument.slice(equals + 1))?.[0].length ?? 0)
  const to = argument.replace(/"+$/, '').length
  return equals < 0 || to <= from
    ? { start, end: start + argument.length }
    : { start: start + from, end: start + to }
}

interface Range {
  readonly start: number
  readonly end: number
}

/** rancher/mapper values.GetValue and PutValue. Gives the reason when nothing was put anywhere. */
function put(
  root: Table,
  keys: readonly string[],
  value: Scalar,
  argument: Range,
): IgnoredArgument['because'] | null {
  let table = root
  for (const key of keys.slice(0, -1)) {
    const entry = table.entries.get(key)
    if (entry === undefined) {
      const child = emptyTable(value.source, argument.start, argument.end)
      table.entries.set(key, entryOf(child, argument))
      table = child
    } else if (entry.value.kind === 'table') table = entry.value
    else return 'a value has the name of one of its parts'
  }
  const last = keys.at(-1) ?? ''
  const existing = table.entries.get(last)
  if (existing?.value.kind === 'table') return 'a map has this name'
  table.entries.set(
    last,
    existing === undefined ? entryOf(value, argument) : entryOf(append(existing.value, value), argument),
  )
  return null
}

function append(existing: Value, value: Scalar): List {
  const items = existing.kind === 'list' ? [...existing.items, value] : [existing, value]
  return { kind: 'list', items, source: value.source, start: existing.start, end: value.end }
}

function entryOf(value: Value, argument: Range): Entry {
  return { value, keyStart: argument.start, keyEnd: argument.end }
}

function emptyTable(source: Source, start: number, end: number): Table {
  return { kind: 'table', entries: new Map(), source, start, end }
}

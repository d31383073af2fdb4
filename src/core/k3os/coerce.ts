import { compareBytes } from './compare.ts'
import { formatFloat } from './go-number.ts'
import type { Ledger } from './ledger.ts'
import { namesOf } from './names.ts'
import type { Field, Shape } from './shape.ts'
import type { Entry, List, Scalar, Table, Value } from './value.ts'

/**
 * Copies other spellings to the canonical names and adjusts types, in one source and in place: rancher/k3os
 * pkg/config/{rename,coerce}.go, in the order rancher/mapper runs them. Original keys stay.
 */
export function normalise(table: Table, shape: Shape, ledger: Ledger): void {
  copyAliases(table, shape, ledger)
  for (const [name, field] of shape.fields) {
    const entry = table.entries.get(name)
    if (entry === undefined) continue
    const value = coerce(entry.value, field)
    if (value !== entry.value) table.entries.set(name, { ...entry, value })
    else if (field.type === 'object' && value.kind === 'table') normalise(value, field.shape, ledger)
    else if (field.type === 'objects' && value.kind === 'list') {
      for (const item of value.items) if (item.kind === 'table') normalise(item, field.shape, ledger)
    }
  }
}

function copyAliases(table: Table, shape: Shape, ledger: Ledger): void {
  const { aliases } = namesOf(shape)
  const copies = new Map<string, Entry[]>()
  for (const [key, entry] of table.entries) {
    const name = aliases.get(key)
    if (name !== undefined) copies.set(name, [...(copies.get(name) ?? []), entry])
  }
  for (const [name, candidates] of copies) {
    // Go walks the map in random order and the last copy stays. We take the one written last and say so.
    const winner = candidates.at(-1)
    if (winner === undefined) continue
    const canonical = table.entries.get(name)
    if (canonical !== undefined) ledger.replace(canonical.value, 'other-spelling', winner.value)
    for (const loser of candidates) if (loser !== winner) ledger.choose(winner.value, loser.value)
    table.entries.set(name, winner)
  }
}

/** The value as the field wants it, or the same value if k3OS leaves it alone (and the type check may then refuse it). */
function coerce(value: Value, field: Field): Value {
  if (field.type === 'texts' && isText(value)) {
    const item: Scalar = { ...value, was: value }
    return {
      kind: 'list',
      items: [item],
      source: value.source,
      start: value.start,
      end: value.end,
      was: value,
    }
  }
  if (field.type === 'flag' && isText(value)) return { ...value, value: value.value === 'true', was: value }
  if (field.type === 'text-map' && value.kind === 'table') {
    const entries = new Map<string, Entry>()
    for (const [key, entry] of value.entries) entries.set(key, { ...entry, value: toText(entry.value) })
    return { ...value, entries, was: value }
  }
  return value
}

function isText(value: Value): value is Scalar & { readonly value: string } {
  return value.kind === 'scalar' && typeof value.value === 'string'
}

/** rancher/mapper convert.ToString: the first element of a list, Go's `%v`, trimmed. */
function toText(value: Value): Scalar {
  const single = value.kind === 'list' ? value.items[0] : value
  const empty = single === undefined || (single.kind === 'scalar' && single.value === null)
  const text = empty ? '' : trimSpace(goPrint(single))
  const { source, start, end } = value
  return { kind: 'scalar', value: text, source, start, end, was: value }
}

/** Go's `fmt.Sprint` of what encoding/json decoded. */
function goPrint(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      if (value.value === null) return '<nil>'
      return typeof value.value === 'number' ? formatFloat(value.value) : String(value.value)
    case 'list':
      return `[${printItems(value)}]`
    case 'table': {
      const sorted = Array.from(value.entries).toSorted(([a], [b]) => compareBytes(a, b))
      return `map[${sorted.map(([key, entry]) => `${key}:${goPrint(entry.value)}`).join(' ')}]`
    }
  }
}

function printItems(list: List): string {
  return list.items.map(goPrint).join(' ')
}

/** Go's unicode.IsSpace, which knows U+0085 and does not know U+FEFF. */
export function trimSpace(text: string): string {
  return text
    .replace(/^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, '')
    .replace(/[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/, '')
}

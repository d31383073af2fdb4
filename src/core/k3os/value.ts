import type { Place } from './reading.ts'
import type { Source } from './source.ts'

interface Written {
  readonly source: Source
  readonly start: number
  readonly end: number
}

export interface Scalar extends Written {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** k3OS makes this value from what stands there: an argument without one, a field for a script. */
  readonly made?: boolean
  /** The value before k3OS changed its type or form; undefined for one that is as it was written. */
  readonly was?: Value
}

export interface List extends Written {
  readonly kind: 'list'
  readonly items: readonly Value[]
  readonly was?: Value
}

/**
 * `entries` is changed in place when aliases are copied, as k3OS does it: two keys of one source may hold the same
 * table, and what is done to it under one name shows under the other.
 */
export interface Table extends Written {
  readonly kind: 'table'
  readonly entries: Map<string, Entry>
  readonly was?: Value
  /** The tables this one was merged from, lowest precedence first. */
  readonly parts?: readonly Table[]
}

/** What JSON holds, with the place it was written at. */
export type Value = Scalar | List | Table

export interface Entry {
  readonly value: Value
  /** Where the key stands. */
  readonly keyStart: number
  readonly keyEnd: number
}

export function placeOf(value: Value): Place {
  return value.source.place(value.start, value.end)
}

/** The value as it stood in the source, before coercion. */
export function asWritten(value: Value): Value {
  return value.was === undefined ? value : asWritten(value.was)
}

/** Everything in a value that can get lost: scalars, and lists and maps that are empty. */
export function leafValues(value: Value): Value[] {
  switch (value.kind) {
    case 'scalar':
      return [value]
    case 'list':
      return value.items.length === 0 ? [value] : value.items.flatMap(leafValues)
    case 'table':
      return value.entries.size === 0
        ? [value]
        : Array.from(value.entries.values()).flatMap((entry) => leafValues(entry.value))
  }
}

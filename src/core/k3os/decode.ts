import { compareBytes } from './compare.ts'
import type { Ledger, Loss } from './ledger.ts'
import { fieldOf, namesOf } from './names.ts'
import { childPath, type ConfigPath } from '../path.ts'
import type { Field, ObjectsField, Shape, TextsField } from './shape.ts'
import type { Entry, Table, Value } from './value.ts'

// What Go's encoding/json does with the merged map: keys in byte order, letter case ignored, decoded one after the other
// into the same structs. So of several keys for one field the last one wins, objects and maps are filled twice, and a null
// leaves texts and flags as they are.

export interface TextSlot {
  readonly kind: 'text'
  readonly value: string
  readonly from: Value
}
export interface FlagSlot {
  readonly kind: 'flag'
  readonly value: boolean
  readonly from: Value
}
export interface MapSlot {
  readonly kind: 'map'
  readonly entries: Map<string, TextSlot>
  from: Value
}
/**
 * Go decodes a list into the array the field already has: elements keep what the new ones do not set, also behind the
 * end of a shorter list.
 */
export interface ListSlot {
  readonly kind: 'list'
  readonly cells: (TextSlot | ObjectSlot)[]
  length: number
  from: Value
}
export interface ObjectSlot {
  readonly kind: 'object'
  readonly fields: Map<string, Slot>
  /** Null for what k3OS makes itself. */
  from: Value | null
}
export type Slot = TextSlot | FlagSlot | MapSlot | ListSlot | ObjectSlot

export interface TypeMistake {
  readonly path: ConfigPath
  /** The key as written; null for list elements. */
  readonly key: string | null
  readonly value: Value
  readonly wanted: Field['type'] | 'map-value'
}

/** A key that reached its field only because encoding/json ignores letter case. */
export interface FoldedKey {
  readonly path: ConfigPath
  readonly key: string
  readonly entry: Entry
  /** `runcmd` for `runCmd`, as opposed to `RunCmd`: stronger than the usual spellings instead of weaker. */
  readonly lowerCase: boolean
}

export interface Decoded {
  readonly root: ObjectSlot
  readonly mistakes: readonly TypeMistake[]
  readonly folded: readonly FoldedKey[]
}

export function decode(table: Table, shape: Shape, ledger: Ledger): Decoded {
  const decoder = new Decoder(ledger)
  const install: ObjectSlot = { kind: 'object', fields: new Map(), from: null }
  const k3os: ObjectSlot = { kind: 'object', fields: new Map([['install', install]]), from: null }
  const root: ObjectSlot = { kind: 'object', fields: new Map([['k3os', k3os]]), from: null }
  decoder.object(root, table, shape, '', 'letter-case')
  return { root, mistakes: decoder.mistakes, folded: decoder.folded }
}

interface Place {
  readonly path: ConfigPath
  readonly key: string | null
  /** Why an earlier value loses to this one. */
  readonly how: Loss
}

class Decoder {
  readonly mistakes: TypeMistake[] = []
  readonly folded: FoldedKey[] = []
  private readonly ledger: Ledger

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  object(slot: ObjectSlot, table: Table, shape: Shape, path: ConfigPath, how: Loss): void {
    slot.from = table
    const names = namesOf(shape)
    const matched: [string, string, Entry][] = []
    for (const [key, entry] of table.entries) {
      const name = shape.fields.has(key) ? key : fieldOf(key, names)
      if (name !== undefined) matched.push([key, name, entry])
    }
    for (const [key, name, entry] of matched.toSorted(([a], [b]) => compareBytes(a, b))) {
      const field = shape.fields.get(name)
      if (field === undefined) continue
      const fieldPath = childPath(path, name)
      const lowerCase = key !== name && key === name.toLowerCase()
      if (key !== name) this.folded.push({ path: fieldPath, key, entry, lowerCase })
      this.field(slot, name, field, entry.value, {
        path: fieldPath,
        key,
        how: lowerCase ? 'lower-case' : how,
      })
    }
  }

  private field(slot: ObjectSlot, name: string, field: Field, value: Value, place: Place): void {
    const before = slot.fields.get(name)
    if (value.kind === 'scalar' && value.value === null) {
      const keeps =
        field.type === 'text' || field.type === 'flag' || (field.type === 'object' && !field.nullable)
      if (keeps) return
      if (before?.from) this.ledger.replace(before.from, place.how, value)
      slot.fields.delete(name)
      return
    }
    const after = this.value(before, field, value, place)
    if (after !== undefined) slot.fields.set(name, after)
  }

  private value(before: Slot | undefined, field: Field, value: Value, place: Place): Slot | undefined {
    switch (field.type) {
      case 'text':
        return this.scalar('text', before, value, place)
      case 'flag':
        if (value.kind !== 'scalar' || typeof value.value !== 'boolean')
          return this.refuse(field.type, value, place)
        if (before?.from) this.ledger.replace(before.from, place.how, value)
        return { kind: 'flag', value: value.value, from: value }
      case 'texts':
      case 'objects':
        return this.list(before, field, value, place)
      case 'text-map':
        return this.map(before, value, place)
      case 'object': {
        if (value.kind !== 'table') return this.refuse(field.type, value, place)
        const object: ObjectSlot =
          before?.kind === 'object' ? before : { kind: 'object', fields: new Map(), from: value }
        this.object(object, value, field.shape, place.path, place.how)
        return object
      }
    }
  }

  private scalar(
    wanted: 'text' | 'map-value',
    before: Slot | undefined,
    value: Value,
    place: Place,
  ): TextSlot | undefined {
    if (value.kind !== 'scalar' || typeof value.value !== 'string') return this.refuse(wanted, value, place)
    if (before?.from) this.ledger.replace(before.from, place.how, value)
    return { kind: 'text', value: value.value, from: value }
  }

  private map(before: Slot | undefined, value: Value, place: Place): MapSlot | undefined {
    if (value.kind !== 'table') return this.refuse('text-map', value, place)
    const map: MapSlot = before?.kind === 'map' ? before : { kind: 'map', entries: new Map(), from: value }
    map.from = value
    for (const [key, entry] of value.entries) {
      const at: Place = { ...place, path: childPath(place.path, key), key }
      const empty = entry.value.kind === 'scalar' && entry.value.value === null
      const text: TextSlot | undefined = empty
        ? { kind: 'text', value: '', from: entry.value }
        : this.scalar('map-value', map.entries.get(key), entry.value, at)
      if (text !== undefined) map.entries.set(key, text)
    }
    return map
  }

  private list(
    before: Slot | undefined,
    field: TextsField | ObjectsField,
    value: Value,
    place: Place,
  ): ListSlot | undefined {
    if (value.kind !== 'list') return this.refuse(field.type, value, place)
    if (before?.from) this.ledger.replace(before.from, place.how, value)
    const reused = before?.kind === 'list' && value.items.length > 0
    const list: ListSlot = reused ? before : { kind: 'list', cells: [], length: 0, from: value }
    list.from = value
    list.length = value.items.length
    for (const [index, item] of value.items.entries()) {
      const at: Place = { path: childPath(place.path, index), key: null, how: place.how }
      const cell = list.cells[index]
      const decoded =
        field.type === 'texts' ? this.textCell(cell, item, at) : this.objectCell(cell, item, field.shape, at)
      if (decoded !== undefined) list.cells[index] = decoded
    }
    return list
  }

  private textCell(cell: TextSlot | ObjectSlot | undefined, item: Value, place: Place): TextSlot | undefined {
    if (item.kind === 'scalar' && item.value === null)
      return cell === undefined ? { kind: 'text', value: '', from: item } : undefined
    return this.scalar('text', undefined, item, place)
  }

  private objectCell(
    cell: TextSlot | ObjectSlot | undefined,
    item: Value,
    shape: Shape,
    place: Place,
  ): ObjectSlot | undefined {
    const object: ObjectSlot =
      cell?.kind === 'object' ? cell : { kind: 'object', fields: new Map(), from: item }
    if (item.kind === 'scalar' && item.value === null) return object
    if (item.kind !== 'table') return this.refuse('object', item, place)
    this.object(object, item, shape, place.path, place.how)
    return object
  }

  private refuse(wanted: TypeMistake['wanted'], value: Value, place: Place): undefined {
    this.mistakes.push({ path: place.path, key: place.key, value, wanted })
    return undefined
  }
}

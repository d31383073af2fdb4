import { childPath, type ConfigPath } from '../path.ts'
import type { K3osConfig } from './config.ts'
import { compareBytes } from './compare.ts'
import type { FlagSlot, ListSlot, MapSlot, ObjectSlot, Slot, TextSlot } from './decode.ts'
import type { Ledger } from './ledger.ts'
import type { Origin, Overridden } from './reading.ts'
import { rootShape, type Field, type Shape } from './shape.ts'
import { asWritten, placeOf, type Value } from './value.ts'

/** A text or flag k3OS ended up with, empty ones included. */
export interface Settled {
  readonly path: ConfigPath
  readonly slot: TextSlot | FlagSlot
}

export interface Result {
  readonly config: K3osConfig
  readonly origins: ReadonlyMap<ConfigPath, Origin>
  readonly settled: readonly Settled[]
  /** Values of the sources, as written, that the result was made of. */
  readonly used: ReadonlySet<Value>
}

/** The merged configuration as encoding/json prints it: empty values left out, fields in their order, map keys sorted. */
export function buildResult(root: ObjectSlot, ledger: Ledger): Result {
  const builder = new Builder(ledger)
  const config = builder.object(root, rootShape, '')
  return {
    config: config as unknown as K3osConfig,
    origins: builder.origins,
    settled: builder.settled,
    used: builder.used,
  }
}

const nowhere: Origin = { source: 'default', place: null, verbatim: false, overrode: [] }

class Builder {
  readonly origins = new Map<ConfigPath, Origin>()
  readonly settled: Settled[] = []
  readonly used = new Set<Value>()
  private readonly ledger: Ledger

  constructor(ledger: Ledger) {
    this.ledger = ledger
  }

  object(slot: ObjectSlot, shape: Shape, path: ConfigPath): Record<string, unknown> {
    if (slot.from !== null) this.used.add(asWritten(slot.from))
    const result: Record<string, unknown> = {}
    for (const [name, field] of shape.fields) {
      const fieldPath = childPath(path, name)
      const value = slot.fields.get(name)
      const built = value === undefined ? undefined : this.value(value, field, fieldPath)
      if (built !== undefined) result[name] = built
      else if (shape.complete) {
        result[name] = ''
        this.origins.set(fieldPath, this.absent(value?.from ?? slot.from))
      }
    }
    if (path !== '' && Object.keys(result).length === 0) this.origins.set(path, this.absent(slot.from))
    return result
  }

  private value(slot: Slot, field: Field, path: ConfigPath): unknown {
    switch (slot.kind) {
      case 'text':
      case 'flag':
        return this.scalar(slot, path)
      case 'map':
        return this.map(slot, path)
      case 'list':
        return this.list(slot, field, path)
      case 'object':
        return field.type === 'object' ? this.object(slot, field.shape, path) : undefined
    }
  }

  private scalar(slot: TextSlot | FlagSlot, path: ConfigPath): string | boolean | undefined {
    const empty = slot.value === '' || slot.value === false
    if (empty) this.settle(slot, path)
    else this.carry(slot, path, this.overridden(slot.from))
    return empty ? undefined : slot.value
  }

  private settle(slot: TextSlot | FlagSlot, path: ConfigPath): void {
    this.used.add(asWritten(slot.from))
    this.settled.push({ path, slot })
  }

  private carry(slot: TextSlot | FlagSlot, path: ConfigPath, overrode: readonly Overridden[]): void {
    this.settle(slot, path)
    this.origins.set(path, this.origin(asWritten(slot.from), slot.value, overrode))
  }

  private map(slot: MapSlot, path: ConfigPath): Record<string, string> | undefined {
    const before = this.ledger.lostTo(slot.from).map(asWritten)
    this.used.add(asWritten(slot.from))
    const result: Record<string, string> = {}
    for (const [key, text] of Array.from(slot.entries).toSorted(([a], [b]) => compareBytes(a, b))) {
      const same = before.flatMap((map) => (map.kind === 'table' ? (map.entries.get(key)?.value ?? []) : []))
      this.carry(text, childPath(path, key), same.map(overriddenBy))
      setOwn(result, key, text.value)
    }
    return slot.entries.size === 0 ? undefined : result
  }

  private list(slot: ListSlot, field: Field, path: ConfigPath): unknown[] | undefined {
    const overrode = this.overridden(slot.from)
    this.used.add(asWritten(slot.from))
    const cells = slot.cells.slice(0, slot.length)
    const built = cells.map((cell, index) => {
      const cellPath = childPath(path, index)
      if (cell.kind === 'object')
        return field.type === 'objects' ? this.object(cell, field.shape, cellPath) : undefined
      this.carry(cell, cellPath, overrode)
      return cell.value
    })
    return built.length === 0 ? undefined : built
  }

  private origin(written: Value, value: string | boolean, overrode: readonly Overridden[]): Origin {
    return {
      source: written.source.kind,
      place: placeOf(written),
      verbatim: isVerbatim(written, value),
      overrode,
    }
  }

  /** A field nobody wrote, in an object somebody did. */
  private absent(from: Value | null): Origin {
    if (from === null) return nowhere
    const written = asWritten(from)
    return { ...nowhere, source: written.source.kind, place: placeOf(written) }
  }

  private overridden(winner: Value): Overridden[] {
    return this.ledger.lostTo(winner).map(overriddenBy)
  }
}

function isVerbatim(written: Value, value: string | boolean): boolean {
  if (written.kind !== 'scalar' || written.made === true) return false
  return written.value === value || written.source.text.slice(written.start, written.end) === value
}

function overriddenBy(lost: Value): Overridden {
  return { source: lost.source.kind, place: placeOf(lost) }
}

/** `__proto__` is a possible label and environment name. */
function setOwn(target: Record<string, string>, key: string, value: string): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

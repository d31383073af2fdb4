import { childPath, type ConfigPath } from '../path.ts'
import type { Ledger, Replacement } from './ledger.ts'
import type { Loaded } from './load.ts'
import { fieldOf, meantField, namesOf } from './names.ts'
import { rootShape, type Field, type Shape } from './shape.ts'
import type { Source } from './source.ts'
import type { Entry, Table, Value } from './value.ts'

/** A setting in one source that k3OS looks at. */
export interface Claim {
  readonly path: ConfigPath
  readonly key: string
  readonly source: Source
  readonly value: Value
  /** The tables and lists around it, outermost first. */
  readonly within: readonly Value[]
  /** The list of files or networks it stands in. */
  readonly list: Claim | null
}

/** A key in one source that no rule of k3OS matches. */
export interface UnknownKey {
  readonly path: ConfigPath
  readonly key: string
  readonly source: Source
  readonly entry: Entry
  /** The canonical path somebody probably meant. */
  readonly meant: ConfigPath | null
  /** It would be known if a key around it were spelled in the usual way: below `K3OS:` there are no aliases. */
  readonly belowFolded: boolean
}

export interface Account {
  readonly claims: readonly Claim[]
  /** Lists of files and networks, which claim nothing but what stands in them. */
  readonly lists: readonly Claim[]
  readonly unknown: readonly UnknownKey[]
}

/** Reads the sources as written, before k3OS copies names: what each of them asks for. */
export function accountFor(sources: readonly Loaded[]): Account {
  const walker = new Walker()
  for (const { source, table } of sources)
    if (table !== null)
      walker.table(table, rootShape, { path: '', source, within: [], list: null, folded: false })
  return walker
}

interface Spot {
  readonly path: ConfigPath
  readonly source: Source
  readonly within: readonly Value[]
  readonly list: Claim | null
  /** A key around this place is in unusual letter case: no aliases from here on. */
  readonly folded: boolean
}

class Walker implements Account {
  readonly claims: Claim[] = []
  readonly lists: Claim[] = []
  readonly unknown: UnknownKey[] = []

  table(table: Table, shape: Shape, spot: Spot): void {
    const names = namesOf(shape)
    for (const [key, entry] of table.entries) {
      const usual = shape.fields.has(key) ? key : spot.folded ? undefined : names.aliases.get(key)
      const name = usual ?? fieldOf(key, names)
      const field = name === undefined ? undefined : shape.fields.get(name)
      if (name !== undefined && field !== undefined) {
        const folded = spot.folded || usual === undefined
        this.setting(entry.value, key, field, { ...spot, path: childPath(spot.path, name), folded })
      } else {
        const alias = spot.folded ? names.aliases.get(key) : undefined
        const meant = alias ?? meantField(key, names)
        this.unknown.push({
          path: childPath(spot.path, key),
          key,
          source: spot.source,
          entry,
          meant: meant === undefined ? null : childPath(spot.path, meant),
          belowFolded: alias !== undefined,
        })
      }
    }
  }

  private setting(value: Value, key: string, field: Field, spot: Spot): void {
    const { path, source, within, list } = spot
    const claim: Claim = { path, key, source, value, within, list }
    if (field.type === 'object' && value.kind === 'table')
      this.table(value, field.shape, { ...spot, within: [...within, value] })
    else if (field.type === 'objects' && value.kind === 'list' && value.items.length > 0) {
      this.lists.push(claim)
      for (const [index, item] of value.items.entries()) {
        const at: Spot = { ...spot, path: childPath(path, index), within: [...within, value], list: claim }
        if (item.kind === 'table') this.table(item, field.shape, { ...at, within: [...at.within, item] })
        else this.claims.push({ ...claim, path: at.path, value: item, within: at.within, list: claim })
      }
    } else this.claims.push(claim)
  }
}

export interface LostValue {
  readonly claim: Claim
  /** The part of the claim that is gone: all of it, or one leaf. */
  readonly value: Value
  readonly path: ConfigPath
  readonly replacement: Replacement | undefined
}

/** Values that were asked for and are not in the result. A value that what took its place repeats is not lost. */
export function lostValues(account: Account, used: ReadonlySet<Value>, ledger: Ledger): LostValue[] {
  const whole = lostLists(account, used, ledger)
  const claims = account.claims.filter(({ list }) => list === null || !whole.has(list))
  return [...whole, ...claims].flatMap((claim) => {
    const all = unusedLeaves(claim.value, claim.path, used)
    if (all.length === 0) return []
    const replaced = [claim.value, ...claim.within.toReversed()]
      .map((value) => ledger.replacementOf(value))
      .filter((replacement) => replacement !== undefined)
    // A value that lost to chance and whose winner is gone as well went the way of that one.
    const reason = replaced.find(({ how, by }) => how !== 'random' || used.has(by)) ?? replaced[0]
    const parts = all.length === countLeaves(claim.value) ? [{ value: claim.value, path: claim.path }] : all
    return parts
      .map(({ value, path }) => ({
        claim,
        value,
        path,
        replacement: value === claim.value ? reason : (ledger.replacementOf(value) ?? reason),
      }))
      .filter(({ value, replacement }) => !isRepeated(value, replacement, used))
  })
}

function isRepeated(value: Value, replacement: Replacement | undefined, used: ReadonlySet<Value>): boolean {
  return replacement !== undefined && used.has(replacement.by) && sameValue(value, replacement.by)
}

/** Lists of files or networks another list took the place of: one thing to say, not one for each of their fields. */
function lostLists(account: Account, used: ReadonlySet<Value>, ledger: Ledger): Set<Claim> {
  return new Set(
    account.lists.filter(
      ({ value }) => ledger.replacementOf(value) !== undefined && !hasUsedPart(value, used),
    ),
  )
}

function unusedLeaves(
  value: Value,
  path: ConfigPath,
  used: ReadonlySet<Value>,
): { value: Value; path: ConfigPath }[] {
  switch (value.kind) {
    case 'scalar':
      return used.has(value) || value.value === null ? [] : [{ value, path }]
    case 'list':
      if (value.items.length === 0 || isWhole(value, used)) return used.has(value) ? [] : [{ value, path }]
      return value.items.flatMap((item, index) => unusedLeaves(item, childPath(path, index), used))
    case 'table':
      if (value.entries.size === 0 || isWhole(value, used)) return used.has(value) ? [] : [{ value, path }]
      return Array.from(value.entries).flatMap(([key, entry]) =>
        unusedLeaves(entry.value, childPath(path, key), used),
      )
  }
}

/** A list or map that became one text (a label) is used as a whole, and its parts are in no result of their own. */
function isWhole(value: Value, used: ReadonlySet<Value>): boolean {
  return used.has(value) && !hasUsedPart(value, used)
}

function hasUsedPart(value: Value, used: ReadonlySet<Value>): boolean {
  if (value.kind === 'scalar') return used.has(value)
  const parts =
    value.kind === 'list' ? value.items : Array.from(value.entries.values(), (entry) => entry.value)
  return parts.some((part) => used.has(part) || hasUsedPart(part, used))
}

function countLeaves(value: Value): number {
  return unusedLeaves(value, '', new Set()).length
}

export function sameValue(a: Value, b: Value): boolean {
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.value === b.value
  if (a.kind === 'list')
    return (
      b.kind === 'list' &&
      a.items.length === b.items.length &&
      a.items.every((item, index) => sameOptional(item, b.items[index]))
    )
  return (
    b.kind === 'table' &&
    a.entries.size === b.entries.size &&
    Array.from(a.entries).every(([key, entry]) => sameOptional(entry.value, b.entries.get(key)?.value))
  )
}

function sameOptional(a: Value, b: Value | undefined): boolean {
  return b !== undefined && sameValue(a, b)
}

export function claimsByValue(account: Account): Map<Value, Claim> {
  const claims = new Map<Value, Claim>()
  for (const claim of [...account.lists, ...account.claims]) claims.set(claim.value, claim)
  return claims
}

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
  readonly unknown: readonly UnknownKey[]
}

/** Reads the sources as written, before k3OS copies names: what each of them asks for. */
export function accountFor(sources: readonly Loaded[]): Account {
  const walker = new Walker()
  for (const { source, table } of sources)
    if (table !== null) walker.table(table, rootShape, '', source, [], false)
  return walker
}

class Walker implements Account {
  readonly claims: Claim[] = []
  readonly unknown: UnknownKey[] = []

  table(
    table: Table,
    shape: Shape,
    path: ConfigPath,
    source: Source,
    within: readonly Value[],
    folded: boolean,
  ): void {
    const names = namesOf(shape)
    for (const [key, entry] of table.entries) {
      const usual = shape.fields.has(key) ? key : folded ? undefined : names.aliases.get(key)
      const name = usual ?? fieldOf(key, names)
      const field = name === undefined ? undefined : shape.fields.get(name)
      if (name === undefined || field === undefined) {
        const meant = (folded ? names.aliases.get(key) : undefined) ?? meantField(key, names)
        const meantPath = meant === undefined ? null : childPath(path, meant)
        const belowFolded = folded && names.aliases.has(key)
        this.unknown.push({ path: childPath(path, key), key, source, entry, meant: meantPath, belowFolded })
      } else
        this.setting(entry, key, field, childPath(path, name), source, within, folded || usual === undefined)
    }
  }

  private setting(
    entry: Entry,
    key: string,
    field: Field,
    path: ConfigPath,
    source: Source,
    within: readonly Value[],
    folded: boolean,
  ): void {
    const { value } = entry
    if (field.type === 'object' && value.kind === 'table')
      return this.table(value, field.shape, path, source, [...within, value], folded)
    if (field.type === 'objects' && value.kind === 'list') {
      for (const [index, item] of value.items.entries())
        if (item.kind === 'table')
          this.table(item, field.shape, childPath(path, index), source, [...within, value, item], folded)
        else
          this.claims.push({
            path: childPath(path, index),
            key,
            source,
            value: item,
            within: [...within, value],
          })
      if (value.items.length > 0) return
    }
    this.claims.push({ path, key, source, value, within })
  }
}

export interface LostValue {
  readonly claim: Claim
  /** The part of the claim that is gone: all of it, or one leaf. */
  readonly value: Value
  readonly path: ConfigPath
  readonly replacement: Replacement | undefined
}

/** Values that were asked for and are not in the result. A value that another source repeats is not lost. */
export function lostValues(account: Account, used: ReadonlySet<Value>, ledger: Ledger): LostValue[] {
  return account.claims.flatMap((claim) => {
    const all = unusedLeaves(claim.value, claim.path, used)
    if (all.length === 0) return []
    const around = [claim.value, ...claim.within.toReversed()]
    const replaced = around
      .map((value) => ledger.replacementOf(value))
      .find((replacement) => replacement !== undefined)
    const whole = all.length === countLeaves(claim.value)
    const parts = whole ? [{ value: claim.value, path: claim.path }] : all
    return parts
      .map(({ value, path }) => ({
        claim,
        value,
        path,
        replacement: ledger.replacementOf(value) ?? replaced,
      }))
      .filter(({ value, replacement }) => replacement === undefined || !sameValue(value, replacement.by))
  })
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

function sameValue(a: Value, b: Value): boolean {
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

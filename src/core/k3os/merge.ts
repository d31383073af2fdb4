import type { Ledger } from './ledger.ts'
import type { Shape } from './shape.ts'
import type { Entry, Table, Value } from './value.ts'

/**
 * rancher/mapper convert/merge UpdateMerge: objects are merged key by key, maps of the schema (`labels`, `sysctls`,
 * `environment`), lists and everything else are replaced as a whole. Below a key the schema does not know (`K3OS:`,
 * `Labels:`) every map is merged. `shape` is null there.
 */
export function mergeTables(lower: Table, upper: Table, shape: Shape | null, ledger: Ledger): Table {
  const entries = new Map<string, Entry>(lower.entries)
  for (const [key, entry] of upper.entries) {
    const below = lower.entries.get(key)
    if (below === undefined) entries.set(key, entry)
    else entries.set(key, { ...entry, value: mergeValues(key, below.value, entry.value, shape, ledger) })
  }
  const parts = [...(lower.parts ?? [lower]), upper]
  return { kind: 'table', entries, source: upper.source, start: upper.start, end: upper.end, parts }
}

function mergeValues(key: string, below: Value, above: Value, shape: Shape | null, ledger: Ledger): Value {
  const field = shape?.fields.get(key)
  if (field?.type !== 'text-map' && below.kind === 'table' && above.kind === 'table')
    return mergeTables(below, above, field?.type === 'object' ? field.shape : null, ledger)
  ledger.replace(below, 'later-source', above)
  return above
}

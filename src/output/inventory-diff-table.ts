import type { Change, InventoryDiff } from '../core/inventory-diff.ts'
import { type Cell, table } from './table.ts'

/** One row a change; texts that are long are cut, as `-o json` has them whole. */
export function inventoryDiffTable({ nodes, cluster }: InventoryDiff, width?: number): string {
  const rows: Cell[][] = [
    ...nodes.removed.map((name): Cell[] => [{ text: name, role: 'name' }, 'node', 'listed', 'not listed']),
    ...nodes.added.map((name): Cell[] => [{ text: name, role: 'name' }, 'node', 'not listed', 'listed']),
    ...nodes.changed.flatMap(({ name, changes }) => changes.map((change) => row(name, change))),
    ...cluster.map((change) => row('(cluster)', change)),
  ]
  return table(['NODE', 'WHAT', 'BEFORE', 'AFTER'], rows, width === undefined ? {} : { width })
}

function row(name: string, { path, before, after }: Change): Cell[] {
  return [{ text: name, role: 'name' }, path.replace(/^facts\./, ''), valueText(before), valueText(after)]
}

const longest = 60

function valueText(value: unknown): string {
  if (value === null) return '-'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}

import { sizeText } from '../core/assess/size-text.ts'
import type { Inventory, InventoryNode, NodeFacts } from '../core/inventory.ts'
import { type Cell, table } from './table.ts'

/** One row a machine; one that could not be read has a row too. */
export function inventoryTable(inventory: Inventory, width?: number): string {
  const headers = ['NAME', 'ROLE', 'K3OS', 'K3S', 'ARCH', 'MEMORY', 'DISK', 'DATASTORE', 'STATUS']
  return table(headers, inventory.nodes.map(row), width === undefined ? {} : { width })
}

function row(node: InventoryNode): Cell[] {
  const name = { text: node.name, role: 'name' } as const
  if (node.status === 'error')
    return [name, '-', '-', '-', '-', '-', '-', '-', { text: `not read: ${node.reason}`, role: 'bad' }]
  const { facts } = node
  const { k3s } = facts
  return [
    name,
    k3s.role,
    systemText(facts),
    k3s.version ?? '?',
    facts.machine ?? '?',
    mibText(facts.memoryMib),
    facts.state.freeMib === null
      ? mibText(facts.state.totalMib)
      : `${mibText(facts.state.totalMib)}, ${mibText(facts.state.freeMib)} free`,
    k3s.datastore,
    statusCell(facts),
  ]
}

function systemText({ os }: NodeFacts): string {
  return (os.id === 'k3os' ? os.version : (os.prettyName ?? os.id)) ?? '?'
}

function mibText(mib: number | null): string {
  return mib === null ? '?' : sizeText(mib * 1024 * 1024)
}

function statusCell({ failures }: NodeFacts): Cell {
  if (failures.length === 0) return { text: 'read', role: 'ok' }
  const things = failures.length === 1 ? '1 thing' : `${failures.length} things`
  return { text: `read, ${things} not known`, role: 'warn' }
}

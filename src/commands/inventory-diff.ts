import { resolve } from 'node:path'
import { exitCode, type ExitCode } from '../core/errors.ts'
import { diffInventories } from '../core/inventory-diff.ts'
import { inventoryDiffTable } from '../output/inventory-diff-table.ts'
import { json } from '../output/json.ts'
import type { CommandIo } from './io.ts'
import { readInventoryFile } from './read-inventory.ts'

export interface InventoryDiffOptions {
  readonly before: string
  readonly after: string
  readonly all?: boolean
  readonly output: 'table' | 'json'
}

/** Prints what changed between two inventories. Exit 5 when anything did: what was planned from the older one is stale. */
export async function inventoryDiff(options: InventoryDiffOptions, io: CommandIo): Promise<ExitCode> {
  const before = await readInventoryFile(resolve(io.cwd, options.before))
  const after = await readInventoryFile(resolve(io.cwd, options.after))
  const diff = diffInventories(before.document, after.document, options.all)
  const { nodes, cluster } = diff
  const isEqual = nodes.added.length + nodes.removed.length + nodes.changed.length + cluster.length === 0
  if (options.output === 'json') {
    const side = ({ document, sha256 }: typeof before) => ({
      createdAt: document.metadata.createdAt,
      sha256,
    })
    io.out(
      json({
        apiVersion: 'k3os-migrate/v1',
        kind: 'InventoryDiff',
        before: side(before),
        after: side(after),
        ...diff,
      }),
    )
  } else if (!isEqual) io.out(inventoryDiffTable(diff, io.columns))
  if (isEqual)
    io.err(
      options.all === true
        ? 'nothing changed\n'
        : 'nothing changed (--all shows sizes, boots and pods too)\n',
    )
  return isEqual ? exitCode.ok : exitCode.stalePlan
}

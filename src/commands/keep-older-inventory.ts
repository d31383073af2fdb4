import { join } from 'node:path'
import { MigrateError } from '../core/errors.ts'
import type { Inventory } from '../core/inventory.ts'
import { mark } from '../output/style.ts'
import type { InventoryFiles } from './inventory.ts'
import type { CommandIo } from './io.ts'
import { parseInventory } from './read-inventory.ts'

/**
 * Makes room for a new inventory. The one that lies there goes to `previous/` with the bundles it names, and with it what an
 * inventory of fewer nodes leaves behind. `previous/` always holds the last whole one: of an inventory with gaps only the bundles
 * that the new one no longer has are removed. Files that no inventory names stay where they are.
 */
export async function keepOlder(
  out: string,
  next: Inventory,
  io: CommandIo,
  files: InventoryFiles,
): Promise<void> {
  const file = join(out, 'inventory.yaml')
  const bytes = await files.read(file)
  if (bytes === undefined) return
  const older = readable(bytes, file)
  const previous = join(out, 'previous')
  if (older === undefined) {
    // Of another version, or not ours: it may be all there is.
    await files.move(file, `${file}.previous`)
    io.err(
      `${mark('warn', `what was in inventory.yaml cannot be read any more; it is in inventory.yaml.previous`)}\n`,
    )
    return
  }
  const bundles = older.nodes.flatMap((node) =>
    node.status === 'read' && /^bundles\/[^/]+\.bundle$/.test(node.bundle.file) ? [node.bundle.file] : [],
  )
  if (isWhole(older)) {
    await files.remove(previous)
    for (const bundle of bundles) await files.move(join(out, bundle), join(previous, bundle))
    await files.move(file, join(previous, 'inventory.yaml'))
  } else {
    const kept = next.nodes.flatMap((node) => (node.status === 'read' ? [node.bundle.file] : []))
    for (const bundle of bundles) if (!kept.includes(bundle)) await files.remove(join(out, bundle))
  }
  if (!isWhole(next))
    io.err(
      `${mark('warn', 'not everything could be read')}: the last whole inventory is kept in ${join(previous, 'inventory.yaml')}\n`,
    )
}

function readable(bytes: Uint8Array, file: string): Inventory | undefined {
  try {
    return parseInventory(bytes, file)
  } catch (error) {
    if (error instanceof MigrateError) return undefined
    throw error
  }
}

/** Every node and, when it was asked, the cluster answered. */
function isWhole({ nodes, cluster }: Inventory): boolean {
  return cluster?.status !== 'error' && nodes.every(({ status }) => status === 'read')
}

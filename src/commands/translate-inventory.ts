import { dirname } from 'node:path'
import { bundleFiles } from '../core/bundle-files.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { Inventory, InventoryNode } from '../core/inventory.ts'
import { readConfig } from '../core/k3os/read.ts'
import { configSourcesFrom } from '../core/k3os/sources.ts'
import type { NodeToTranslate } from '../core/translate-node.ts'
import { readInventory, readNodeBundle } from './read-inventory.ts'

const again = 'k3os-migrate inventory'

/**
 * The nodes of an inventory, each read with its bundle when its turn comes. A node that could not be read when the inventory
 * was made stays unread.
 */
export async function nodesOfInventory(
  file: string,
  only: string | undefined,
): Promise<{ nodes: AsyncIterable<NodeToTranslate>; unread: { name: string; reason: string }[] }> {
  const inventory = await readInventory(file)
  const chosen = inventory.nodes.filter((node) => only === undefined || node.name === only)
  if (chosen.length === 0)
    throw new MigrateError(only === undefined ? `${file} has no nodes` : `${file} has no node "${only}"`, {
      exitCode: exitCode.usage,
      hint: only === undefined ? again : `nodes: ${inventory.nodes.map((node) => node.name).join(', ')}`,
    })
  const read = chosen.filter((node) => node.status === 'read')
  const unread = chosen.flatMap((node) =>
    node.status === 'error' ? [{ name: node.name, reason: node.reason }] : [],
  )
  return { nodes: inTurn(read, inventory, file), unread }
}

async function* inTurn(
  nodes: readonly Extract<InventoryNode, { status: 'read' }>[],
  inventory: Inventory,
  file: string,
): AsyncGenerator<NodeToTranslate> {
  for (const node of nodes) yield await nodeOf(node, inventory, file)
}

/** Only the nodes whose bundles these are: the directory of a run has no others. */
export async function nodesWithBundles(
  file: string,
  bundles: readonly string[],
): Promise<readonly NodeToTranslate[]> {
  const inventory = await readInventory(file)
  const nodes: NodeToTranslate[] = []
  for (const node of inventory.nodes)
    if (node.status === 'read' && bundles.includes(node.bundle.file))
      nodes.push(await nodeOf(node, inventory, file))
  return nodes
}

async function nodeOf(
  node: Extract<InventoryNode, { status: 'read' }>,
  inventory: Inventory,
  file: string,
): Promise<NodeToTranslate> {
  const bundle = await readNodeBundle(dirname(file), node)
  const cluster = inventory.cluster?.status === 'read' ? inventory.cluster.facts : null
  return {
    name: node.name,
    reading: readConfig(await configSourcesFrom(bundleFiles(bundle))),
    bundle,
    facts: node.facts,
    nodeObject: cluster?.nodes.find((candidate) => candidate.name === node.name) ?? null,
    nonce: null,
  }
}

import { resolve, sep } from 'node:path'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { type Bundle, maxBundleBytes, parseBundle } from '../core/bundle.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { type Inventory, type InventoryNode, inventorySchema } from '../core/inventory.ts'
import { parseYaml } from '../core/plain-yaml.ts'
import { toolVersion } from '../version.ts'
import type { ReadDocument } from './read-document.ts'

const again = 'make it again: k3os-migrate inventory'
/** Some 30,000 pods take 40 MiB. */
const maxInventoryBytes = 256 * 1024 * 1024

/** The inventory in a file. What is wrong with it is named with file and field (exit 65; a missing file 74). */
export async function readInventory(path: string): Promise<Inventory> {
  return (await readInventoryFile(path)).document
}

/** The same, with the digest of the file. */
export async function readInventoryFile(path: string): Promise<ReadDocument<Inventory>> {
  const found = await findInventoryFile(path)
  if (found !== undefined) return found
  throw new MigrateError(`cannot read ${path}: it does not exist`, {
    exitCode: exitCode.io,
    hint: 'make one: k3os-migrate inventory',
  })
}

/** Undefined when the file does not exist. */
export async function findInventoryFile(path: string): Promise<ReadDocument<Inventory> | undefined> {
  const read = await readText(path)
  return read === undefined
    ? undefined
    : { document: parseInventoryText(read.text, path), sha256: read.sha256 }
}

/** On its own, so that the bytes of a large inventory are gone before its objects come. */
async function readText(path: string): Promise<{ text: string; sha256: string } | undefined> {
  const bytes = await readIfPresent(path, maxInventoryBytes)
  return bytes === undefined ? undefined : { text: new TextDecoder().decode(bytes), sha256: sha256(bytes) }
}

export function parseInventory(bytes: Uint8Array, file: string): Inventory {
  return parseInventoryText(new TextDecoder().decode(bytes), file)
}

function parseInventoryText(text: string, file: string): Inventory {
  const bad = (message: string, hint = again, cause?: unknown): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.badInput, hint, position: { file }, cause })
  let document: unknown
  try {
    document = parseYaml(text)
  } catch (error) {
    // The parser quotes the text; a file given by mistake may hold secrets.
    throw bad(yamlProblem(error), again, error)
  }
  const { apiVersion, kind, writtenBy } = header(document)
  if (kind !== 'Inventory')
    throw bad(`it is ${kind === undefined ? 'no document of k3os-migrate' : `of kind ${kind}`}`)
  const writer = writtenBy === undefined ? '' : `, written by k3os-migrate ${writtenBy}`
  if (apiVersion !== 'k3os-migrate/v1')
    throw bad(
      `it has the version ${apiVersion ?? '(none)'}${writer}`,
      'use that version of k3os-migrate or a newer one',
    )
  const result = inventorySchema.safeParse(document)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const at = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  // Fields come and go between versions.
  const otherVersion = writtenBy !== undefined && writtenBy !== toolVersion
  throw bad(
    `${at}${issue?.message ?? 'it has an unknown form'}${otherVersion ? writer : ''}`,
    otherVersion ? `use k3os-migrate ${writtenBy}, or ${again}` : again,
  )
}

function yamlProblem(error: unknown): string {
  // The library's own guard: a few lines of aliases can stand for more than fits into memory.
  if (error instanceof ReferenceError && /alias/i.test(error.message))
    return 'its anchors and aliases stand for more than they should'
  if (error instanceof RangeError) return 'it is nested too deeply'
  return 'it is not YAML'
}

function header(document: unknown): { apiVersion?: string; kind?: string; writtenBy?: string } {
  if (typeof document !== 'object' || document === null) return {}
  const values = new Map<string, unknown>(Object.entries(document))
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const metadata = values.get('metadata')
  const tool =
    typeof metadata === 'object' && metadata !== null && 'toolVersion' in metadata
      ? metadata.toolVersion
      : undefined
  return Object.fromEntries(
    Object.entries({
      apiVersion: text(values.get('apiVersion')),
      kind: text(values.get('kind')),
      writtenBy: text(tool),
    }).filter(([, value]) => value !== undefined),
  )
}

/**
 * What was read on a node, from the file beside the inventory in `folder`. It must be the very one the inventory was made from
 * (exit 65; a missing file 74).
 */
export async function readNodeBundle(
  folder: string,
  { bundle: { file, sha256: expected } }: Extract<InventoryNode, { status: 'read' }>,
): Promise<Bundle> {
  const path = resolve(folder, file)
  // Said as the inventory names it: where the folder lies is no part of the answer.
  const bad = (message: string): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.badInput, hint: again })
  if (!path.startsWith(resolve(folder) + sep))
    throw bad(`the bundle ${file} does not lie beside the inventory`)
  const bytes = await readIfPresent(path, maxBundleBytes)
  if (bytes === undefined)
    throw new MigrateError(`there is no bundle ${file} beside the inventory`, {
      exitCode: exitCode.io,
      hint: again,
    })
  if (sha256(bytes) !== expected) throw bad(`the bundle ${file} is not the one the inventory was made from`)
  return parseBundle(bytes, file)
}

import { readIfPresent, sha256 } from '../adapters/files.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { type Inventory, inventorySchema } from '../core/inventory.ts'
import { parseYaml } from '../core/plain-yaml.ts'
import type { ReadDocument } from './read-document.ts'

const again = 'make it again: k3os-migrate inventory'

/** The inventory in a file. What is wrong with it is named with file and field (exit 65; a missing file 74). */
export async function readInventory(path: string): Promise<Inventory> {
  return (await readInventoryFile(path)).document
}

/** The same, with the digest of the file. */
export async function readInventoryFile(path: string): Promise<ReadDocument<Inventory>> {
  const bytes = await readIfPresent(path)
  if (bytes === undefined)
    throw new MigrateError(`cannot read ${path}: it does not exist`, {
      exitCode: exitCode.io,
      hint: 'make one: k3os-migrate inventory',
    })
  const bad = (message: string, hint = again, cause?: unknown): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.badInput, hint, position: { file: path }, cause })
  let document: unknown
  try {
    document = parseYaml(new TextDecoder().decode(bytes))
  } catch (error) {
    // The parser quotes the text; a file given by mistake may hold secrets.
    throw bad('it is not YAML', again, error)
  }
  const { apiVersion, kind, metadata } = header(document)
  if (kind !== 'Inventory')
    throw bad(`it is ${kind === undefined ? 'no document of k3os-migrate' : `of kind ${kind}`}`)
  if (apiVersion !== 'k3os-migrate/v1')
    throw bad(
      `it has the version ${apiVersion ?? '(none)'}${metadata === undefined ? '' : `, written by k3os-migrate ${metadata}`}`,
      'use that version of k3os-migrate or a newer one',
    )
  const result = inventorySchema.safeParse(document)
  if (result.success) return { document: result.data, sha256: sha256(bytes) }
  const [issue] = result.error.issues
  const at = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw bad(`${at}${issue?.message ?? 'it has an unknown form'}`)
}

function header(document: unknown): { apiVersion?: string; kind?: string; metadata?: string } {
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
      metadata: text(tool),
    }).filter(([, value]) => value !== undefined),
  )
}

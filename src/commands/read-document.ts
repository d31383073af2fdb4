import type { z } from 'zod'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { parseYaml } from '../core/plain-yaml.ts'

export interface ReadDocument<T> {
  readonly document: T
  /** Of the file as it lies there, hex. */
  readonly sha256: string
}

/**
 * A document of ours, JSON or YAML by the name's ending; undefined when the file does not exist. Anything else than a
 * valid document is a bad input (exit 65) that names the first thing wrong. `hint` says how to get a good one.
 */
export async function readDocument<T>(
  path: string,
  schema: z.ZodType<T>,
  hint: string,
): Promise<ReadDocument<T> | undefined> {
  const bytes = await readIfPresent(path)
  if (bytes === undefined) return undefined
  const result = schema.safeParse(parseText(new TextDecoder().decode(bytes), path, hint))
  if (!result.success) {
    const [issue] = result.error.issues
    const where = issue === undefined || issue.path.length === 0 ? '' : `, at ${issue.path.join('.')}`
    throw new MigrateError(
      `${path} does not have the form it should${where}: ${issue?.message ?? 'unknown'}`,
      {
        exitCode: exitCode.badInput,
        hint,
      },
    )
  }
  return { document: result.data, sha256: sha256(bytes) }
}

/** The same, for a file the command cannot do without (exit 74). */
export async function requireDocument<T>(
  path: string,
  schema: z.ZodType<T>,
  hint: string,
): Promise<ReadDocument<T>> {
  const found = await readDocument(path, schema, hint)
  if (found !== undefined) return found
  throw new MigrateError(`cannot read ${path}: it does not exist`, { exitCode: exitCode.io, hint })
}

function parseText(text: string, path: string, hint: string): unknown {
  const isJson = path.endsWith('.json')
  try {
    return isJson ? JSON.parse(text) : parseYaml(text)
  } catch (error) {
    // The parser quotes what stands there, which may be a secret: its words stay in the cause.
    throw new MigrateError(`${path} is not ${isJson ? 'JSON' : 'YAML'}`, {
      exitCode: exitCode.badInput,
      hint,
      cause: error,
    })
  }
}

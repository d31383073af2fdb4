import type { z } from 'zod'
import { MigrateError } from './errors.ts'
import { textOf } from './evidence.ts'
import { parseJournal, type JournalReading, type Sha256 } from './journal.ts'
import type { ArchiveFiles } from './archive.ts'

/** One thing that was looked at. `problem` is null when it is as it should be. */
export interface EvidenceCheck {
  /** The file it is about. */
  readonly part: string
  readonly what: string
  readonly problem: string | null
}

export function readJson<T>(
  files: ArchiveFiles,
  path: string,
  schema: z.ZodType<T>,
): { readonly document: T } | { readonly problem: string } {
  if (!files.has(path)) return { problem: 'it is missing' }
  try {
    const result = schema.safeParse(JSON.parse(textOf(files, path)))
    if (result.success) return { document: result.data }
    const [issue] = result.error.issues
    return { problem: `it does not have the form it should, at ${issue?.path.join('.') || 'its top'}` }
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'it is not JSON' }
    throw error
  }
}

/** null when there is none. */
export function readJournal(
  files: ArchiveFiles,
  file: string,
  sha256: Sha256,
): JournalReading | { readonly problem: string } | null {
  if (!files.has(file)) return null
  try {
    const reading = parseJournal(textOf(files, file), file, sha256)
    return reading.torn ? { problem: 'its last line is torn' } : reading
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    const line = error.position?.line
    return { problem: `${error.message}${line === undefined ? '' : ` (line ${line})`}` }
  }
}

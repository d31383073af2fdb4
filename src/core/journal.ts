import { canonicalJson } from './canonical.ts'
import { exitCode, MigrateError } from './errors.ts'

/**
 * One line of `journal.jsonl`. Intent is fsynced before acting, the result after observing. Records are chained:
 * `hash` = SHA-256 over the canonical record without `hash`, `prev` = hash of the record before.
 */
export interface JournalRecord {
  readonly v: 1
  readonly seq: number
  /** RFC 3339 UTC with milliseconds, for people; durations come from `monotonicMs`. */
  readonly ts: string
  readonly monotonicMs: number
  readonly runId: string
  /** null for records of the run itself. */
  readonly node: string | null
  readonly step: string
  readonly phase: 'intent' | 'result' | 'note'
  /** Counts the tries of a node: a rolled back node starts again with the next one. */
  readonly attempt: number
  /** Intent: old values needed to undo. Result: `{outcome, …}`. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>
  readonly prev: string
  readonly hash: string
}

export type Sha256 = (text: string) => string

export const firstHash = '0'.repeat(64)

/** The record to append after `last`; give it everything but its place in the chain. */
export function chain(
  last: Pick<JournalRecord, 'seq' | 'hash'> | undefined,
  entry: Omit<JournalRecord, 'v' | 'seq' | 'prev' | 'hash'>,
  sha256: Sha256,
): JournalRecord {
  const body = { v: 1 as const, seq: (last?.seq ?? 0) + 1, ...entry, prev: last?.hash ?? firstHash }
  return { ...body, hash: sha256(canonicalJson(body)) }
}

export interface JournalReading {
  readonly records: readonly JournalRecord[]
  /** A torn last line (crash while writing) was dropped. */
  readonly torn: boolean
  /** Bytes of the intact part; what lies behind must be cut off before appending. */
  readonly intactLength: number
}

/**
 * Reads a journal back. A torn last line is dropped and noted; a line in the middle that does not parse or breaks the
 * chain means somebody changed the file: refused with exit code 5.
 */
export function parseJournal(text: string, file: string, sha256: Sha256): JournalReading {
  const lines = text.split('\n')
  const tail = lines.pop() ?? ''
  const records: JournalRecord[] = []
  let intactLength = 0
  let torn = tail !== ''
  for (const [index, line] of lines.entries()) {
    const record = parseLine(line)
    const last = records.at(-1)
    const intact =
      record !== undefined &&
      record.prev === (last?.hash ?? firstHash) &&
      record.seq === (last?.seq ?? 0) + 1 &&
      record.hash === hashOf(record, sha256)
    if (!intact) {
      if (index === lines.length - 1 && record === undefined) {
        torn = true
        break
      }
      throw new MigrateError(
        `the journal was changed after it was written: record ${index + 1} breaks the chain`,
        {
          exitCode: exitCode.stalePlan,
          position: { file, line: index + 1 },
          hint: 'restore the file from a copy; a run cannot be resumed from a journal that cannot be trusted',
        },
      )
    }
    records.push(record)
    intactLength += new TextEncoder().encode(line).length + 1
  }
  return { records, torn, intactLength }
}

function parseLine(line: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'hash' in value
      ? (value as JournalRecord)
      : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function hashOf(record: JournalRecord, sha256: Sha256): string {
  const { hash: _, ...body } = record
  return sha256(canonicalJson(body))
}

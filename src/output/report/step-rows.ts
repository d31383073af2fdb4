import type { JournalRecord } from '../../core/journal.ts'
import { stepDefaults, type StepId } from '../../core/plan.ts'
import { isStepId } from '../../core/run-state.ts'

/** `unfinished`: begun, and no result was written. */
export type StepOutcome = 'done' | 'failed' | 'undone' | 'unfinished'

/** One try of one step, from the journal. */
export interface StepRow {
  readonly id: StepId
  readonly title: string
  readonly attempt: number
  readonly startedAt: string
  /** null when no result was written. */
  readonly durationMs: number | null
  readonly outcome: StepOutcome
  /** Sentences of what was done, in order. */
  readonly actions: readonly string[]
  readonly error: string | null
  /** Milliseconds from the attempt's first record; for the timeline. */
  readonly offsetMs: number
}

/** The steps of one node in the order in which they were begun; every attempt has its own rows. */
export function stepRows(records: readonly JournalRecord[], node: string): StepRow[] {
  const own = records.filter((record) => record.node === node && isStepId(record.step))
  const starts = new Map<number, number>()
  for (const { attempt, ts } of own) if (!starts.has(attempt)) starts.set(attempt, Date.parse(ts))
  return own.flatMap((record, index): StepRow[] => {
    if (record.phase !== 'intent' || !isStepId(record.step)) return []
    const { step: id, attempt } = record
    const later = own.slice(index + 1).filter((one) => one.step === id && one.attempt === attempt)
    const results = later.filter(({ phase }) => phase === 'result')
    const result = results.at(-1)
    const failure = results.find(({ data }) => data['outcome'] === 'failed')
    return [
      {
        id,
        title: stepDefaults[id].title,
        attempt,
        startedAt: record.ts,
        durationMs: results[0] === undefined ? null : elapsed(record, results[0]),
        outcome: result === undefined ? 'unfinished' : outcomeOf(result.data['outcome']),
        actions: later.flatMap(({ phase, data }) => (phase === 'note' ? textOf(data['action']) : [])),
        error: textOf(failure?.data['error'])[0] ?? null,
        offsetMs: Math.max(0, Date.parse(record.ts) - (starts.get(attempt) ?? 0)),
      },
    ]
  })
}

function outcomeOf(value: unknown): StepOutcome {
  return value === 'done' || value === 'undone' ? value : 'failed'
}

function textOf(value: unknown): string[] {
  return typeof value === 'string' ? [value] : []
}

// The monotonic clock starts anew with each process: after a resume only the wall clock spans both records.
function elapsed(from: JournalRecord, to: JournalRecord): number {
  const monotonic = to.monotonicMs - from.monotonicMs
  const wall = Date.parse(to.ts) - Date.parse(from.ts)
  return monotonic >= 0 && Math.abs(monotonic - wall) < 60_000 ? monotonic : Math.max(0, wall)
}

/** One try of a node: from its first step to the last one it came to. */
export interface Attempt {
  readonly number: number
  readonly rows: readonly StepRow[]
}

export function attempts(rows: readonly StepRow[]): Attempt[] {
  const numbers = [...new Set(rows.map(({ attempt }) => attempt))]
  return numbers.map((number) => ({ number, rows: rows.filter(({ attempt }) => attempt === number) }))
}

/** From the beginning of a try to the end of its last finished step. */
export function spanMs(rows: readonly StepRow[]): number {
  return Math.max(0, ...rows.map(({ offsetMs, durationMs }) => offsetMs + (durationMs ?? 0)))
}

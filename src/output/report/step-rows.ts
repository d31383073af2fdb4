import type { JournalRecord } from '../../core/journal.ts'
import { stepDefaults, stepIds, type StepId } from '../../core/plan.ts'

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
  /** Milliseconds from the node's first record; for the timeline. */
  readonly offsetMs: number
}

/** The steps of one node in the order in which they were begun; every attempt has its own rows. */
export function stepRows(records: readonly JournalRecord[], node: string): StepRow[] {
  const own = records.filter((record) => record.node === node && isStep(record.step))
  const start = own[0] === undefined ? 0 : Date.parse(own[0].ts)
  return own.flatMap((record, index): StepRow[] => {
    if (record.phase !== 'intent' || !isStep(record.step)) return []
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
        offsetMs: Math.max(0, Date.parse(record.ts) - start),
      },
    ]
  })
}

function isStep(step: string): step is StepId {
  return stepIds.some((id) => id === step)
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

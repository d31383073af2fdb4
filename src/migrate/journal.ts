import { MigrateError } from '../core/errors.ts'
import { chain, type JournalRecord } from '../core/journal.ts'
import { advance, nodeState, replay, type NodeState } from '../core/run-state.ts'
import { Halt } from './halt.ts'
import type { JournalSink } from './ports.ts'
import type { Intent, StepPorts } from './step.ts'

interface JournalOwner {
  readonly runId: string
  readonly ports: Pick<StepPorts, 'clock' | 'files'>
  readonly sink: JournalSink
  readonly records: readonly JournalRecord[]
}

/** What was done can no longer be written down. */
class JournalLost extends Halt {
  constructor(why: MigrateError) {
    super(why.message, {
      exitCode: why.exitCode,
      hint: why.hint ?? 'when the disk takes writes again: k3os-migrate resume',
      cause: why,
    })
  }
}

/**
 * Appends to the chain; a record counts only when the sink says it is on the disk. Data is written as it is, because a
 * later process acts on it: whoever puts text of the world into it takes secrets out first.
 */
export class Journal {
  readonly #job: JournalOwner
  readonly #records: JournalRecord[]
  readonly #states: Map<string, NodeState>

  constructor(job: JournalOwner) {
    this.#job = job
    this.#records = [...job.records]
    this.#states = new Map(replay(job.records))
  }

  get records(): readonly JournalRecord[] {
    return this.#records
  }

  get states(): ReadonlyMap<string, NodeState> {
    return this.#states
  }

  /** Where a node stands after the last record. */
  state(node: string): NodeState {
    return nodeState(this.#states, node)
  }

  async intent(node: string, step: string, attempt: number, data: Intent): Promise<void> {
    await this.#append(node, step, attempt, 'intent', data)
  }

  async result(node: string, step: string, attempt: number, data: Intent): Promise<void> {
    await this.#append(node, step, attempt, 'result', data)
  }

  async note(node: string | null, step: string, attempt: number, data: Intent): Promise<void> {
    await this.#append(node, step, attempt, 'note', data)
  }

  async #append(
    node: string | null,
    step: string,
    attempt: number,
    phase: JournalRecord['phase'],
    data: Intent,
  ): Promise<void> {
    const { clock, files } = this.#job.ports
    const record = chain(
      this.#records.at(-1),
      {
        ts: clock.now().toISOString(),
        monotonicMs: Math.round(clock.monotonicMs()),
        runId: this.#job.runId,
        node,
        step,
        phase,
        attempt,
        // What this process goes on with is what a later one would read.
        data: JSON.parse(JSON.stringify(data)) as Intent,
      },
      (text) => files.sha256(text),
    )
    try {
      await this.#job.sink.append(`${JSON.stringify(record)}\n`)
    } catch (error) {
      throw error instanceof MigrateError ? new JournalLost(error) : error
    }
    this.#records.push(record)
    advance(this.#states, record)
  }
}

import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../adapters/files.ts'
import { runLine, type Told } from '../core/events.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Clock } from '../migrate/ports.ts'
import type { RunEvent } from '../migrate/runner.ts'
import { mark } from '../output/style.ts'
import { table } from '../output/table.ts'
import type { CommandIo } from './io.ts'
import { eventLine } from './progress.ts'
import type { RunOptions } from './run-options.ts'

export interface Telling {
  readonly runId: string
  readonly directory: string
  readonly clock: Clock
  readonly scrub: (text: string) => string
  readonly options: RunOptions
  readonly io: CommandIo
}

/** Tells what a run does: to people on stderr, as lines of JSON in `events.jsonl` and, with `-o jsonl`, on stdout. */
export interface Teller {
  readonly event: (event: RunEvent) => void
  /** What only the command knows: beginning, lock, end. */
  readonly line: (told: Told) => void
}

export function teller({ runId, directory, clock, scrub, options, io }: Telling): Teller {
  const file = join(directory, 'events.jsonl')
  let seq = linesIn(file)
  const line = (told: Told): void => {
    seq += 1
    const text = `${JSON.stringify(runLine(told, clock.now().toISOString(), seq, runId))}\n`
    if (options.output === 'jsonl') io.out(text)
    try {
      appendFileSync(file, text, { mode: 0o600 })
    } catch (error) {
      // A copy for reading later: what may stop a run is its journal, which meets the same disk.
      io.err(`${mark('warn', diskError('write events.jsonl', error).message)}\n`)
    }
  }
  return {
    line,
    event(event) {
      const told = scrubbed(event, scrub)
      const text = eventLine(told)
      if (text !== null) io.err(text)
      line(lineOf(told))
    },
  }
}

/** Of earlier processes of this run: their lines are counted on. */
function linesIn(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

function lineOf(event: RunEvent): Told {
  switch (event.type) {
    case 'node.start':
      return { type: 'node.state', node: event.node, data: { state: 'started', attempt: event.attempt } }
    case 'node.end':
      return { type: 'node.state', node: event.node, data: { state: event.outcome, attempt: null } }
    case 'approval.wait':
      return { type: event.type, node: event.node, data: {} }
    case 'action':
      return { type: 'step.action', node: event.node, step: event.step, data: { describe: event.describe } }
    case 'step.start':
      return { type: event.type, node: event.node, step: event.step, data: { title: event.title } }
    case 'step.progress':
    case 'step.heartbeat':
      return { type: event.type, node: event.node, step: event.step, data: { message: event.message } }
    case 'step.end':
      return { type: event.type, node: event.node, step: event.step, data: { outcome: event.outcome } }
    case 'drain.pod': {
      const { type, node, step, ...data } = event
      return { type, node, step, data }
    }
  }
}

/** Only sentences are looked through: a name that happens to hold a short secret must stay the name it is. */
function scrubbed(event: RunEvent, scrub: (text: string) => string): RunEvent {
  switch (event.type) {
    case 'action':
      return { ...event, describe: scrub(event.describe) }
    case 'step.progress':
    case 'step.heartbeat':
    case 'drain.pod':
      return { ...event, message: scrub(event.message) }
    case 'node.start':
    case 'approval.wait':
    case 'step.start':
    case 'step.end':
    case 'node.end':
      return event
  }
}

export function printOutcome(outcome: Outcome, directory: string, options: RunOptions, io: CommandIo): void {
  if (options.output === 'json') io.out(`${JSON.stringify(outcome, null, 2)}\n`)
  if (options.output !== 'table') return
  const rows = outcome.nodes.map(({ name, state, proof, reason }) => [
    name,
    { text: state, role: state === 'done' ? ('ok' as const) : ('warn' as const) },
    proof === null
      ? (reason ?? '')
      : `${proof.osImageBefore} -> ${proof.osImageAfter}, new boot, same machine`,
  ])
  io.out(table(['NODE', 'STATE', 'PROOF'], rows, { width: io.columns ?? 120 }))
  io.err(`${mark('dim', `journal, events and outcome: ${directory}`)}\n`)
  if (outcome.next !== null) io.err(`next: ${outcome.next}\n`)
}

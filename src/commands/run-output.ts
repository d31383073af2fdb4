import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../adapters/files.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Clock } from '../migrate/ports.ts'
import type { RunEvent } from '../migrate/runner.ts'
import { mark } from '../output/style.ts'
import { table } from '../output/table.ts'
import type { CommandIo } from './io.ts'
import { eventLine } from './progress.ts'
import type { RunOptions } from './run-options.ts'

/** Every event goes to `events.jsonl`; people read lines on stderr, machines read `-o jsonl` on stdout. */
export function tell(
  event: RunEvent,
  directory: string,
  clock: Clock,
  scrub: (text: string) => string,
  options: RunOptions,
  io: CommandIo,
): void {
  const told = scrubbed(event, scrub)
  const line = `${JSON.stringify({ '@v': 1, ts: clock.now().toISOString(), ...told })}\n`
  if (options.output === 'jsonl') io.out(line)
  const text = eventLine(told)
  if (text !== null) io.err(text)
  try {
    appendFileSync(join(directory, 'events.jsonl'), line, { mode: 0o600 })
  } catch (error) {
    // A copy for reading later: what may stop a run is its journal, which meets the same disk.
    io.err(`${mark('warn', diskError('write events.jsonl', error).message)}\n`)
  }
}

/** Only sentences are looked through: a name that happens to hold a short secret must stay the name it is. */
function scrubbed(event: RunEvent, scrub: (text: string) => string): RunEvent {
  switch (event.type) {
    case 'action':
      return { ...event, describe: scrub(event.describe) }
    case 'step.progress':
      return { ...event, message: scrub(event.message) }
    case 'node.start':
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

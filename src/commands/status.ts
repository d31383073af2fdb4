import { join, resolve } from 'node:path'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { exitCode, type ExitCode } from '../core/errors.ts'
import { parseJournal } from '../core/journal.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import { json } from '../output/json.ts'
import { table } from '../output/table.ts'
import { yaml } from '../core/yaml-text.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'

export interface StatusOptions {
  readonly run?: string
  readonly stateDir?: string
  readonly output: 'table' | 'json' | 'yaml'
}

/** Where a run stands, from its journal alone; also while another process carries it on. */
export async function status(options: StatusOptions, io: CommandIo): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const plan = await readPlan(join(directory, 'plan.json'))
  const file = join(directory, 'journal.jsonl')
  const text = new TextDecoder().decode(await readIfPresent(file))
  const { records } = parseJournal(text, file, sha256)
  const runId = directory.split('/').at(-1) ?? ''
  // A run that is under way, or was killed, has begun and not ended.
  const last = records.findLast(({ data }) => data['event'] === 'start' || data['event'] === 'end')
  const exit = Object.values(exitCode).find((code) => code === last?.data['exit']) ?? exitCode.ok
  const outcome = makeOutcome({
    plan,
    runId,
    records,
    exit,
    reason: typeof last?.data['error'] === 'string' ? last.data['error'] : null,
    now: plan.metadata.createdAt,
    resume: `k3os-migrate resume ${runId}`,
  })
  if (options.output === 'json') io.out(json(outcome))
  else if (options.output === 'yaml') io.out(yaml(outcome))
  else {
    const rows = outcome.nodes.map(({ name, state, step, reason }) => [name, state, step ?? '', reason ?? ''])
    io.out(table(['NODE', 'STATE', 'STEP', 'REASON'], rows, { width: io.columns ?? 120 }))
    io.err(outcome.next === null ? 'every node is done\n' : `next: ${outcome.next}\n`)
  }
  return exitCode.ok
}

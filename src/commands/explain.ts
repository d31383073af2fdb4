import { join, resolve } from 'node:path'
import { z } from 'zod'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { isLocked } from '../adapters/run-lock.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { explainRun, type ProgressEvent } from '../core/explain-run.ts'
import { parseJournal } from '../core/journal.ts'
import { yaml } from '../core/yaml-text.ts'
import { json } from '../output/json.ts'
import { runExplanationText } from '../output/explain-run-text.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'

export interface ExplainOptions {
  readonly node: string
  readonly run?: string
  readonly stateDir?: string
  readonly output: 'table' | 'json' | 'yaml'
}

/** Where one node of a run stands, what it waits for and what would be undone; also while another process carries it on. */
export async function explain(options: ExplainOptions, io: CommandIo): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const plan = await readPlan(join(directory, 'plan.json'))
  const node = plan.nodes.find(({ name }) => name === options.node)
  if (node === undefined)
    throw new MigrateError(`the run has no node ${options.node}`, {
      exitCode: exitCode.usage,
      hint: `it has ${plan.nodes.map(({ name }) => name).join(', ')}`,
    })
  const file = join(directory, 'journal.jsonl')
  const { records } = parseJournal(new TextDecoder().decode(await readIfPresent(file)), file, sha256)
  const runId = records[0]?.runId ?? directory.split('/').at(-1) ?? ''
  const explained = explainRun(plan, node, {
    runId,
    records,
    progress: progressIn(new TextDecoder().decode(await readIfPresent(join(directory, 'events.jsonl')))),
    isCarriedOn: await isLocked(directory),
  })
  const document = { apiVersion: 'k3os-migrate/v1', kind: 'RunExplanation', runId, ...explained }
  if (options.output === 'json') io.out(json(document))
  else if (options.output === 'yaml') io.out(yaml(document))
  else io.out(runExplanationText(explained))
  return exitCode.ok
}

const eventSchema = z.object({ ts: z.string(), node: z.string(), step: z.string(), message: z.string() })

/** A copy for reading: what cannot be read of it, as a torn last line, is left out. */
function progressIn(text: string): ProgressEvent[] {
  return text.split('\n').flatMap((line) => {
    if (!line.includes('"step.progress"')) return []
    try {
      return [eventSchema.parse(JSON.parse(line))]
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof z.ZodError) return []
      throw error
    }
  })
}

import { join, resolve } from 'node:path'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { isLocked } from '../adapters/run-lock.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { eventSchema } from '../core/events.ts'
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

/** A copy for reading: what cannot be read of it, as a torn last line, is left out. */
function progressIn(text: string): ProgressEvent[] {
  return text.split('\n').flatMap((line) => {
    if (!/"(step\.progress|step\.heartbeat|drain\.pod)"/.test(line)) return []
    const { data: event } = eventSchema.safeParse(jsonOf(line))
    switch (event?.type) {
      case 'step.progress':
      case 'step.heartbeat':
      case 'drain.pod':
        return [{ ts: event.ts, node: event.node, step: event.step, message: event.data.message }]
      case undefined:
      case 'run.start':
      case 'run.end':
      case 'lock':
      case 'approval.wait':
      case 'node.state':
      case 'step.start':
      case 'step.action':
      case 'step.end':
        return []
    }
  })
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

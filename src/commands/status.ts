import { join, resolve } from 'node:path'
import { readIfPresent, sha256 } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { parseJournal } from '../core/journal.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import type { Outcome } from '../core/outcome.ts'
import { pausedNowText } from '../core/paused-now.ts'
import { json } from '../output/json.ts'
import { table } from '../output/table.ts'
import { yaml } from '../core/yaml-text.ts'
import type { LeaseStore } from '../migrate/ports.ts'
import { clusterStatus } from './cluster-status.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'

export interface StatusOptions {
  readonly run?: string
  readonly stateDir?: string
  /** Ask the cluster instead of the run's directory; so do the two flags that name a cluster. */
  readonly fromCluster?: boolean
  readonly kubeconfig?: string
  readonly context?: string
  readonly output: 'table' | 'json' | 'yaml'
}

/** Where a run stands, from its journal alone; also while another process carries it on. */
export async function status(options: StatusOptions, io: CommandIo, given?: LeaseStore): Promise<ExitCode> {
  const { kubeconfig, context } = options
  if (options.fromCluster === true || kubeconfig !== undefined || context !== undefined)
    return clusterStatus(given ?? (await realLease(options, io)), options.output, io)
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
    for (const one of outcome.paused) {
      const keeper = one.keeper === null ? '' : `; ${one.keeper}`
      io.err(`stands still until the run is over: ${pausedNowText(one)}${keeper}\n`)
    }
    io.err(ending(outcome))
  }
  return exitCode.ok
}

function ending({ status: state, next }: Outcome): string {
  if (state === 'abandoned') return 'this run was abandoned\n'
  return next === null ? 'every node is done\n' : `next: ${next}\n`
}

async function realLease({ run, kubeconfig, context }: StatusOptions, io: CommandIo): Promise<LeaseStore> {
  if (run !== undefined)
    throw new MigrateError(
      'the cluster only knows its last run: leave the run out, or look for its directory',
      {
        exitCode: exitCode.usage,
        hint: 'k3os-migrate status --from-cluster',
      },
    )
  const { connectCluster } = await import('../adapters/kube.ts')
  const choice = {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  }
  return (await connectCluster(choice, io.env)).lease
}

import { basename, join, resolve } from 'node:path'
import { writeDurably } from '../adapters/files.ts'
import { findRun, openJournal, stateDirectory } from '../adapters/run-directory.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import { nodeState, replay } from '../core/run-state.ts'
import { abandonRun } from '../migrate/abandon.ts'
import type { LeaseHold } from '../migrate/lease.ts'
import { marker } from '../migrate/steps/check.ts'
import { realPorts, stepPorts, type MovePorts } from './apply.ts'
import { lockCluster, unlockCluster } from './cluster-lock.ts'
import type { CommandIo } from './io.ts'
import { refuseKnownMissingPermissions } from './permissions.ts'
import { readNodes, readPlan, renderer, scrubber } from './plan-inputs.ts'
import type { RunOptions } from './run-options.ts'
import { printOutcome, teller } from './run-output.ts'

export interface AbandonOptions extends Pick<
  RunOptions,
  'kubeconfig' | 'context' | 'stateDir' | 'identity' | 'knownHosts' | 'takeOver' | 'output'
> {
  readonly run: string
  /** Nodes past their point of no return that stay as they are. */
  readonly leave?: readonly string[]
}

/** Ends a run for good: undoes what can be undone, gives the cluster free, and takes the run's record out of it. */
export async function abandon(options: AbandonOptions, io: CommandIo, given?: MovePorts): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const plan = await readPlan(join(directory, 'plan.json'))
  const nodes = await readNodes(plan, join(directory, 'inventory.yaml'))
  const ports = given ?? (await realPorts(options, io))
  if (ports.access !== undefined)
    await refuseKnownMissingPermissions('abandon', ports.access, io.signal, plan)
  const scrub = await scrubber(nodes)
  const journal = await openJournal(directory)
  let lock: LeaseHold | undefined
  try {
    const { records: before } = journal.reading
    const runId = before[0]?.runId ?? basename(directory)
    refuseFinished(
      plan.nodes.map(({ name }) => nodeState(replay(before), name).phase),
      runId,
    )
    lock = await lockCluster({
      ...ports,
      plan,
      runId,
      records: before,
      command: `abandon ${runId}`,
      options,
      io,
    })
    const { exit, error, records } = await abandonRun(
      {
        plan,
        runId,
        ports: await stepPorts(ports, directory),
        sink: journal,
        records: before,
        translate: await renderer(plan, nodes),
        onEvent: teller({ runId, directory, clock: ports.clock, scrub, options, io }).event,
        approve: async () => undefined,
        scrub,
        stop: io.signal,
        ...(lock === undefined ? {} : { lock }),
      },
      options.leave ?? [],
    )
    if (error !== null) {
      const hint = error.hint === undefined ? {} : { hint: scrub(error.hint) }
      throw new MigrateError(scrub(error.message), { exitCode: exit, cause: error, ...hint })
    }
    lock?.tell('')
    const outcome = makeOutcome({
      plan,
      runId,
      records,
      exit,
      reason: null,
      now: ports.clock.now().toISOString(),
      resume: `k3os-migrate resume ${runId}`,
    })
    await writeDurably(join(directory, 'outcome.json'), `${JSON.stringify(outcome, null, 2)}\n`, 0o600)
    printOutcome(outcome, directory, options, io)
    for (const node of options.leave ?? [])
      io.err(
        `${node} stays as it is, cordoned; once you have finished it: kubectl annotate node ${node} ${marker}- && kubectl uncordon ${node}\n`,
      )
    io.err(`run ${runId} is abandoned; the cluster is free for another one\n`)
    return exitCode.ok
  } finally {
    await unlockCluster(lock, io)
    await journal.close()
  }
}

function refuseFinished(phases: readonly string[], runId: string): void {
  if (phases.some((phase) => phase !== 'done')) return
  throw new MigrateError(`run ${runId} is complete: there is nothing to abandon`, {
    exitCode: exitCode.usage,
    hint: `k3os-migrate report ${runId}`,
  })
}

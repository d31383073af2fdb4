import { randomBytes } from 'node:crypto'
import { basename, dirname, join, resolve } from 'node:path'
import { readIfPresent, runFiles, sha256, writeDurably } from '../adapters/files.ts'
import {
  findRun,
  newRunId,
  openJournal,
  stateDirectory,
  type OpenedJournal,
} from '../adapters/run-directory.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { parseJournal, type JournalRecord } from '../core/journal.ts'
import { abandonedAt } from '../core/run-state.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import { pausedNowText } from '../core/paused-now.ts'
import type { Plan } from '../core/plan.ts'
import { makeRunRecord } from '../core/run-record.ts'
import type { NodeToTranslate } from '../core/translate-node.ts'
import { dryRun } from '../migrate/dry-run.ts'
import type {
  AccessReviewer,
  Clock,
  BudgetReader,
  ClusterReader,
  Hook,
  Host,
  HostControl,
  Kube,
  LeaseStore,
  NodeLister,
  RootTrees,
} from '../migrate/ports.ts'
import type { LeaseHold } from '../migrate/lease.ts'
import { mayFindSilence } from '../migrate/locked-run.ts'
import { run, type Run, type RunResult } from '../migrate/runner.ts'
import type { StepPorts } from '../migrate/step.ts'
import { runSummary } from '../output/run-summary.ts'
import { mark } from '../output/style.ts'
import { toolVersion } from '../version.ts'
import { appendSummary } from './append-summary.ts'
import { approver, requireApproval } from './approval.ts'
import { lockCluster, unlockCluster } from './cluster-lock.ts'
import type { CommandIo } from './io.ts'
import { refuseKnownMissingPermissions, refuseMissingPermissions } from './permissions.ts'
import {
  copyInputs,
  readNodes,
  readPlan,
  refuseOldPlan,
  refuseStalePlan,
  renderer,
  scrubber,
} from './plan-inputs.ts'
import { checkPlanSignature } from './plan-signature.ts'
import type { RunOptions } from './run-options.ts'
import { printOutcome, teller } from './run-output.ts'

export interface ApplyOptions extends RunOptions {
  readonly plan: string
  readonly dryRun?: boolean
}

export interface ResumeOptions extends RunOptions {
  readonly run?: string
}

export interface RevertOptions extends ResumeOptions {
  readonly node: string
}

/** What a run acts through; the demo and the rehearsal give simulated ones. */
export interface MovePorts {
  readonly kube: Kube
  readonly reader: ClusterReader & NodeLister & BudgetReader
  /** Left out where there is no account: in a simulation. */
  readonly access?: AccessReviewer
  /** The lock of the cluster; left out where there is none to lock: in a simulation. */
  readonly lease?: LeaseStore
  readonly host: Host & HostControl
  readonly hook: Hook
  /** Left out: those on this computer. */
  readonly trees?: RootTrees
  readonly clock: Clock
}

/** Carries a plan out in a run directory of its own, or says what it would do. */
export async function apply(options: ApplyOptions, io: CommandIo, given?: MovePorts): Promise<ExitCode> {
  const file = resolve(io.cwd, options.plan)
  const plan = await readPlan(file)
  await checkPlanSignature(file, options, io)
  const inventoryFile = resolve(dirname(file), plan.inventory.file)
  const ports = given ?? (await realPorts(options, io))
  refuseOldPlan(plan, ports.clock.now())
  const nodes = await readNodes(plan, inventoryFile)
  if (options.dryRun === true) return printDryRun(plan, nodes, ports, io)
  requireApproval(plan, options, io)
  if (ports.access !== undefined) await refuseMissingPermissions('apply', ports.access, io.signal, plan)

  const runId = newRunId(ports.clock.now().getTime(), randomBytes(10).toString('hex'))
  const lock = await lockCluster({ ...ports, plan, runId, command: `apply ${options.plan}`, options, io })
  try {
    await refuseStalePlan(plan, ports.reader, io.signal)
    const directory = join(resolve(io.cwd, stateDirectory(io.env, options.stateDir)), 'runs', runId)
    await copyInputs(plan, file, inventoryFile, directory)
    io.err(`run ${runId}: ${plan.nodes.length} nodes to ${plan.target}, plan ${plan.digest.slice(0, 19)}…\n`)
    const journal = await openJournal(directory)
    try {
      const command = 'apply'
      return await carryOn({
        command,
        act: goOn,
        plan,
        nodes,
        runId,
        directory,
        ports,
        options,
        io,
        journal,
        lock,
      })
    } finally {
      await journal.close()
    }
  } finally {
    await unlockCluster(lock, io)
  }
}

/** Goes on with a run: what the journal does not show as done is looked at first, then done. */
export async function resume(options: ResumeOptions, io: CommandIo, given?: MovePorts): Promise<ExitCode> {
  return onRun('resume', goOn, options, io, given)
}

/** Takes one node of a run back to the k3OS that still lies beside its new system. */
export async function revert(options: RevertOptions, io: CommandIo, given?: MovePorts): Promise<ExitCode> {
  const { revertNode } = await import('../migrate/revert.ts')
  return onRun('revert', async (job) => revertNode(job, options.node), options, io, given)
}

type Act = (job: Run, options: RunOptions) => Promise<RunResult>

const goOn: Act = async (job, { next }) => run(job, next === true ? 1 : undefined)

/** Does something with a run that has a directory already. */
async function onRun(
  command: 'resume' | 'revert',
  act: Act,
  options: ResumeOptions,
  io: CommandIo,
  given: MovePorts | undefined,
): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const file = join(directory, 'plan.json')
  const plan = await readPlan(file)
  await checkPlanSignature(file, options, io)
  const nodes = await readNodes(plan, join(directory, 'inventory.yaml'))
  requireApproval(plan, options, io)
  const ports = given ?? (await realPorts(options, io))
  if (ports.access !== undefined) await refuseKnownMissingPermissions(command, ports.access, io.signal, plan)
  const journal = await openJournal(directory)
  let lock: LeaseHold | undefined
  try {
    const { records } = journal.reading
    refuseOtherPlan(plan, records)
    refuseAbandoned(records)
    // A run keeps its name when its directory is given another one: its mark on the nodes carries it.
    const runId = records[0]?.runId ?? basename(directory)
    const maySleep = mayFindSilence(plan, records)
    lock = await lockCluster({
      ...ports,
      plan,
      runId,
      records,
      command: `${command} ${runId}`,
      options,
      io,
      maySleep,
    })
    return await carryOn({ command, act, plan, nodes, runId, directory, ports, options, io, journal, lock })
  } finally {
    await unlockCluster(lock, io)
    await journal.close()
  }
}

interface Job {
  readonly command: 'apply' | 'resume' | 'revert'
  readonly act: Act
  readonly plan: Plan
  readonly nodes: ReadonlyMap<string, NodeToTranslate>
  readonly runId: string
  readonly directory: string
  readonly ports: MovePorts
  readonly options: RunOptions
  readonly io: CommandIo
  readonly journal: OpenedJournal
  readonly lock: LeaseHold | undefined
}

async function carryOn({
  command,
  act,
  plan,
  nodes,
  runId,
  directory,
  ports,
  options,
  io,
  journal,
  lock,
}: Job): Promise<ExitCode> {
  const scrub = await scrubber(nodes)
  const approve = await approver(plan, options, io, () => ports.clock.now())
  const translate = await renderer(plan, nodes)
  const telling = teller({ runId, directory, clock: ports.clock, scrub, options, io })
  telling.line({
    type: 'run.start',
    data: {
      schema: 'k3os-migrate/v1 Event',
      toolVersion,
      command,
      planDigest: plan.digest,
      target: plan.target,
      nodes: plan.nodes.map(({ name }) => name),
    },
  })
  if (lock !== undefined)
    telling.line({ type: 'lock', data: { holder: lock.holder, takenFrom: lock.takenFrom } })
  if (journal.reading.torn) io.err('the last line of the journal was torn by a crash and is dropped\n')
  const end = async ({ exit, error, records }: RunResult): Promise<void> => {
    const reason = error === null ? null : scrub(error.message)
    const now = ports.clock.now().toISOString()
    const outcome = makeOutcome({ plan, runId, records, exit, reason, now, resume: resumeCommand(runId) })
    const { status, next } = outcome
    lock?.tell(JSON.stringify(makeRunRecord(plan, outcome, records.at(-1), false)))
    await writeDurably(join(directory, 'outcome.json'), `${JSON.stringify(outcome, null, 2)}\n`, 0o600)
    telling.line({ type: 'run.end', data: { exit, status, reason, next } })
    printOutcome(outcome, directory, options, io)
    const others = outcome.paused.map(pausedNowText).join(', ')
    if (others !== '') io.err(`until the run is over these stand still: ${others}\n`)
    if (options.summary === true) await appendSummary(runSummary(outcome), io)
  }
  try {
    const result = await act(
      {
        plan,
        runId,
        ports: await stepPorts(ports, directory),
        sink: journal,
        records: journal.reading.records,
        translate,
        onEvent: telling.event,
        approve,
        attended: io.interactive,
        scrub,
        stop: io.signal,
        ...(lock === undefined ? {} : { lock }),
      },
      options,
    )
    await end(result)
    if (result.error === null) return exitCode.ok
    throw scrubbedError(result.error, scrub, runId)
  } catch (error) {
    // A mistake of the tool itself: the journal is whole all the same, and so is what it says of the nodes.
    if (error instanceof MigrateError) throw error
    const file = join(directory, 'journal.jsonl')
    const { records } = parseJournal(new TextDecoder().decode(await readIfPresent(file)), file, sha256)
    const message = `the tool made a mistake: ${error instanceof Error ? error.message : String(error)}`
    const why = new MigrateError(message, { exitCode: exitCode.unexpected, cause: error })
    await end({ exit: exitCode.unexpected, error: why, records })
    throw error
  }
}

/** What steps work with, for a run in this directory. */
export async function stepPorts(ports: MovePorts, directory: string): Promise<StepPorts> {
  const trees = ports.trees ?? (await import('../adapters/image/root-trees.ts')).rootTrees()
  return { ...ports, trees, files: runFiles(directory) }
}

function resumeCommand(runId: string): string {
  return `k3os-migrate resume ${runId}`
}

function scrubbedError(error: MigrateError, scrub: (text: string) => string, runId: string): MigrateError {
  return new MigrateError(scrub(error.message), {
    exitCode: error.exitCode,
    hint: scrub(error.hint ?? resumeCommand(runId)),
    cause: error,
  })
}

function refuseOtherPlan(plan: Plan, records: readonly JournalRecord[]): void {
  const started = records[0]?.data['planDigest']
  if (started === undefined || started === plan.digest) return
  throw new MigrateError('this run was started with another plan than the one in its directory', {
    exitCode: exitCode.stalePlan,
    hint: 'put the plan.json of the run back, or start a new run: k3os-migrate apply PLAN',
  })
}

function refuseAbandoned(records: readonly JournalRecord[]): void {
  const at = abandonedAt(records)
  if (at === null) return
  throw new MigrateError(`this run was abandoned at ${at}`, {
    exitCode: exitCode.stalePlan,
    hint: 'make a new plan for what is left: k3os-migrate inventory && k3os-migrate plan',
  })
}

export async function realPorts(
  options: Pick<RunOptions, 'kubeconfig' | 'context' | 'identity' | 'knownHosts'>,
  io: CommandIo,
): Promise<MovePorts> {
  const [{ connectCluster }, { sshHost }, { programHook }, { systemClock }] = await Promise.all([
    import('../adapters/kube.ts'),
    import('../adapters/ssh.ts'),
    import('../adapters/hook.ts'),
    import('../adapters/clock.ts'),
  ])
  const { kubeconfig, context } = options
  const { kube, reader, access, lease } = await connectCluster(
    { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) },
    io.env,
  )
  const { sshSettings } = await import('./ssh-settings.ts')
  return {
    kube,
    reader,
    access,
    lease,
    host: sshHost(sshSettings(options, io)),
    hook: programHook(io.env),
    clock: systemClock,
  }
}

async function printDryRun(
  plan: Plan,
  nodes: ReadonlyMap<string, NodeToTranslate>,
  ports: MovePorts,
  io: CommandIo,
): Promise<ExitCode> {
  let current = ''
  await dryRun({
    plan,
    ports: await stepPorts(ports, resolve(io.cwd)),
    translate: await renderer(plan, nodes),
    stop: io.signal,
    onSentence(node, step, sentence) {
      if (node.name !== current) io.out(`${mark('name', node.name)}\n`)
      current = node.name
      if (sentence !== null) io.out(`  ${step.padEnd(11)} ${sentence}\n`)
    },
  })
  io.err('dry run: nothing was changed\n')
  return exitCode.ok
}

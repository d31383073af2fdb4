import { basename, join, resolve } from 'node:path'
import { readIfPresent, runFiles, sha256, writeDurably } from '../adapters/files.ts'
import { findRun, openJournal, stateDirectory } from '../adapters/run-directory.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import {
  finalizeDigest,
  finalizePlanSchema,
  findLeftovers,
  type FinalizePlan,
  type LeftoverFacts,
} from '../core/finalize.ts'
import { inventorySchema } from '../core/inventory.ts'
import { parseJournal, type JournalRecord } from '../core/journal.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import type { Plan } from '../core/plan.ts'
import { compareText } from '../core/findings.ts'
import { readBesideState } from '../core/in-place/beside.ts'
import { actionsFor, begunItems, carryOutFinalize, type DiskHost } from '../migrate/finalize.ts'
import type { AccessReviewer, Clock, Kube, LeaseStore, LeftoverStore, NodeLister } from '../migrate/ports.ts'
import { finalizeText } from '../output/finalize-text.ts'
import { json } from '../output/json.ts'
import { toolVersion } from '../version.ts'
import { whileLocked } from './finalize-lock.ts'
import { refuseChanges, refuseMarked, refuseOtherCluster, refuseOtherRun } from './finalize-refusals.ts'
import type { CommandIo } from './io.ts'
import { refuseMissingPermissions } from './permissions.ts'
import { readPlan } from './plan-inputs.ts'
import type { RunOptions } from './run-options.ts'
import { requireDocument } from './read-document.ts'

interface ClusterOptions extends Pick<RunOptions, 'identity' | 'knownHosts'> {
  readonly kubeconfig?: string
  readonly context?: string
  readonly stateDir?: string
}

export interface FinalizeOptions extends ClusterOptions {
  /** Id or directory of the run; the newest when not given. */
  readonly run?: string
  readonly out: string
  readonly output: 'table' | 'json'
}

export interface FinalizeApplyOptions extends ClusterOptions {
  readonly plan: string
  readonly dryRun?: boolean
  readonly approvePlan?: string
  /** A run whose process is dead: its lock is taken once it has been silent for long enough. */
  readonly takeOver?: string
  readonly output: 'table' | 'json'
}

export interface FinalizeClusterPorts {
  readonly kube: Pick<Kube, 'node' | 'patchNode' | 'clusterUid' | 'where'>
  readonly nodes: Pick<NodeLister, 'nodes'>
  readonly leftovers: LeftoverStore
  readonly lease: LeaseStore
  readonly host: DiskHost
  readonly access?: AccessReviewer
  readonly clock: Clock
}

/** Lists what k3OS and a complete run have left in the cluster, and writes it down as a plan. Changes nothing there. */
export async function finalize(
  options: FinalizeOptions,
  io: CommandIo,
  given?: FinalizeClusterPorts,
): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const run = await completeRun(resolve(io.cwd, await findRun(state, options.run)))
  const ports = given ?? (await realPorts(options, io))
  if (ports.access !== undefined) await refuseMissingPermissions('finalize', ports.access, io.signal)
  await refuseOtherCluster(run.plan.cluster.uid, ports, io.signal)
  await refuseOtherRun(run.runId, [], ports, io.signal)
  const { items, kept } = findLeftovers(run, await survey(run, ports, io.signal))
  const body: Omit<FinalizePlan, 'digest'> = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'FinalizePlan',
    metadata: { createdAt: ports.clock.now().toISOString(), toolVersion },
    runId: run.runId,
    planDigest: run.plan.digest,
    cluster: { server: run.plan.cluster.server, uid: run.plan.cluster.uid },
    items,
    kept,
  }
  const plan = { ...body, digest: finalizeDigest(body, sha256) }
  io.out(options.output === 'json' ? json(plan) : finalizeText(plan, io.columns ?? 120))
  if (items.length === 0) {
    io.err('nothing is left in the cluster; no plan was written\n')
    return exitCode.ok
  }
  await writeDurably(resolve(io.cwd, options.out), json(plan), 0o644, io.signal)
  io.err(`wrote ${options.out}; nothing was changed\nnext: k3os-migrate finalize apply ${options.out}\n`)
  return exitCode.ok
}

/** Removes exactly what such a plan lists, or refuses (exit 5) when the cluster is not as it was. */
export async function finalizeApply(
  options: FinalizeApplyOptions,
  io: CommandIo,
  given?: FinalizeClusterPorts,
): Promise<ExitCode> {
  const plan = await readFinalizePlan(resolve(io.cwd, options.plan))
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const runDirectory = resolve(io.cwd, await findRun(state, plan.runId))
  const run = await completeRun(runDirectory)
  if (run.plan.digest !== plan.planDigest)
    throw new MigrateError(`this plan is not of the run in ${runDirectory}`, {
      exitCode: exitCode.stalePlan,
      hint: 'make it again: k3os-migrate finalize',
    })
  if (options.dryRun !== true) requireApproval(plan, options, io)
  const ports = given ?? (await realPorts(options, io))
  if (ports.access !== undefined) await refuseMissingPermissions('finalize apply', ports.access, io.signal)
  await refuseOtherCluster(plan.cluster.uid, ports, io.signal)
  const { takeOver } = options
  const known = options.dryRun === true ? [] : [run.runId, ...(takeOver === undefined ? [] : [takeOver])]
  await refuseOtherRun(run.runId, known, ports, io.signal)
  const directory = join(runDirectory, 'finalize')
  const refuseUnlikePlan = async (begun: ReadonlySet<string>, isLockOurs = false): Promise<void> => {
    const facts = await survey(run, ports, io.signal)
    refuseMarked(facts, run.runId)
    const now = findLeftovers(run, isLockOurs ? { ...facts, lease: null } : facts).items
    refuseChanges(plan, now, begun)
  }
  await refuseUnlikePlan(begunItems(await journalIn(directory), plan.digest))

  if (options.dryRun === true) {
    for (const item of plan.items)
      for (const { describe } of await actionsFor(item, ports, io.signal)) io.out(`${describe}\n`)
    io.err('dry run: nothing was changed\n')
    return exitCode.ok
  }
  const approval = await approve(plan, options, ports.clock, io)
  const ofRun = { directory: runDirectory, records: run.records }
  const locking = { plan, file: options.plan, run: ofRun, ports, io }
  await whileLocked(takeOver === undefined ? locking : { ...locking, takeOver }, async ({ hold, isOurs }) => {
    const journal = await openJournal(directory)
    try {
      const { records } = journal.reading
      await refuseUnlikePlan(begunItems(records, plan.digest), isOurs)
      await writeDurably(join(directory, 'plan.json'), json(plan), 0o600)
      await carryOutFinalize({
        plan,
        ports: { ...ports, files: runFiles(directory) },
        sink: journal,
        records,
        approval,
        lock: hold,
        onAction: (describe) => io.err(`${describe}\n`),
        stop: io.signal,
      })
    } finally {
      await journal.close()
    }
  })
  const left = findLeftovers(run, await survey(run, ports, io.signal)).items
  if (options.output === 'json') io.out(json({ digest: plan.digest, removed: plan.items, left }))
  if (left.length > 0)
    throw new MigrateError(`${left.length} of what was removed came back`, {
      exitCode: exitCode.needsOperator,
      hint: 'something in the cluster puts it back (GitOps, a manifest on a server); see: k3os-migrate finalize',
    })
  io.err(`done: ${plan.items.length} leftovers are gone; journal: ${directory}\n`)
  return exitCode.ok
}

interface CompleteRun {
  readonly runId: string
  readonly plan: Plan
  readonly records: readonly JournalRecord[]
  /** Nodes that the cluster had when the plan was made. */
  readonly knownNodes: readonly string[]
}

/** As long as a node is to move, its labels and Plans are no leftovers. */
async function completeRun(directory: string): Promise<CompleteRun> {
  const plan = await readPlan(join(directory, 'plan.json'))
  const records = await journalIn(directory)
  const runId = records[0]?.runId ?? basename(directory)
  const outcome = makeOutcome({
    plan,
    runId,
    records,
    exit: exitCode.ok,
    reason: null,
    now: plan.metadata.createdAt,
    resume: `k3os-migrate resume ${runId}`,
  })
  if (outcome.status !== 'complete') {
    const left = outcome.nodes.filter((node) => node.state !== 'done').map(({ name }) => name)
    throw new MigrateError(`the run is not complete: ${left.join(', ')} did not move yet`, {
      exitCode: exitCode.blocked,
      hint: outcome.next ?? 'k3os-migrate status',
    })
  }
  const inventory = await requireDocument(
    join(directory, 'inventory.yaml'),
    inventorySchema,
    'restore the file from a copy: it was written by the run',
  )
  const { cluster } = inventory.document
  const inCluster = cluster?.status === 'read' ? cluster.facts.nodes.map(({ name }) => name) : []
  return {
    runId,
    plan,
    records,
    knownNodes: [...new Set([...inCluster, ...plan.nodes.map(({ name }) => name)])],
  }
}

async function journalIn(directory: string) {
  const file = join(directory, 'journal.jsonl')
  return parseJournal(new TextDecoder().decode(await readIfPresent(file)), file, sha256).records
}

async function readFinalizePlan(file: string): Promise<FinalizePlan> {
  const { document: plan } = await requireDocument(file, finalizePlanSchema, 'make it: k3os-migrate finalize')
  if (finalizeDigest(plan, sha256) === plan.digest) return plan
  throw new MigrateError('the plan was changed after it was made: its digest does not match', {
    exitCode: exitCode.stalePlan,
    position: { file },
    hint: 'make it again: k3os-migrate finalize',
  })
}

async function survey(
  { knownNodes, plan }: CompleteRun,
  { nodes: lister, leftovers, host }: FinalizeClusterPorts,
  signal: AbortSignal,
): Promise<LeftoverFacts> {
  const [nodes, upgradePlans] = await Promise.all([lister.nodes(signal), leftovers.upgradePlans(signal)])
  const gone = knownNodes.filter((name) => !nodes.some((node) => node.name === name))
  const namespace = 'kube-system'
  const passwordSecrets = await present(gone, async (node) => {
    const name = `${node}.node-password.k3s`
    const uid = await leftovers.uidOf({ resource: 'secrets', namespace, name }, signal)
    return uid === undefined ? undefined : { node, name, uid }
  })
  const disks = (await nodesBesideK3os(plan, nodes, host, signal)).toSorted((a, b) =>
    compareText(a.node, b.node),
  )
  const name = 'k3os-migrate'
  const uid = await leftovers.uidOf({ resource: 'leases', namespace, name }, signal)
  return { nodes, upgradePlans, disks, passwordSecrets, lease: uid === undefined ? null : { name, uid } }
}

/** Those of a move in place that still have k3OS beside them, as each says itself. */
async function nodesBesideK3os(
  { method, nodes: planned }: Plan,
  nodes: LeftoverFacts['nodes'],
  host: DiskHost,
  signal: AbortSignal,
): Promise<LeftoverFacts['disks'][number][]> {
  if (method.kind !== 'in-place') return []
  const moved = planned.filter(({ name }) =>
    nodes.some((node) => node.name === name && !node.osImage.startsWith('k3OS')),
  )
  const tree = method.tree.id
  return present(moved, async ({ name, address }) => {
    const text = await host.askInPlace({ name, ...address }, ['state', tree], signal)
    const { k3osMib } = readBesideState(text, name)
    return k3osMib === null ? undefined : { node: name, address, tree, mib: k3osMib }
  })
}

async function present<T, R>(all: readonly T[], find: (one: T) => Promise<R | undefined>): Promise<R[]> {
  const found = await Promise.all(all.map(find))
  return found.filter((one) => one !== undefined)
}

/** Where nobody can be asked, only the digest of this very plan means yes. */
function requireApproval(plan: FinalizePlan, { approvePlan }: FinalizeApplyOptions, io: CommandIo): void {
  if (approvePlan === plan.digest || (approvePlan === undefined && io.interactive)) return
  throw new MigrateError(
    approvePlan === undefined
      ? 'nobody approved this plan, and nobody can be asked here'
      : `--approve-plan names another plan; this one is ${plan.digest}`,
    { exitCode: exitCode.approvalMissing, hint: `after looking at it: --approve-plan ${plan.digest}` },
  )
}

async function approve(
  plan: FinalizePlan,
  { approvePlan }: FinalizeApplyOptions,
  clock: Clock,
  io: CommandIo,
) {
  const by = io.env['USER'] ?? io.env['LOGNAME'] ?? 'unknown'
  if (approvePlan === plan.digest) return { by, at: clock.now().toISOString(), how: 'plan' }
  io.err(finalizeText(plan, io.columns ?? 120))
  const answer = await io.ask(`This is removed from ${plan.cluster.server}. Type "finalize" to go on:`)
  if (answer?.trim() === 'finalize') return { by, at: clock.now().toISOString(), how: 'typed' }
  throw new MigrateError('it was not approved; nothing was changed', {
    exitCode: exitCode.approvalMissing,
    hint: 'the same command asks again',
  })
}

async function realPorts(options: ClusterOptions, io: CommandIo): Promise<FinalizeClusterPorts> {
  const { kubeconfig, context } = options
  const [{ connectCluster }, { sshHost }, { sshSettings }, { systemClock }] = await Promise.all([
    import('../adapters/kube.ts'),
    import('../adapters/ssh.ts'),
    import('./ssh-settings.ts'),
    import('../adapters/clock.ts'),
  ])
  const choice = {
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(io.cwd, kubeconfig) }),
    ...(context === undefined ? {} : { context }),
  }
  const { kube, reader, leftovers, lease, access } = await connectCluster(choice, io.env)
  return {
    kube,
    nodes: reader,
    leftovers,
    lease,
    access,
    host: sshHost(sshSettings(options, io)),
    clock: systemClock,
  }
}

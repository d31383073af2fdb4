import { exitCode, MigrateError } from '../core/errors.ts'
import {
  itemKey,
  leftoverText,
  type FinalizePlan,
  type Leftover,
  type LeftoverDisk,
  type LeftoverNodeKeys,
} from '../core/finalize.ts'
import { readBesideState } from '../core/in-place/beside.ts'
import { entryNames, finalMenu } from '../core/in-place/grub-cfg.ts'
import type { KubeNode } from '../core/inventory.ts'
import type { JournalRecord } from '../core/journal.ts'
import { runRecord } from '../core/run-state.ts'
import { Journal } from './journal.ts'
import type { LeaseHold } from './lease.ts'
import type { Clock, Host, HostControl, JournalSink, Kube, LeftoverStore, RunFiles } from './ports.ts'
import type { Action } from './step.ts'
import { stopped } from './wait.ts'

/** Records of `finalize` in its own journal, beside that of the run. */
const finalizeStep = 'finalize'

/** What is needed of a node's SSH for that. */
export type DiskHost = Pick<Host & HostControl, 'readFile' | 'askInPlace' | 'actInPlace'>

export interface FinalizePorts {
  readonly kube: Pick<Kube, 'node' | 'patchNode'>
  readonly leftovers: LeftoverStore
  /** For what lies on disks. */
  readonly host: DiskHost
  readonly clock: Clock
  readonly files: Pick<RunFiles, 'sha256'>
}

interface FinalizeJob {
  readonly plan: FinalizePlan
  readonly ports: FinalizePorts & { readonly files: RunFiles }
  readonly sink: JournalSink
  readonly records: readonly JournalRecord[]
  readonly approval: { readonly by: string; readonly at: string; readonly how: string }
  /** Of the cluster. */
  readonly lock: Pick<LeaseHold, 'prove' | 'stop'>
  onAction(describe: string): void
  readonly stop: AbortSignal
}

/** Keys of the items that this very plan has begun to remove. */
export function begunItems(records: readonly JournalRecord[], digest: string): ReadonlySet<string> {
  const started = records.findIndex(({ data }) => data['planDigest'] === digest)
  if (started === -1) return new Set()
  return new Set(
    records
      .slice(started)
      .filter(({ step, phase }) => step === finalizeStep && phase === 'intent')
      .map(({ data }) => String(data['item'])),
  )
}

/**
 * Removes one leftover after the other: intent, fsync, act, look, result. Whoever comes back after a crash begins again at
 * the top; what is gone needs nothing. The first failure ends it, with everything before it done.
 */
export async function carryOutFinalize(job: FinalizeJob): Promise<readonly JournalRecord[]> {
  const { plan, ports, sink, records, approval, stop } = job
  const journal = new Journal({ runId: plan.runId, ports, sink, records })
  await journal.note(null, runRecord, 0, { event: 'start', planDigest: plan.digest, approval })
  try {
    for (const item of plan.items) {
      if (stop.aborted) throw stopped(stop)
      await removeItem(item, job, journal)
    }
  } catch (error) {
    if (error instanceof MigrateError)
      await journal.note(null, runRecord, 0, { event: 'end', exit: error.exitCode, error: error.message })
    throw error
  }
  await journal.note(null, runRecord, 0, { event: 'end', exit: exitCode.ok })
  return journal.records
}

async function removeItem(item: Leftover, job: FinalizeJob, journal: Journal): Promise<void> {
  const where = item.kind === 'object' ? 'cluster' : item.node
  const key = itemKey(item)
  const signal = AbortSignal.any([job.stop, job.ports.clock.timeout(60_000)])
  const actions = await actionsFor(item, job.ports, signal)
  if (actions.length === 0) return
  await journal.intent(where, finalizeStep, 1, { item: key, removes: item })
  for (const action of actions) {
    await job.lock.prove()
    // From here on there is nothing to renew.
    if (item.kind === 'object' && item.resource === 'leases') job.lock.stop()
    job.onAction(action.describe)
    await action.run(signal)
  }
  // Some objects take a moment to go.
  for (let left = 10; (await actionsFor(item, job.ports, signal)).length > 0; left -= 1) {
    if (left === 0)
      throw new MigrateError(`${leftoverText(item)} is still there after it was removed`, {
        exitCode: exitCode.needsOperator,
        hint: 'see what holds it (finalizers, a controller that puts it back); then: k3os-migrate finalize',
      })
    await job.ports.clock.sleep(1_000, signal)
  }
  await journal.result(where, finalizeStep, 1, { item: key, outcome: 'done' })
}

/** Reads, and says what is to be done: nothing when it is gone already. A dry run prints the sentences. */
export async function actionsFor(
  item: Leftover,
  { kube, leftovers, host }: Pick<FinalizePorts, 'kube' | 'leftovers' | 'host'>,
  signal: AbortSignal,
): Promise<Action[]> {
  switch (item.kind) {
    case 'object': {
      if ((await leftovers.uidOf(item, signal)) !== item.uid) return []
      return [
        {
          describe: `delete ${leftoverText(item)}`,
          run: async (running) => leftovers.remove(item, running),
        },
      ]
    }
    case 'disk':
      return diskActions(item, host, signal)
    case 'node-keys': {
      const node = await kube.node(item.node, signal)
      if (node === undefined || node.uid !== item.uid) return []
      const patch = patchWithout(item, node)
      return patch === null
        ? []
        : [
            {
              describe: `remove ${leftoverText(item)}`,
              run: async (running) => kube.patchNode(item.node, patch, running),
            },
          ]
    }
  }
}

/** Refuses (exit 3) a node that does not run the new system for good: k3OS is what it would go back to. */
async function diskActions(item: LeftoverDisk, host: DiskHost, signal: AbortSignal): Promise<Action[]> {
  const { node, tree } = item
  const address = { name: node, ...item.address }
  const state = readBesideState(await host.askInPlace(address, ['state', tree], signal), node)
  if (state.k3osMib === null) return []
  const menu = finalMenu((await host.readFile(address, '/state/boot/grub/grub.cfg', signal)) ?? '', tree)
  if (
    state.system !== 'new' ||
    !state.confirmed ||
    state.settled !== entryNames(tree).settled ||
    menu === undefined
  )
    throw new MigrateError(`${node} does not run the new system for good, so k3OS stays on its disk`, {
      exitCode: exitCode.inhibitors,
      hint: 'k3os-migrate status; move it again, or leave it out',
    })
  return [
    {
      describe: `remove ${leftoverText(item)}, and from its boot menu`,
      run: async (running) => {
        await host.actInPlace(address, ['finalize', tree], menu, running)
      },
    },
  ]
}

function patchWithout(item: LeftoverNodeKeys, node: KubeNode): Parameters<Kube['patchNode']>[1] | null {
  const gone = (wanted: Readonly<Record<string, string>>, is: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.keys(wanted)
        .filter((key) => key in is)
        .map((key) => [key, null] as const),
    )
  const labels = gone(item.labels, node.labels)
  const annotations = gone(item.annotations, node.annotations)
  const taints = node.taints.filter(
    ({ key, effect }) => !item.taints.some((taint) => taint.key === key && taint.effect === effect),
  )
  const tainted = taints.length !== node.taints.length
  if (Object.keys(labels).length + Object.keys(annotations).length === 0 && !tainted) return null
  return { labels, annotations, ...(tainted ? { taints } : {}) }
}

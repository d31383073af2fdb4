import { exitCode, MigrateError } from '../core/errors.ts'
import { leftoverChanges, type FinalizePlan, type LeftoverFacts } from '../core/finalize.ts'
import { isUnfinished, parseRunRecord } from '../core/run-record.ts'
import { leaseAnnotations, parseHolder } from '../migrate/lease.ts'
import type { Kube, LeaseStore } from '../migrate/ports.ts'
import { marker } from '../migrate/steps/check.ts'

/** When `finalize` touches nothing. */

interface Asked {
  readonly kube: Pick<Kube, 'clusterUid' | 'where'>
  readonly lease: Pick<LeaseStore, 'read'>
}

/** A kubeconfig may have been given for another one (exit 5). */
export async function refuseOtherCluster(
  uid: string,
  { kube }: Pick<Asked, 'kube'>,
  signal: AbortSignal,
): Promise<void> {
  const now = await kube.clusterUid(signal)
  if (now === uid) return
  throw new MigrateError(`${kube.where} is another cluster (kube-system ${now}, planned ${uid})`, {
    exitCode: exitCode.stalePlan,
    hint: 'see --kubeconfig and --context',
  })
}

/** What a run needs is no leftover as long as it is under way. Of the `known` ones the lock itself will tell. */
export async function refuseOtherRun(
  runId: string,
  known: readonly string[],
  { kube, lease }: Asked,
  signal: AbortSignal,
): Promise<void> {
  const found = await lease.read(signal)
  if (found === undefined) return
  if (found.holder !== null && known.includes(parseHolder(found.holder).runId)) return
  const who = found.holder ?? unfinishedRun(found.annotations[leaseAnnotations.record], [runId, ...known])
  if (who === null) return
  throw new MigrateError(`${kube.where} is in use by ${who}, which is not finished`, {
    exitCode: exitCode.locked,
    hint: 'k3os-migrate status --from-cluster',
  })
}

function unfinishedRun(text: string | undefined, known: readonly string[]): string | null {
  const record = parseRunRecord(text)
  if (record === 'unreadable') return 'a run whose record cannot be read'
  return record !== undefined && isUnfinished(record) && !known.includes(record.runId)
    ? `run ${record.runId}`
    : null
}

/** A node that another run works on is nobody else's business. */
export function refuseMarked({ nodes }: LeftoverFacts, runId: string): void {
  const other = nodes.find(({ annotations }) => {
    const mark = annotations[marker]
    return mark !== undefined && !mark.startsWith(`${runId}/`)
  })
  if (other === undefined) return
  throw new MigrateError(`another run works on ${other.name} (${other.annotations[marker]})`, {
    exitCode: exitCode.locked,
    hint: 'wait until it is complete; k3os-migrate status',
  })
}

/** Exit 5 when something was changed, came or went since. `begun`: keys of what this very plan has begun to remove. */
export function refuseChanges(
  plan: FinalizePlan,
  now: FinalizePlan['items'],
  begun: ReadonlySet<string>,
): void {
  const changes = leftoverChanges(plan.items, now, begun)
  if (changes.length === 0) return
  throw new MigrateError(`the cluster is not as it was when the plan was made: ${changes.join('; ')}`, {
    exitCode: exitCode.stalePlan,
    hint: 'look at it again: k3os-migrate finalize',
  })
}

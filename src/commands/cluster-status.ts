import { exitCode, type ExitCode } from '../core/errors.ts'
import { parseRunRecord, type ClusterRun } from '../core/run-record.ts'
import { holderText, leaseAnnotations } from '../migrate/lease.ts'
import type { LeaseStore } from '../migrate/ports.ts'
import { lockUnreadable } from '../migrate/take-lease.ts'
import { json } from '../output/json.ts'
import { table } from '../output/table.ts'
import { yaml } from '../core/yaml-text.ts'
import type { CommandIo } from './io.ts'

/** What the cluster itself tells of its last run, from anywhere: no run directory is needed. */
export async function clusterStatus(
  lease: LeaseStore,
  output: 'table' | 'json' | 'yaml',
  io: CommandIo,
): Promise<ExitCode> {
  const document = await readClusterRun(lease, io.signal)
  if (output === 'json') io.out(json(document))
  else if (output === 'yaml') io.out(yaml(document))
  else printTable(document, io)
  return exitCode.ok
}

async function readClusterRun(lease: LeaseStore, signal: AbortSignal): Promise<ClusterRun> {
  const found = await lease.read(signal)
  const run = parseRunRecord(found?.annotations[leaseAnnotations.record])
  if (run === 'unreadable') throw lockUnreadable(lease)
  const holder = found?.holder ?? null
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'ClusterRun',
    cluster: lease.where,
    lock:
      found === undefined || holder === null
        ? null
        : {
            holder,
            since: found.acquiredAt,
            renewedAt: found.renewedAt,
            durationSeconds: found.durationSeconds,
            command: found.annotations[leaseAnnotations.command] ?? null,
            job: found.annotations[leaseAnnotations.job] ?? null,
          },
    run: run ?? null,
  }
}

function printTable({ cluster, lock, run }: ClusterRun, io: CommandIo): void {
  if (run === null) io.err(`${cluster} has no run\n`)
  else {
    const rows = run.nodes.map(({ name, state, step, reason }) => [name, state, step ?? '', reason ?? ''])
    io.out(table(['NODE', 'STATE', 'STEP', 'REASON'], rows, { width: io.columns ?? 120 }))
    if (run.pendingUnnamed > 0) io.err(`and ${run.pendingUnnamed} more, pending\n`)
    io.err(`run ${run.runId} to ${run.target}: ${run.status}, last change ${run.updatedAt}\n`)
    if (run.reason !== null) io.err(`${run.reason}\n`)
  }
  if (lock !== null) {
    io.err(
      `locked by ${holderText(lock.holder)}, since ${lock.since ?? 'an unknown time'}, last renewed ${lock.renewedAt ?? 'never'}${lock.job === null ? '' : `, ${lock.job}`}\n`,
    )
  } else if (run !== null && run.next !== null) io.err(`next: ${run.next}\n`)
}

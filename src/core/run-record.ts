import { z } from 'zod'
import type { JournalRecord } from './journal.ts'
import type { Outcome } from './outcome.ts'
import type { Plan } from './plan.ts'

/**
 * What the cluster itself keeps of a run, so that it can be seen from anywhere: the outcome so far without proofs, and the
 * place in the journal that it was made from. No secrets: sentences are scrubbed like those of the journal.
 */
export const runRecordSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('RunRecord'),
  runId: z.string(),
  planDigest: z.string(),
  target: z.string(),
  startedAt: z.string(),
  updatedAt: z.string(),
  /** `running` while a process carries it on, or until somebody finds out that it was killed. */
  status: z.enum(['running', 'complete', 'partial', 'paused', 'needs-operator', 'abandoned']),
  reason: z.string().nullable(),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['pending', 'done', 'rolled-back', 'reverted', 'needs-operator', 'in-progress']),
      step: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  /** Nodes still to do that are not named here because there was no room. */
  pendingUnnamed: z.number(),
  next: z.string().nullable(),
  /** The newest journal record it knows of. */
  journal: z.strictObject({ seq: z.number(), hash: z.string() }),
})
export type RunRecord = z.infer<typeof runRecordSchema>

/** The document `ClusterRun`: what a cluster itself tells of its last run, and who has its lock now. */
export const clusterRunSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('ClusterRun'),
  cluster: z.string(),
  /** null: nobody has it. */
  lock: z
    .strictObject({
      holder: z.string(),
      since: z.string().nullable(),
      renewedAt: z.string().nullable(),
      /** Silence after which it may be taken over. */
      durationSeconds: z.number(),
      command: z.string().nullable(),
      job: z.string().nullable(),
    })
    .nullable(),
  /** null: none was ever begun here, or the last one was abandoned. */
  run: runRecordSchema.nullable(),
})
export type ClusterRun = z.infer<typeof clusterRunSchema>

/** All annotations of an object together may have 256 KiB (kubernetes/apimachinery pkg/api/validation/objectmeta.go). */
const roomBytes = 160 * 1024

export function makeRunRecord(
  plan: Plan,
  outcome: Outcome,
  last: JournalRecord | undefined,
  isRunning: boolean,
): RunRecord {
  const nodes = outcome.nodes.map(({ name, state, step, reason }) => ({
    name,
    state,
    step,
    reason: reason === null ? null : short(reason),
  }))
  const record: RunRecord = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'RunRecord',
    runId: outcome.runId,
    planDigest: plan.digest,
    target: plan.target,
    startedAt: outcome.startedAt,
    updatedAt: outcome.endedAt,
    status: isRunning ? 'running' : outcome.status,
    reason: outcome.reason === null ? null : short(outcome.reason),
    nodes,
    pendingUnnamed: 0,
    next: outcome.next,
    journal: { seq: last?.seq ?? 0, hash: last?.hash ?? '' },
  }
  if (new TextEncoder().encode(JSON.stringify(record)).length <= roomBytes) return record
  const begun = nodes.filter(({ state }) => state !== 'pending')
  const named = begun.slice(-200)
  return { ...record, nodes: named, pendingUnnamed: nodes.length - begun.length }
}

/** Whether another run must wait until this one has been ended by its people. */
export function isUnfinished({ status }: RunRecord): boolean {
  return status !== 'complete' && status !== 'abandoned'
}

/** undefined without a record. One that cannot be read is not the same as none. */
export function parseRunRecord(json: string | undefined): RunRecord | 'unreadable' | undefined {
  if (json === undefined) return undefined
  try {
    return runRecordSchema.safeParse(JSON.parse(json)).data ?? 'unreadable'
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable'
    throw error
  }
}

function short(sentence: string): string {
  return sentence.length > 300 ? `${sentence.slice(0, 297)}...` : sentence
}

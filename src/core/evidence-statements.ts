import { z } from 'zod'
import { canonicalJson } from './canonical.ts'
import type { JournalRecord, Sha256 } from './journal.ts'
import type { Plan } from './plan.ts'
import { nodeRecord, nodeState, replay } from './run-state.ts'

/** An approval as the journal has it. `signature` is there when the approvals file had one. */
const journaledApprovalSchema = z.looseObject({
  by: z.string(),
  at: z.string(),
  how: z.string(),
  signature: z.string().optional(),
})

export interface JournaledApproval extends z.infer<typeof journaledApprovalSchema> {
  readonly node: string
  readonly attempt: number
}

/** Who approved which node, in the order of the journal. A note that is no approval is none. */
export function approvalsOf(records: readonly JournalRecord[]): JournaledApproval[] {
  return records.flatMap(({ node, step, phase, attempt, data }) => {
    if (node === null || step !== nodeRecord || phase !== 'note') return []
    const approval = journaledApprovalSchema.safeParse(data['approval'])
    return approval.success ? [{ ...approval.data, node, attempt }] : []
  })
}

const digestsSchema = z.record(z.string(), z.string()).catch({})

/**
 * One statement for each node of the plan, in the form of in-toto (Statement v1): what the machine was before and after,
 * under which plan, approved by whom. Made of plan and journal alone, so that whoever has those two can make it again.
 */
export function evidenceStatements(
  plan: Plan,
  records: readonly JournalRecord[],
  sha256: Sha256,
): readonly object[] {
  const states = replay(records)
  const approvals = approvalsOf(records)
  return plan.nodes.map((node) => {
    const state = nodeState(states, node.name)
    const own = records.filter((record) => record.node === node.name)
    const joined = state.steps.get('join')
    const proof = joined?.outcome === 'done' ? joined.result : {}
    const { nodeUid, systemUuid } = node.fingerprint
    const compared = state.steps.get('compare')?.outcome === 'done'
    return {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: node.name, digest: { sha256: sha256(canonicalJson({ nodeUid, systemUuid })) } }],
      predicateType: 'urn:k3os-migrate:node-move:v1',
      predicate: {
        runId: records[0]?.runId ?? null,
        planDigest: plan.digest,
        target: plan.target,
        result: state.phase,
        attempt: state.attempt,
        startedAt: state.startedAt,
        endedAt: state.endedAt,
        approvals: approvals
          .filter((approval) => approval.node === node.name)
          .map(({ by, at, how, attempt }) => ({ by, at, how, attempt })),
        machine: { nodeUid, systemUuid, diskSerial: node.fingerprint.diskSerial },
        before: { bootId: textOrNull(proof['bootIdBefore']), osImage: textOrNull(proof['osImageBefore']) },
        after: {
          bootId: textOrNull(proof['bootIdAfter']),
          osImage: textOrNull(proof['osImageAfter']),
          kubeletVersion: textOrNull(proof['kubeletVersion']),
          nonce: textOrNull(proof['nonce']),
        },
        data: {
          /** Digest of each directory that stays, before the move; `equal` when it was the same afterwards. */
          before: digestsSchema.parse(state.steps.get('fingerprint')?.intent['digests']),
          equal: compared,
        },
        inventorySha256: node.fingerprint.bundleSha256,
        translationSha256: node.fingerprint.translationSha256,
        journal: {
          records: own.length,
          first: own[0]?.hash ?? null,
          last: own.at(-1)?.hash ?? null,
        },
      },
    }
  })
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

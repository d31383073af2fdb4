import { z } from 'zod'
import { canonicalJson } from './canonical.ts'
import type { Plan, PlanNode } from './plan.ts'

/** One entry of an approvals file: somebody wants this very plan to be carried out on this node. */
export const approvalEntrySchema = z.strictObject({
  planDigest: z.string(),
  node: z.string(),
  approvedBy: z.string().min(1),
  /** RFC 3339. */
  at: z.iso.datetime({ offset: true }),
  /** Armoured SSH signature over the canonical form of the entry without it (`ssh-keygen -Y`). */
  signature: z.string().optional(),
})
export type ApprovalEntry = z.infer<typeof approvalEntrySchema>

export const approvalsSchema = z.array(approvalEntrySchema)

/** Who approved a node, as it is journaled. */
export interface Approval {
  readonly by: string
  readonly at: string
  readonly how: 'typed' | 'plan' | 'file' | 'signed file'
  /** That of the entry, so that the journal alone can prove it later. */
  readonly signature?: string
}

/** The bytes an approval's signature is made over. */
export function approvalMessage({ planDigest, node, approvedBy, at }: ApprovalEntry): string {
  return canonicalJson({ planDigest, node, approvedBy, at })
}

/** Entries for this node of this plan, the earliest first. */
export function approvalsFor(
  entries: readonly ApprovalEntry[],
  plan: Pick<Plan, 'digest'>,
  node: Pick<PlanNode, 'name'>,
): ApprovalEntry[] {
  return entries
    .filter((entry) => entry.planDigest === plan.digest && entry.node === node.name)
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
}

import { z } from 'zod'
import { manifestSignature } from './evidence.ts'
import type { EvidenceReading } from './evidence-check.ts'

export type CheckedSignature = { readonly part: string; readonly what: string } & (
  | { readonly status: 'valid'; readonly principals: readonly string[] }
  | { readonly status: 'invalid'; readonly reason: string }
  /** Nobody said whose signatures count. */
  | { readonly status: 'not checked' }
)

/** The document `EvidenceVerdict`: what `evidence verify` found. */
export const evidenceVerdictSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('EvidenceVerdict'),
  runId: z.string().nullable(),
  planDigest: z.string().nullable(),
  /** `holds`: everything that was looked at is right. */
  result: z.enum(['holds', 'wrong']),
  checks: z.array(
    z.strictObject({
      part: z.string(),
      what: z.string(),
      result: z.enum(['right', 'wrong', 'not-checked']),
      detail: z.string().nullable(),
    }),
  ),
  approvals: z.array(
    z.strictObject({
      node: z.string(),
      attempt: z.number(),
      by: z.string(),
      at: z.string(),
      how: z.string(),
      signed: z.boolean(),
    }),
  ),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      state: z.string(),
      osImageBefore: z.string().nullable(),
      osImageAfter: z.string().nullable(),
    }),
  ),
})
export type EvidenceVerdict = z.infer<typeof evidenceVerdictSchema>

type Check = EvidenceVerdict['checks'][number]

export function evidenceVerdict(
  reading: EvidenceReading,
  signatures: readonly CheckedSignature[],
  { requireSignature }: { readonly requireSignature: boolean },
): EvidenceVerdict {
  const isSigned = signatures.some(({ part }) => part === manifestSignature)
  const checks: Check[] = [
    ...reading.checks.map(({ part, what, problem }): Check => ({
      part,
      what,
      result: problem === null ? 'right' : 'wrong',
      detail: problem,
    })),
    ...signatures.map((signature) => signatureCheck(signature)),
    ...(isSigned ? [] : [unsigned(requireSignature)]),
  ]
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'EvidenceVerdict',
    runId: reading.manifest?.runId ?? null,
    planDigest: reading.plan?.digest ?? null,
    result: checks.some(({ result }) => result === 'wrong') ? 'wrong' : 'holds',
    checks,
    approvals: reading.approvals.map(({ node, attempt, by, at, how, signature }) => ({
      node,
      attempt,
      by,
      at,
      how,
      signed: signature !== undefined,
    })),
    nodes: (reading.outcome?.nodes ?? []).map(({ name, state, proof }) => ({
      name,
      state,
      osImageBefore: proof?.osImageBefore ?? null,
      osImageAfter: proof?.osImageAfter ?? null,
    })),
  }
}

function signatureCheck(signature: CheckedSignature): Check {
  const { part, what } = signature
  switch (signature.status) {
    case 'valid':
      return { part, what, result: 'right', detail: `by ${signature.principals.join(', ')}` }
    case 'invalid':
      return { part, what, result: 'wrong', detail: signature.reason }
    case 'not checked':
      return {
        part,
        what,
        result: 'not-checked',
        detail: 'say whose signatures count: --allowed-signers FILE',
      }
  }
}

/** Digests alone prove that nothing was damaged, not that nobody made all of it anew. */
function unsigned(required: boolean): Check {
  return {
    part: manifestSignature,
    what: 'is over the manifest, and so over everything',
    result: required ? 'wrong' : 'not-checked',
    detail: required
      ? 'it is missing, and a signature is required'
      : 'there is none: whoever had the archive could have made it anew',
  }
}

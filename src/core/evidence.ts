import { z } from 'zod'
import { evidenceStatements } from './evidence-statements.ts'
import { firstHash, parseJournal, type JournalRecord } from './journal.ts'
import { planSchema } from './plan.ts'
import type { ArchiveFiles } from './archive.ts'

/**
 * The evidence of a run in one archive that can be checked without a network, a cluster or this machine: the documents of
 * the run as they lie there, a statement for each node, and a list of all of them with their digests. Nothing in it is
 * secret: what holds secrets (raw inventories, rendered configurations) stays where it is and is named by its digest.
 */

export const manifestFile = 'manifest.json'
export const manifestSignature = 'manifest.json.sig'
export const statementsFile = 'statements.intoto.jsonl'

/** Files of a run directory that go into the evidence; a run without those marked so is no evidence of anything. */
export const evidenceParts = [
  { path: 'plan.json', needed: true },
  { path: 'plan.json.sig', needed: false },
  { path: 'inventory.yaml', needed: true },
  { path: 'assessment.json', needed: false },
  { path: 'journal.jsonl', needed: true },
  { path: 'events.jsonl', needed: false },
  { path: 'outcome.json', needed: true },
  { path: 'finalize/plan.json', needed: false },
  { path: 'finalize/journal.jsonl', needed: false },
] as const

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/)

/** The document `Evidence`, the archive's `manifest.json`. */
export const evidenceSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('Evidence'),
  runId: z.string(),
  planDigest: z.string(),
  /** Of the tool that made the archive. */
  toolVersion: z.string(),
  /** First and last hash of the journal's chain, and how many records lie between. */
  journal: z.strictObject({ records: z.number(), first: digestSchema, last: digestSchema }),
  /** Every other file of the archive but the signature over this one. */
  files: z.array(z.strictObject({ path: z.string(), sha256: digestSchema, bytes: z.number() })),
  /** What stays in the run directory because it holds secrets. */
  withheld: z.array(z.strictObject({ path: z.string(), sha256: digestSchema })),
})
export type Evidence = z.infer<typeof evidenceSchema>

export interface EvidenceSource {
  /** Files of the run by their path there; those of `evidenceParts` that exist. */
  readonly files: ArchiveFiles
  /** SHA-256 of files that stay, by path. */
  readonly withheld: ReadonlyMap<string, string>
  readonly toolVersion: string
  readonly sha256: (content: string | Uint8Array) => string
}

/** All files of the archive, without a signature over the manifest. The same run gives the same bytes. */
export function makeEvidence({ files, withheld, toolVersion, sha256 }: EvidenceSource): ArchiveFiles {
  const plan = planSchema.parse(JSON.parse(textOf(files, 'plan.json')))
  const { records } = parseJournal(textOf(files, 'journal.jsonl'), 'journal.jsonl', sha256)
  const all = new Map(files)
  all.set(statementsFile, new TextEncoder().encode(statementLines(evidenceStatements(plan, records, sha256))))
  const manifest: Evidence = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Evidence',
    runId: records[0]?.runId ?? '',
    planDigest: plan.digest,
    toolVersion,
    journal: chainEnds(records),
    files: [...all]
      .map(([path, bytes]) => ({ path, sha256: sha256(bytes), bytes: bytes.length }))
      .toSorted(byPath),
    withheld: [...withheld].map(([path, digest]) => ({ path, sha256: digest })).toSorted(byPath),
  }
  all.set(manifestFile, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`))
  return all
}

export function chainEnds(records: readonly JournalRecord[]): Evidence['journal'] {
  return {
    records: records.length,
    first: records[0]?.hash ?? firstHash,
    last: records.at(-1)?.hash ?? firstHash,
  }
}

export function statementLines(statements: readonly object[]): string {
  return statements.map((statement) => `${JSON.stringify(statement)}\n`).join('')
}

export function textOf(files: ArchiveFiles, path: string): string {
  return new TextDecoder().decode(files.get(path))
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1
}

import type { z } from 'zod'
import { approvalMessage } from './approvals.ts'
import { canonicalJson } from './canonical.ts'
import {
  chainEnds,
  evidenceParts,
  evidenceSchema,
  manifestFile,
  manifestSignature,
  statementLines,
  statementsFile,
  textOf,
  type Evidence,
} from './evidence.ts'
import { approvalsOf, evidenceStatements, type JournaledApproval } from './evidence-statements.ts'
import { finalizeChecks } from './evidence-finalize.ts'
import { readJournal, readJson, type EvidenceCheck } from './evidence-reading.ts'
import type { JournalReading, JournalRecord } from './journal.ts'
import { planDigest } from './make-plan.ts'
import { makeOutcome } from './make-outcome.ts'
import { outcomeSchema, type Outcome } from './outcome.ts'
import { planSchema, type Plan } from './plan.ts'
import type { ArchiveFiles } from './archive.ts'

/** A signature that the archive has; whether it holds only ssh-keygen and a list of signers can say. */
export interface EvidenceSignature {
  readonly part: string
  readonly what: string
  readonly signature: string
  readonly message: string | Uint8Array
  /** The name it must be of; any allowed signer when null. */
  readonly principal: string | null
}

export interface EvidenceReading {
  readonly manifest: Evidence | null
  readonly plan: Plan | null
  readonly outcome: Outcome | null
  readonly checks: readonly EvidenceCheck[]
  readonly approvals: readonly JournaledApproval[]
  readonly signatures: readonly EvidenceSignature[]
}

type Hash = (content: string | Uint8Array) => string

/** Looks at everything in an archive that can be looked at without knowing whose signatures count. */
export function checkEvidence(files: ArchiveFiles, sha256: Hash): EvidenceReading {
  const checks: EvidenceCheck[] = []
  const look = (part: string, what: string, ...problems: readonly (string | null)[]): void => {
    checks.push({ part, what, problem: problems.find((problem) => problem !== null) ?? null })
  }
  const read = <T>(path: string, schema: z.ZodType<T>): T | null => {
    const found = readJson(files, path, schema)
    if ('problem' in found) look(path, 'can be read', found.problem)
    return 'problem' in found ? null : found.document
  }

  const manifest = read(manifestFile, evidenceSchema)
  if (manifest !== null) checks.push(...digestChecks(files, manifest, sha256))
  for (const { path, needed } of evidenceParts)
    if (needed && !files.has(path)) look(path, 'is there', 'it is missing')

  const plan = read('plan.json', planSchema)
  if (plan !== null) look('plan.json', 'is the plan that was approved', planProblem(plan, manifest, sha256))
  if (plan !== null && files.has('inventory.yaml'))
    look(
      'inventory.yaml',
      'is the one the plan was made from',
      unequal(sha256(files.get('inventory.yaml') ?? ''), plan.inventory.sha256),
    )
  if (plan !== null && manifest !== null) checks.push(...withheldChecks(plan, manifest))

  const journal = readJournal(files, 'journal.jsonl', sha256)
  if (journal !== null && 'problem' in journal)
    look('journal.jsonl', 'is whole: each record has the hash of the one before', journal.problem)
  const records = journal === null || 'problem' in journal ? null : journal.records
  if (records !== null) {
    look(
      'journal.jsonl',
      `is whole: each of its ${records.length} records has the hash of the one before`,
      records.length === 0 ? 'it has no record' : null,
      isEnd(records.at(-1)) ? null : 'its last record is not the end of a run',
      manifest === null ? null : chainProblem(chainEnds(records), manifest),
    )
    const started = records.find(({ data }) => data['event'] === 'start')?.data['planDigest']
    if (plan !== null)
      look(
        'journal.jsonl',
        'was written by a run of this plan',
        started === plan.digest ? null : `it says ${String(started)}`,
      )
  }

  const outcome = read('outcome.json', outcomeSchema)
  if (plan !== null && records !== null) {
    if (outcome !== null)
      look('outcome.json', 'says what plan and journal say', outcomeProblem(outcome, plan, records))
    if (files.has(statementsFile))
      look(
        statementsFile,
        'says what plan and journal say',
        textOf(files, statementsFile) === statementLines(evidenceStatements(plan, records, sha256))
          ? null
          : 'it says something else',
      )
    else if (manifest !== null) look(statementsFile, 'is there', 'it is missing')
  }
  if (plan !== null) checks.push(...finalizeChecks(files, plan, records?.[0]?.runId ?? null, sha256))
  const approvals = records === null ? [] : approvalsOf(records)
  return { manifest, plan, outcome, checks, approvals, signatures: signaturesIn(files, plan, approvals) }
}

function digestChecks(files: ArchiveFiles, manifest: Evidence, sha256: Hash): EvidenceCheck[] {
  const listed = new Map(manifest.files.map((file) => [file.path, file]))
  const what = 'has the digest that the manifest lists'
  const unlisted = [...files.keys()].filter(
    (path) => path !== manifestFile && path !== manifestSignature && !listed.has(path),
  )
  return [
    ...manifest.files.map(({ path, sha256: digest, bytes }): EvidenceCheck => {
      const content = files.get(path)
      if (content === undefined) return { part: path, what, problem: 'it is missing' }
      if (content.length !== bytes)
        return { part: path, what, problem: `it has ${content.length} bytes instead of ${bytes}` }
      return { part: path, what, problem: unequal(sha256(content), digest) }
    }),
    ...unlisted.map((path) => ({ part: path, what, problem: 'the manifest does not list it' })),
  ]
}

function planProblem(plan: Plan, manifest: Evidence | null, sha256: Hash): string | null {
  if (planDigest(plan, sha256) !== plan.digest)
    return 'it was changed after it was made: its digest does not match'
  return manifest === null || manifest.planDigest === plan.digest
    ? null
    : `the manifest is about ${manifest.planDigest}`
}

function withheldChecks(plan: Plan, { withheld }: Evidence): EvidenceCheck[] {
  return plan.nodes.flatMap(({ bundleFile, fingerprint }) => {
    const kept = withheld.find(({ path }) => path === bundleFile)
    const what = 'is the one the plan was made from (it stays with the run)'
    return kept === undefined
      ? []
      : [{ part: bundleFile, what, problem: unequal(kept.sha256, fingerprint.bundleSha256) }]
  })
}

function chainProblem(ends: Evidence['journal'], { journal }: Evidence): string | null {
  if (ends.records !== journal.records)
    return `the manifest counts ${journal.records} records, it has ${ends.records}`
  return ends.first === journal.first && ends.last === journal.last
    ? null
    : 'the manifest has other hashes for its ends'
}

/** Under way, or killed, it has another last record. */
function isEnd(record: JournalRecord | undefined): boolean {
  return ['end', 'abandoned'].some((event) => record?.data['event'] === event)
}

/** Only what both must agree on: how a sentence is worded may change from version to version. */
function outcomeProblem(outcome: Outcome, plan: Plan, records: JournalReading['records']): string | null {
  const runId = records[0]?.runId ?? ''
  if (outcome.runId !== runId) return `it is of run ${outcome.runId}, the journal of ${runId}`
  if (outcome.planDigest !== plan.digest) return 'it is about another plan'
  if (outcome.endedAt !== records.at(-1)?.ts) return 'the journal goes on after it, or ends before'
  const { exit } = outcome
  const made = makeOutcome({
    plan,
    runId,
    records,
    exit: exit as Parameters<typeof makeOutcome>[0]['exit'],
    reason: null,
    now: outcome.endedAt,
    resume: '',
  })
  const last = records.at(-1)?.data ?? {}
  if (last['event'] === 'end' && last['exit'] !== exit)
    return `it says exit ${exit}, the journal ${String(last['exit'])}`
  if (made.status !== outcome.status) return `it says ${outcome.status}, the journal ${made.status}`
  const differing = made.nodes.find((node, index) => {
    const { name, state, proof } = outcome.nodes[index] ?? {}
    return canonicalJson({ name, state, proof }) !== canonicalJson(pickNode(node))
  })
  if (differing !== undefined) return `it says something else about ${differing.name}`
  return made.nodes.length === outcome.nodes.length ? null : 'it has other nodes than the plan'
}

function pickNode({ name, state, proof }: Outcome['nodes'][number]): object {
  return { name, state, proof }
}

function unequal(is: string, should: string): string | null {
  return is === should ? null : `its SHA-256 is ${is.slice(0, 16)}…, not ${should.slice(0, 16)}…`
}

function signaturesIn(
  files: ArchiveFiles,
  plan: Plan | null,
  approvals: readonly JournaledApproval[],
): EvidenceSignature[] {
  const found: EvidenceSignature[] = []
  const over = (part: string, signed: string, what: string): void => {
    if (files.has(part))
      found.push({
        part,
        what,
        signature: textOf(files, part),
        message: files.get(signed) ?? '',
        principal: null,
      })
  }
  over(manifestSignature, manifestFile, 'is over the manifest, and so over everything')
  over('plan.json.sig', 'plan.json', 'is over the plan')
  for (const { node, by, at, signature } of approvals)
    if (signature !== undefined && plan !== null)
      found.push({
        part: 'journal.jsonl',
        what: `has the signature of ${by} over the approval of ${node}`,
        signature,
        message: approvalMessage({ planDigest: plan.digest, node, approvedBy: by, at }),
        principal: by,
      })
  return found
}

import { readJournal, readJson, type EvidenceCheck } from './evidence-reading.ts'
import { finalizeDigest, finalizePlanSchema, type FinalizePlan } from './finalize.ts'
import type { Sha256 } from './journal.ts'
import type { Plan } from './plan.ts'
import type { ArchiveFiles } from './archive.ts'

const planFile = 'finalize/plan.json'
const journalFile = 'finalize/journal.jsonl'

/** What `finalize` did after the run, when it did: its plan is of this run, and its journal of this plan. */
export function finalizeChecks(
  files: ArchiveFiles,
  run: Plan,
  runId: string | null,
  sha256: Sha256,
): EvidenceCheck[] {
  if (!files.has(planFile) && !files.has(journalFile)) return []
  const found = readJson(files, planFile, finalizePlanSchema)
  const what = 'is the plan of what was removed after this run'
  if ('problem' in found) return [{ part: planFile, what, problem: found.problem }]
  const plan = found.document
  return [
    { part: planFile, what, problem: planProblem(plan, run, runId, sha256) },
    {
      part: journalFile,
      what: 'is whole, and of this plan',
      problem: journalProblem(readJournal(files, journalFile, sha256), plan),
    },
  ]
}

function planProblem(plan: FinalizePlan, run: Plan, runId: string | null, sha256: Sha256): string | null {
  if (finalizeDigest(plan, sha256) !== plan.digest)
    return 'it was changed after it was made: its digest does not match'
  const other = plan.planDigest !== run.digest || (runId !== null && plan.runId !== runId)
  return other ? `it is of run ${plan.runId}` : null
}

function journalProblem(journal: ReturnType<typeof readJournal>, plan: FinalizePlan): string | null {
  if (journal === null) return 'it is missing'
  if ('problem' in journal) return journal.problem
  const { records } = journal
  const started = records.findLast(({ data }) => data['event'] === 'start')?.data['planDigest']
  if (started !== plan.digest) return `it says ${String(started)}`
  return records.at(-1)?.data['event'] === 'end' ? null : 'its last record is not an end'
}

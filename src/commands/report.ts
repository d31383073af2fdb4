import { join, resolve } from 'node:path'
import { readIfPresent, sha256, writeDurably } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { assessmentSchema } from '../core/assessment.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { parseJournal } from '../core/journal.ts'
import { planDigest } from '../core/make-plan.ts'
import { outcomeSchema } from '../core/outcome.ts'
import { planSchema } from '../core/plan.ts'
import { reportHtml } from '../output/report/report-html.ts'
import { reportMarkdown } from '../output/report/report-markdown.ts'
import { runReport, type RunDocuments } from '../output/report/run-report.ts'
import type { CommandIo } from './io.ts'
import { readDocument } from './read-document.ts'
import { findInventoryFile } from './read-inventory.ts'

export interface ReportOptions {
  /** Id or directory of the run; the newest when not given. */
  readonly run?: string
  readonly stateDir?: string
  readonly output: 'html' | 'markdown'
  readonly out?: string
}

/** Writes what a run found, decided, did and proved. */
export async function report(options: ReportOptions, io: CommandIo): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const documents = await readRun(directory)
  const made = runReport(documents)
  const text = options.output === 'html' ? reportHtml(made) : reportMarkdown(made)
  if (options.out === undefined) {
    io.out(text)
  } else {
    await writeDurably(resolve(io.cwd, options.out), text, 0o644, io.signal)
    io.err(`Wrote ${options.out}\n`)
  }
  if (documents.missing.length > 0) io.err(`Not in ${directory}: ${documents.missing.join(', ')}\n`)
  return exitCode.ok
}

const files = ['outcome.json', 'journal.jsonl', 'plan.json', 'inventory.yaml', 'assessment.json'] as const

/** Outcome and journal must be there; without them nothing can be said about a run. */
async function readRun(directory: string): Promise<RunDocuments> {
  const path = (file: (typeof files)[number]): string => join(directory, file)
  const damaged = 'restore the file from a copy: it was written by the run'
  const outcome = await readDocument(path('outcome.json'), outcomeSchema, damaged)
  const journalBytes = await readIfPresent(path('journal.jsonl'))
  if (outcome === undefined || journalBytes === undefined)
    throw new MigrateError(
      `${directory} has no ${outcome === undefined ? 'outcome.json' : 'journal.jsonl'}: ${outcome === undefined ? 'the run has not ended, or this is no run directory' : 'this is no run directory'}`,
      { exitCode: exitCode.io, hint: 'k3os-migrate status' },
    )
  const plan = await readDocument(path('plan.json'), planSchema, damaged)
  const inventory = await findInventoryFile(path('inventory.yaml'))
  const assessment = await readDocument(path('assessment.json'), assessmentSchema, damaged)
  const digests = [
    { file: 'outcome.json', sha256: outcome.sha256 },
    { file: 'journal.jsonl', sha256: sha256(journalBytes) },
    ...(plan === undefined ? [] : [{ file: 'plan.json', sha256: plan.sha256 }]),
    ...(inventory === undefined ? [] : [{ file: 'inventory.yaml', sha256: inventory.sha256 }]),
    ...(assessment === undefined ? [] : [{ file: 'assessment.json', sha256: assessment.sha256 }]),
  ]
  return {
    outcome: outcome.document,
    journal: parseJournal(new TextDecoder().decode(journalBytes), path('journal.jsonl'), sha256),
    plan: plan?.document ?? null,
    inventory: inventory?.document ?? null,
    assessment: assessment?.document ?? null,
    digests,
    planDigest: plan === undefined ? null : planDigest(plan.document, sha256),
    missing: files.filter((file) => !digests.some((digest) => digest.file === file)),
  }
}

import { dirname, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { translators } from '../../translators/index.ts'
import { systemClock } from '../adapters/clock.ts'
import { writeDurably } from '../adapters/files.ts'
import { assess as assessInventory } from '../core/assess/assess.ts'
import type { AssessedTarget } from '../core/assess/context.ts'
import type { Assessment } from '../core/assessment.ts'
import { bundleFiles } from '../core/bundle-files.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { severities, severityRank, type Severity } from '../core/findings.ts'
import type { Inventory } from '../core/inventory.ts'
import { readConfig } from '../core/k3os/read.ts'
import { configSourcesFrom } from '../core/k3os/sources.ts'
import type { Waiver } from '../core/plan.ts'
import { githubAnnotations } from '../output/annotations.ts'
import type { NodeConfig } from '../output/audit/audit.ts'
import { jobSummary } from '../output/job-summary.ts'
import { appendSummary } from './append-summary.ts'
import { toolVersion } from '../version.ts'
import { assessmentReport, type AssessFormat } from './assess-report.ts'
import { inParallel } from './in-parallel.ts'
import type { CommandIo } from './io.ts'
import { requireDocument, type ReadDocument } from './read-document.ts'
import { readInventoryFile, readNodeBundle } from './read-inventory.ts'
import { findTranslator } from './target.ts'

export interface AssessOptions {
  readonly inventory: string
  readonly target?: readonly string[]
  readonly waivers?: string
  readonly failOn: Exclude<Severity, 'info'> | 'never'
  readonly output: AssessFormat
  readonly out?: string
  /** Further formats of the same assessment, each with its file. */
  readonly report?: readonly { readonly format: AssessFormat; readonly file: string }[]
  /** Append the headline to `$GITHUB_STEP_SUMMARY`. */
  readonly summary?: true
  readonly annotations?: 'github'
}

/** Prints what speaks against moving and which target fits. Exit 3 with inhibitors, 4 from `--fail-on` on. */
export async function assess(
  options: AssessOptions,
  io: CommandIo,
  clock: { now(): Date } = systemClock,
): Promise<ExitCode> {
  const path = resolve(io.cwd, options.inventory)
  const { document: inventory, sha256: inventorySha256 } = await readInventoryFile(path)
  const configs = await readConfigs(inventory, dirname(path))
  const waivers = options.waivers === undefined ? null : await readWaivers(resolve(io.cwd, options.waivers))
  const assessment = assessInventory({
    inventory,
    inventorySha256,
    configs,
    targets: await targetsToLookAt(options.target),
    waivers: waivers?.document ?? [],
    waiversSha256: waivers?.sha256 ?? null,
    metadata: { createdAt: clock.now().toISOString(), toolVersion },
  })
  const audit = { assessment, inventory, configs }
  const report = (format: AssessFormat, reader: { columns: number | undefined } | 'file'): string =>
    assessmentReport(audit, format, { for: reader, inventoryFile: fileFrom(io.cwd, path) })
  if (options.out === undefined) io.out(report(options.output, { columns: io.columns }))
  else await save(options.out, report(options.output, 'file'), io)
  for (const { format, file } of options.report ?? []) await save(file, report(format, 'file'), io)
  if (options.annotations === 'github') io.err(githubAnnotations(assessment.findings))
  if (options.summary === true) await appendSummary(jobSummary(assessment), io)
  return exitOf(assessment, options.failOn)
}

async function save(file: string, text: string, io: CommandIo): Promise<void> {
  await writeDurably(resolve(io.cwd, file), text, 0o644, io.signal)
  io.err(`Wrote ${file}\n`)
}

/** As a reader of the report finds it from where the command was typed; the name alone when it is elsewhere. */
function fileFrom(cwd: string, path: string): string {
  const file = relative(cwd, path).split(sep).join('/')
  return file.startsWith('../') || file.startsWith('/') ? (file.split('/').at(-1) ?? file) : file
}
function exitOf({ summary, findings }: Assessment, failOn: AssessOptions['failOn']): ExitCode {
  if (summary.inhibitors > 0) return exitCode.inhibitors
  if (failOn === 'never') return exitCode.ok
  const limit = severities.indexOf(failOn)
  const above = findings.some((f) => f.waiver === null && f.result === 'fail' && severityRank(f) <= limit)
  return above ? exitCode.findings : exitCode.ok
}

/** The targets asked for, or all there are. */
export async function targetsToLookAt(ids: readonly string[] | undefined): Promise<AssessedTarget[]> {
  const chosen = await Promise.all((ids ?? Object.keys(translators)).map(findTranslator))
  return chosen.map(({ id, title, requires }) => ({ id, title, requires }))
}

/** What k3OS makes of each node's configuration. A bundle that cannot be used leaves its node without an answer. */
export async function readConfigs(
  { nodes }: Inventory,
  folder: string,
): Promise<ReadonlyMap<string, NodeConfig>> {
  const readable = nodes.flatMap((node) => (node.status === 'read' ? [node] : []))
  const configs = await inParallel(readable, bundlesAtOnce, async (node): Promise<[string, NodeConfig]> => {
    const { name } = node
    try {
      const bundle = await readNodeBundle(folder, node)
      return [name, readConfig(await configSourcesFrom(bundleFiles(bundle)))]
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      return [name, { status: 'unread', reason: error.message, findings: [] }]
    }
  })
  return new Map(configs)
}

const bundlesAtOnce = 8

// Looser than in a plan: a waiver without reason is a finding, with the others, not a file that cannot be read.
const waiversSchema = z.union([
  z.array(
    z.strictObject({
      key: z.string(),
      reason: z.string().default(''),
      approvedBy: z.string().default(''),
      expires: z.union([z.string(), z.null()]).default(null),
    }),
  ),
  z.null().transform((): Waiver[] => []),
])

/** A YAML list of `{key, reason, approvedBy, expires}`; an empty file is an empty list. */
export async function readWaivers(path: string): Promise<ReadDocument<readonly Waiver[]>> {
  const hint = 'a waivers file is a YAML list of {key, reason, approvedBy, expires}'
  return requireDocument(path, waiversSchema, hint)
}

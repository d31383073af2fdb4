import { createHash } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { translators } from '../../translators/index.ts'
import { systemClock } from '../adapters/clock.ts'
import { readIfPresent, writeDurably } from '../adapters/files.ts'
import { assess as assessInventory } from '../core/assess/assess.ts'
import type { AssessedTarget, ConfigVerdict } from '../core/assess/context.ts'
import type { Assessment } from '../core/assessment.ts'
import { bundleFiles } from '../core/bundle-files.ts'
import { parseBundle } from '../core/bundle.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { severities, severityRank, type Severity } from '../core/findings.ts'
import type { Inventory } from '../core/inventory.ts'
import { readConfig } from '../core/k3os/read.ts'
import { configSourcesFrom } from '../core/k3os/sources.ts'
import type { Waiver } from '../core/plan.ts'
import { assessmentMarkdown, assessmentText } from '../output/assessment-text.ts'
import { json } from '../output/json.ts'
import { yaml } from '../output/yaml.ts'
import { toolVersion } from '../version.ts'
import type { CommandIo } from './io.ts'
import { requireDocument, type ReadDocument } from './read-document.ts'
import { readInventory } from './read-inventory.ts'
import { findTranslator } from './target.ts'

export interface AssessOptions {
  readonly inventory: string
  readonly target?: readonly string[]
  readonly waivers?: string
  readonly failOn: Exclude<Severity, 'info'> | 'never'
  readonly output: 'table' | 'json' | 'markdown' | 'yaml'
  readonly out?: string
}

/** Prints what speaks against moving and which target fits. Exit 3 with inhibitors, 4 from `--fail-on` on. */
export async function assess(options: AssessOptions, io: CommandIo): Promise<ExitCode> {
  const path = resolve(io.cwd, options.inventory)
  const inventory = await readInventory(path)
  const assessment = assessInventory({
    inventory,
    inventorySha256: sha256((await readIfPresent(path)) ?? ''),
    configs: await readConfigs(inventory, dirname(path)),
    targets: await targetsToLookAt(options.target),
    waivers:
      options.waivers === undefined ? [] : (await readWaivers(resolve(io.cwd, options.waivers))).document,
    metadata: { createdAt: systemClock.now().toISOString(), toolVersion },
  })
  const text = print(assessment, options.output, options.out === undefined ? io.columns : undefined)
  if (options.out === undefined) {
    io.out(text)
  } else {
    await writeDurably(resolve(io.cwd, options.out), text, 0o644, io.signal)
    io.err(`Wrote ${options.out}\n`)
  }
  return exitOf(assessment, options.failOn)
}

function print(assessment: Assessment, output: AssessOptions['output'], columns: number | undefined): string {
  switch (output) {
    case 'table':
      return assessmentText(assessment, columns === undefined ? {} : { width: columns })
    case 'json':
      return json(assessment)
    case 'yaml':
      return yaml(assessment)
    case 'markdown':
      return assessmentMarkdown(assessment)
  }
}

function exitOf({ summary, findings }: Assessment, failOn: AssessOptions['failOn']): ExitCode {
  if (summary.inhibitors > 0) return exitCode.inhibitors
  if (failOn === 'never') return exitCode.ok
  const limit = severities.indexOf(failOn)
  const above = findings.some((f) => f.waiver === null && f.result === 'fail' && severityRank(f) <= limit)
  return above ? exitCode.findings : exitCode.ok
}

async function targetsToLookAt(ids: readonly string[] | undefined): Promise<AssessedTarget[]> {
  const chosen = await Promise.all((ids ?? Object.keys(translators)).map(findTranslator))
  return chosen.map(({ id, title, requires }) => ({ id, title, requires }))
}

/** What k3OS makes of each node's configuration. A bundle that cannot be used leaves its node without an answer. */
export async function readConfigs(
  { nodes }: Inventory,
  folder: string,
): Promise<ReadonlyMap<string, ConfigVerdict>> {
  const verdicts = new Map<string, ConfigVerdict>()
  for (const node of nodes) {
    if (node.status === 'error') continue
    try {
      verdicts.set(node.name, await readNodeConfig(resolve(folder, node.bundle.file), node.bundle.sha256))
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      verdicts.set(node.name, { status: 'unread', reason: error.message, findings: [] })
    }
  }
  return verdicts
}

async function readNodeConfig(path: string, expectedSha256: string): Promise<ConfigVerdict> {
  const bytes = await readIfPresent(path)
  if (bytes === undefined) return { status: 'unread', reason: `there is no bundle ${path}`, findings: [] }
  if (sha256(bytes) !== expectedSha256) {
    const reason = `the bundle ${path} is not the one the inventory was made from`
    return { status: 'unread', reason, findings: [] }
  }
  return readConfig(await configSourcesFrom(bundleFiles(parseBundle(bytes, path))))
}

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

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

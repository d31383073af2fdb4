import { dirname, resolve } from 'node:path'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { explainNode } from '../core/explain-node.ts'
import type { ClusterFacts } from '../core/inventory.ts'
import { diffPlans } from '../core/plan-diff.ts'
import type { Plan } from '../core/plan.ts'
import { explainText } from '../output/explain-text.ts'
import { json } from '../output/json.ts'
import { planText } from '../output/plan-text.ts'
import { table } from '../output/table.ts'
import { yaml } from '../core/yaml-text.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'
import { readInventoryFile } from './read-inventory.ts'

type Format = 'table' | 'json' | 'yaml'

export interface PlanShowOptions {
  readonly file: string
  /** Name of a node: what happens to it, pod by pod. */
  readonly explain?: string
  readonly output: Format
}

export async function planShow(options: PlanShowOptions, io: CommandIo): Promise<ExitCode> {
  const file = resolve(io.cwd, options.file)
  const plan = await readPlan(file)
  if (options.explain === undefined) printPlan(plan, options.output, io)
  else {
    const explained = explainNode(plan, options.explain, await plannedCluster(plan, file))
    print(explained, options.output, io, () => explainText(explained, io.columns ?? 120))
  }
  return exitCode.ok
}

export function printPlan(made: Plan, output: Format, io: CommandIo): void {
  print(made, output, io, () => planText(made, io.columns ?? 120))
}

export interface PlanDiffOptions {
  readonly before: string
  readonly after: string
  readonly output: Format
}

/** Says what differs; equal plans are one line. Exit 0 in both cases: it answers a question. */
export async function planDiff(options: PlanDiffOptions, io: CommandIo): Promise<ExitCode> {
  const [before, after] = [
    await readPlan(resolve(io.cwd, options.before)),
    await readPlan(resolve(io.cwd, options.after)),
  ]
  const changes = diffPlans(before, after)
  const document = { before: before.digest, after: after.digest, changes }
  print(document, options.output, io, () => {
    if (before.digest === after.digest) return 'the plans are the same\n'
    const rows = changes.map(({ node, what, before: was, after: is }) => [
      node ?? '(all)',
      what,
      short(was),
      short(is),
    ])
    return table(['NODE', 'WHAT', 'BEFORE', 'AFTER'], rows, { width: io.columns ?? 120 })
  })
  return exitCode.ok
}

/** Two digests differ; which one is which is of no use to a person. */
function short(value: string | null): string {
  if (value === null || value === '') return '-'
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : value
}

function print(document: unknown, output: Format, io: CommandIo, text: () => string): void {
  if (output === 'json') io.out(json(document))
  else if (output === 'yaml') io.out(yaml(document))
  else io.out(text())
}

/** The cluster as the plan was made from it. */
export async function plannedCluster(plan: Plan, planFile: string): Promise<ClusterFacts> {
  const file = resolve(dirname(planFile), plan.inventory.file)
  const { document, sha256 } = await readInventoryFile(file)
  if (sha256 !== plan.inventory.sha256 || document.cluster?.status !== 'read')
    throw new MigrateError('the inventory is not the one the plan was made from', {
      exitCode: exitCode.stalePlan,
      position: { file },
      hint: 'make the plan again: k3os-migrate plan',
    })
  return document.cluster.facts
}

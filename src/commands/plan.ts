import { createHash } from 'node:crypto'
import { dirname, join, relative, resolve } from 'node:path'
import { systemClock } from '../adapters/clock.ts'
import { writeDurably } from '../adapters/files.ts'
import { templateTools } from '../adapters/templates.ts'
import { assess } from '../core/assess/assess.ts'
import type { Assessment } from '../core/assessment.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { inventorySchema } from '../core/inventory.ts'
import { makePlan, settledBy, type PlanChoices } from '../core/make-plan.ts'
import type { Plan } from '../core/plan.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
import { json } from '../output/json.ts'
import { mark } from '../output/style.ts'
import { table } from '../output/table.ts'
import { yaml } from '../output/yaml.ts'
import { toolVersion } from '../version.ts'
import { readWaivers } from './assess.ts'
import type { CommandIo } from './io.ts'
import { readPlan, translationDigest } from './plan-inputs.ts'
import { requireDocument } from './read-document.ts'
import { findTranslator } from './target.ts'
import { nodesOfInventory } from './translate-inventory.ts'

export interface PlanOptions {
  readonly inventory: string
  readonly target: string
  /** The user's program and its arguments. */
  readonly hook?: readonly string[]
  readonly keepsData?: boolean
  readonly node?: readonly string[]
  readonly exclude?: readonly string[]
  readonly deleteEmptydirData?: boolean
  readonly abandonPod?: readonly string[]
  readonly waivers?: string
  readonly user: string
  readonly maxAge: number
  readonly out: string
  readonly output: 'table' | 'json' | 'yaml'
}

/** Writes the plan beside nothing else: it is data that can be shown, compared and refused. */
export async function plan(options: PlanOptions, io: CommandIo, clock = systemClock): Promise<ExitCode> {
  const [program, ...rest] = options.hook ?? []
  if (program === undefined) {
    throw new MigrateError('a plan needs the program that rebuilds a machine', {
      exitCode: exitCode.usage,
      hint: 'k3os-migrate plan --hook ./rebuild.sh   (what it gets and must do: docs/hooks.md)',
    })
  }
  const inventoryFile = resolve(io.cwd, options.inventory)
  const { document: inventory, sha256 } = await requireDocument(inventoryFile, inventorySchema, 'k3os-migrate inventory')
  const choices: PlanChoices = {
    target: options.target,
    // A path is relative to where the user stands now, not to where the plan is applied.
    argv: [program.includes('/') ? resolve(io.cwd, program) : program, ...rest],
    keepsData: options.keepsData === true,
    deleteEmptyDir: options.deleteEmptydirData === true,
    abandonPods: options.abandonPod ?? [],
    waivers: options.waivers === undefined ? [] : await readWaivers(resolve(io.cwd, options.waivers)),
    only: options.node ?? null,
    exclude: options.exclude ?? [],
    user: options.user,
    maxAgeHours: options.maxAge,
  }
  const translator = await findTranslator(options.target)
  const tools = templateTools()
  const { nodes } = await nodesOfInventory(inventoryFile, undefined)
  const translations = new Map(
    nodes.map((node) => [node.name, translationDigest(translateNode(node, translator, tools).files)]),
  )
  const metadata = { createdAt: clock.now().toISOString(), toolVersion }
  const { id, title, requires } = translator
  const assessment: Assessment = assess({
    inventory,
    inventorySha256: sha256,
    configs: new Map(nodes.map((node) => [node.name, node.reading])),
    targets: [{ id, title, requires }],
    waivers: choices.waivers,
    settled: settledBy(inventory, choices),
    metadata,
  })
  const out = resolve(io.cwd, options.out)
  const made = makePlan({
    inventory,
    inventoryFile: relative(dirname(out), inventoryFile),
    inventorySha256: sha256,
    assessment,
    choices,
    translations,
    metadata,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
  })
  await writeDurably(out, json(made), 0o644)
  await writeDurably(join(dirname(inventoryFile), 'assessment.json'), json(assessment), 0o644)
  print(made, options.output, io)
  warnAboutSkipped(made, nodes, io)
  io.err(`wrote ${options.out}\nnext: k3os-migrate apply ${options.out} --dry-run\n`)
  return exitCode.ok
}

export interface PlanShowOptions {
  readonly file: string
  readonly output: 'table' | 'json' | 'yaml'
}

export async function planShow(options: PlanShowOptions, io: CommandIo): Promise<ExitCode> {
  print(await readPlan(resolve(io.cwd, options.file)), options.output, io)
  return exitCode.ok
}

function print(made: Plan, output: PlanOptions['output'], io: CommandIo): void {
  if (output === 'json') return io.out(json(made))
  if (output === 'yaml') return io.out(yaml(made))
  const rows = made.nodes.map(({ name, role, address, keptData, why }, place) => [
    String(place + 1),
    { text: name, role: 'name' as const },
    role,
    address.host,
    String(keptData.length),
    why,
  ])
  io.out(table(['#', 'NODE', 'ROLE', 'HOST', 'KEPT DATA', 'WHY HERE'], rows, { width: io.columns ?? 120 }))
  io.out(`\nto       ${made.target}, by ${made.method.argv.join(' ')}${made.method.keepsData ? ' (keeps the data)' : ''}\n`)
  io.out(`cluster  ${made.cluster.server}, ${made.cluster.version}\n`)
  io.out(`waivers  ${made.waivers.length === 0 ? 'none' : made.waivers.map(({ key }) => key).join(', ')}\n`)
  io.out(`digest   ${made.digest}\n`)
  io.out(mark('dim', 'from the step "reimage" on a node can only go forward; before it everything is undone on failure'))
  io.out('\n')
}

function warnAboutSkipped(made: Plan, nodes: readonly NodeToTranslate[], io: CommandIo): void {
  const planned = new Set(made.nodes.map(({ name }) => name))
  const left = nodes.map((node) => node.nodeObject?.name ?? node.name).filter((name) => !planned.has(name))
  if (left.length > 0) io.err(`not in this plan: ${left.join(', ')}\n`)
}

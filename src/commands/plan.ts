import { dirname, join, relative, resolve } from 'node:path'
import { systemClock } from '../adapters/clock.ts'
import { sha256 as hash, writeDurably } from '../adapters/files.ts'
import { templateTools } from '../adapters/templates.ts'
import { assess } from '../core/assess/assess.ts'
import type { Assessment } from '../core/assessment.ts'
import { parseDuration } from '../core/duration.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { makePlan, settledBy, type PlanChoices, type Rebuild } from '../core/make-plan.ts'
import { configDigests } from '../core/plan-fingerprint.ts'
import { stepIds, type Plan } from '../core/plan.ts'
import { isStepId } from '../core/run-state.ts'
import { offsetAt } from '../core/time-zone.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
import type { Translator } from '../core/translation.ts'
import { parseWindow } from '../core/windows.ts'
import { json } from '../output/json.ts'
import { toolVersion } from '../version.ts'
import { readWaivers } from './assess.ts'
import type { CommandIo } from './io.ts'
import { translationDigest } from './plan-inputs.ts'
import { printPlan } from './plan-show.ts'
import { readInventoryFile } from './read-inventory.ts'
import { findBeside, findTranslator } from './target.ts'
import { nodesOfInventory } from './translate-inventory.ts'

export interface PlanOptions {
  readonly inventory: string
  readonly target: string
  /** The user's program and its arguments. */
  readonly hook?: readonly string[]
  /** `by-hand`: no program; the user does it, and the run waits. */
  readonly byHand?: boolean
  /** Beside k3OS on the same disk, on trial. */
  readonly inPlace?: boolean
  /** Archive of the system for it. */
  readonly rootTree?: string
  /** ms after which a system on trial goes back by itself. */
  readonly trialDeadline?: number
  readonly keepsData?: boolean
  readonly node?: readonly string[]
  readonly exclude?: readonly string[]
  readonly deleteEmptydirData?: boolean
  readonly abandonPod?: readonly string[]
  readonly drainMode?: Plan['policy']['drainMode']
  readonly onDrainFailure?: Plan['policy']['onDrainFailure']
  /** `--no-pause`: other controllers go on working. */
  readonly pause?: boolean
  readonly waivers?: string
  readonly user: string
  readonly maxAge: number
  readonly last?: readonly string[]
  /** `Mon-Fri 22:00-05:00 Europe/Berlin` */
  readonly window?: readonly string[]
  /** ms for nodes after the canary; false = nobody is watched. */
  readonly soak?: number | false
  readonly canarySoak?: number
  /** `reimage=20m` */
  readonly stepTimeout?: readonly string[]
  readonly out: string
  readonly output: 'table' | 'json' | 'yaml'
}

/** Of the ways to rebuild exactly one, with what it needs; exit 64 otherwise. */
async function rebuiltBy(
  { hook, byHand, inPlace, rootTree, trialDeadline }: PlanOptions,
  io: CommandIo,
): Promise<Rebuild> {
  const { cwd, signal } = io
  const [program, ...rest] = hook ?? []
  const ways = [
    program === undefined ? null : '--hook',
    byHand === true ? '--by-hand' : null,
    inPlace === true ? '--in-place' : null,
  ]
  const asked = ways.filter((way) => way !== null)
  const usage = (message: string, hint = 'k3os-migrate plan --help'): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.usage, hint })
  if (asked.length > 1) throw usage(`${asked.join(' and ')} exclude each other`)
  if (inPlace !== true && (rootTree ?? trialDeadline) !== undefined)
    throw usage('--root-tree and --trial-deadline are for --in-place')
  if (byHand === true) return { kind: 'manual' }
  // A path is relative to where the user stands now, not to where the plan is applied.
  if (program !== undefined)
    return { kind: 'command', argv: [program.includes('/') ? resolve(cwd, program) : program, ...rest] }
  if (inPlace !== true)
    throw usage(
      'a plan needs the program that rebuilds a machine',
      'k3os-migrate plan --hook ./rebuild.sh   (what it gets and must do: docs/hooks.md), or --in-place, or --by-hand',
    )
  if (rootTree === undefined)
    throw usage(
      '--in-place needs the system that is put beside k3OS',
      'k3os-migrate image build --target debian --out tree; then: k3os-migrate plan --in-place --root-tree tree/ID.tar.zst',
    )
  const { describeTree } = await import('../adapters/image/root-trees.ts')
  io.err(`reading ${rootTree}\n`)
  const tree = await describeTree(resolve(cwd, rootTree), signal)
  return { kind: 'in-place', tree, deadlineSeconds: Math.ceil((trialDeadline ?? trialDefaultMs) / 1000) }
}

/** Long enough for a slow machine to start, for its data to be compared, and for its node to be Ready. */
const trialDefaultMs = 30 * 60_000

/** A plan moves nodes one by one to something that exists, where each finds its cluster again: exit 64 otherwise. */
async function findRejoining({ target, inventory, inPlace }: PlanOptions): Promise<Translator> {
  const translator = inPlace === true ? await findBeside(target) : await findTranslator(target)
  if (translator.requires.image === 'none yet')
    throw new MigrateError(`${translator.title} does not exist yet: no node can move to it`, {
      exitCode: exitCode.usage,
      hint: `k3os-migrate translate --inventory ${inventory} --target ${target}   (its configuration can be looked at)`,
    })
  if (translator.requires.rejoins) return translator
  throw new MigrateError(`${translator.title} grows a new cluster: nodes cannot move to it one by one`, {
    exitCode: exitCode.usage,
    hint: `k3os-migrate translate --inventory ${inventory} --target ${target}   (with what it writes is how to move)`,
  })
}

/** Writes the plan beside nothing else: it is data that can be shown, compared and refused. */
export async function plan(options: PlanOptions, io: CommandIo, clock = systemClock): Promise<ExitCode> {
  const translator = await findRejoining(options)
  const rebuild = await rebuiltBy(options, io)
  const inventoryFile = resolve(io.cwd, options.inventory)
  const { document: inventory, sha256 } = await readInventoryFile(inventoryFile)
  const waivers = options.waivers === undefined ? null : await readWaivers(resolve(io.cwd, options.waivers))
  const choices: PlanChoices = {
    target: options.target,
    rebuild,
    keepsData: options.keepsData === true || rebuild.kind === 'in-place',
    deleteEmptyDir: options.deleteEmptydirData === true,
    abandonPods: options.abandonPod ?? [],
    ...(options.drainMode === undefined ? {} : { drainMode: options.drainMode }),
    ...(options.onDrainFailure === undefined ? {} : { onDrainFailure: options.onDrainFailure }),
    pauses: options.pause !== false,
    waivers: waivers?.document ?? [],
    only: options.node ?? null,
    exclude: options.exclude ?? [],
    user: options.user,
    maxAgeHours: options.maxAge,
    last: options.last ?? [],
    windows: (options.window ?? []).map((text) => parseWindow(text, offsetAt)),
    soak: options.soak === false ? null : soakTimes(options),
    timeouts: stepTimeouts(options.stepTimeout ?? []),
  }
  const tools = templateTools()
  const nodes: NodeToTranslate[] = []
  for await (const node of (await nodesOfInventory(inventoryFile, undefined)).nodes) nodes.push(node)
  const digests = new Map(
    nodes.map((node) => [
      node.name,
      {
        translation: translationDigest(translateNode(node, translator, tools).files),
        config: node.bundle === null ? {} : configDigests(node.bundle, hash),
      },
    ]),
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
    digests,
    waiversSha256: waivers?.sha256 ?? null,
    metadata,
    sha256: hash,
  })
  await writeDurably(out, json(made), 0o644)
  await writeDurably(join(dirname(inventoryFile), 'assessment.json'), json(assessment), 0o644)
  printPlan(made, options.output, io)
  warnAboutSkipped(made, nodes, io)
  io.err(`wrote ${options.out}\nnext: k3os-migrate apply ${options.out} --dry-run\n`)
  return exitCode.ok
}

function warnAboutSkipped(made: Plan, nodes: readonly NodeToTranslate[], io: CommandIo): void {
  const planned = new Set(made.nodes.map(({ name }) => name))
  const left = nodes.map((node) => node.nodeObject?.name ?? node.name).filter((name) => !planned.has(name))
  if (left.length > 0) io.err(`not in this plan: ${left.join(', ')}\n`)
}

function soakTimes({ soak, canarySoak }: PlanOptions): NonNullable<PlanChoices['soak']> {
  return {
    ...(typeof soak === 'number' ? { agentMs: soak, serverMs: soak, canaryMs: soak } : {}),
    ...(canarySoak === undefined ? {} : { canaryMs: canarySoak }),
  }
}

/** `reimage=20m` for some steps. */
function stepTimeouts(texts: readonly string[]): NonNullable<PlanChoices['timeouts']> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, step = '', time = ''] = /^([a-z]+)=(\S+)$/.exec(text) ?? []
      if (isStepId(step)) return [step, parseDuration(time)]
      throw new MigrateError(`${JSON.stringify(text)} is not STEP=DURATION`, {
        exitCode: exitCode.usage,
        hint: `for example: --step-timeout reimage=20m; the steps are ${stepIds.join(', ')}`,
      })
    }),
  )
}

import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { sha256, writeDurably } from '../adapters/files.ts'
import { systemClock } from '../adapters/clock.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import type { JournalRecord } from '../core/journal.ts'
import { nextStartMs } from '../core/plan-window.ts'
import type { Plan } from '../core/plan.ts'
import { rehearsedNodes, type Rehearsal } from '../core/rehearsal.ts'
import { nodeState, replay } from '../core/run-state.ts'
import { offsetAt } from '../core/time-zone.ts'
import type { NodeToTranslate } from '../core/translate-node.ts'
import type { Kube, RunFiles } from '../migrate/ports.ts'
import { run, type Run, type RunResult } from '../migrate/runner.ts'
import { json } from '../output/json.ts'
import { rehearsalHtml } from '../output/rehearsal-html.ts'
import { rehearsalText } from '../output/rehearsal-text.ts'
import { parseFault, withFaults } from '../simulation/faults.ts'
import { inventorySource } from '../simulation/inventory-source.ts'
import { withPerson } from '../simulation/by-hand.ts'
import { simulatedTrees } from '../simulation/in-place.ts'
import { simulatedKube } from '../simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../simulation/machines.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { pace, World } from '../simulation/world.ts'
import type { CommandIo } from './io.ts'
import { readNodes, readPlan, renderer, scrubber } from './plan-inputs.ts'
import { plannedCluster } from './plan-show.ts'
import { recordEvictions } from './rehearse-evictions.ts'

export interface RehearseOptions {
  readonly plan: string
  readonly fault?: readonly string[]
  /** When it would be begun; now when left out. */
  readonly at?: string
  /** ms from the end of the hook until the new system answers. */
  readonly rebuild?: number
  readonly out?: string
  readonly output: 'table' | 'json'
}

/**
 * Carries a plan out in a simulation that is filled from the plan's own inventory: same runner, same steps, a clock that
 * jumps. Nothing is asked over the network, and nothing is written but `--out`. Exits as `apply` would.
 */
export async function rehearse(
  options: RehearseOptions,
  io: CommandIo,
  clock = systemClock,
): Promise<ExitCode> {
  const file = resolve(io.cwd, options.plan)
  const plan = await readPlan(file)
  const nodes = await readNodes(plan, resolve(dirname(file), plan.inventory.file))
  const source = inventorySource(await plannedCluster(plan, file), machinesOf(plan, nodes))
  const start = options.at === undefined ? clock.now() : startTime(options.at)
  const world = new World(source, new VirtualClock(start), {
    ...pace,
    reimage: options.rebuild === undefined ? pace.reimage : options.rebuild / 1000,
  })
  const faults = (options.fault ?? []).map(parseFault)
  const { files, raw } = memoryFiles()
  const simulated = simulatedKube(world)
  const ports = withFaults(
    {
      kube: simulated as Kube,
      reader: simulated,
      host: simulatedHost(world),
      hook: simulatedHook(world, async (path) => raw(path) ?? ''),
      trees: simulatedTrees(plan.method.kind === 'in-place' ? plan.method.tree.sha256 : ''),
      clock: world.clock,
      files,
    },
    world,
    faults,
  )
  const evictions = recordEvictions(ports.kube, world)
  const scrub = await scrubber(nodes)
  const rehearsed = await carryOut(
    {
      plan,
      runId: 'rehearsal',
      ports: { ...ports, kube: evictions.kube, files: withPerson(files, ports.hook) },
      translate: await renderer(plan, nodes),
      onEvent: evictions.hear,
      approve: async () => undefined,
      scrub,
      stop: io.signal,
    },
    world,
  )
  const { exit, error } = rehearsed.result
  const document: Rehearsal = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Rehearsal',
    planDigest: plan.digest,
    target: plan.target,
    startsAt: start.toISOString(),
    tookMs: world.clock.monotonicMs(),
    faults: [...(options.fault ?? [])],
    exit,
    reason: error === null ? null : scrub(error.message),
    nodes: rehearsedNodes(plan, rehearsed.result.records, 0),
    held: evictions.held(),
    pauses: rehearsed.pauses,
    evictions: evictions.accepted(),
    placements: [...world.moves.values()].reduce((sum, count) => sum + count, 0),
  }
  io.out(options.output === 'json' ? json(document) : rehearsalText(document, io.columns ?? 120))
  if (options.out !== undefined) {
    await writeDurably(resolve(io.cwd, options.out), rehearsalHtml(document), 0o644)
    io.err(`wrote ${options.out}\n`)
  }
  io.err('this was a simulation: no cluster was asked, no machine was touched\n')
  return exit
}

interface Rehearsed {
  readonly result: RunResult
  readonly pauses: Rehearsal['pauses']
}

/** As a patient operator: where only a maintenance window is in the way, waits for the next one and goes on. */
async function carryOut(job: Omit<Run, 'sink' | 'records'>, world: World): Promise<Rehearsed> {
  const { plan } = job
  const pauses: { atMs: number; untilMs: number; why: string }[] = []
  let records: readonly JournalRecord[] = []
  for (;;) {
    const result = await run({ ...job, records, sink: { append: async () => {} } })
    records = result.records
    const states = replay(records)
    const next = plan.nodes.find(({ name }) => nodeState(states, name).phase !== 'done')
    if (result.exit !== exitCode.blocked || next === undefined) return { result, pauses }
    const nowMs = world.clock.now().getTime()
    const opensMs = nextStartMs(plan, next, nowMs, offsetAt)
    if (opensMs === null || opensMs === nowMs) return { result, pauses }
    const atMs = world.clock.monotonicMs()
    await world.clock.sleep(opensMs - nowMs, job.stop)
    pauses.push({ atMs, untilMs: world.clock.monotonicMs(), why: result.error?.message ?? '' })
  }
}

function machinesOf(plan: Plan, nodes: ReadonlyMap<string, NodeToTranslate>) {
  return plan.nodes.flatMap(({ name, role }) => {
    const bundle = nodes.get(name)?.bundle
    return bundle === undefined || bundle === null ? [] : [{ name, role, bundle }]
  })
}

function startTime(text: string): Date {
  const time = new Date(text)
  if (Number.isFinite(time.getTime()) && /^\d{4}-\d{2}-\d{2}/.test(text)) return time
  throw new MigrateError(`${JSON.stringify(text)} is not a time`, {
    exitCode: exitCode.usage,
    hint: 'write it as 2026-11-28T22:00:00Z',
  })
}

/** Files of a run that are nowhere but here: rendered configurations hold secrets. */
function memoryFiles(): {
  readonly files: RunFiles
  /** As it was written. */
  readonly raw: (path: string) => string | Uint8Array | undefined
} {
  const directory = '/rehearsal'
  const files = new Map<string, string | Uint8Array>()
  const inside = (path: string) => path.replace(`${directory}/`, '')
  const raw = (path: string) => files.get(inside(path))
  const runFiles: RunFiles = {
    directory,
    write: async (path, content) => {
      files.set(inside(path), content)
    },
    read: async (path) => {
      const content = files.get(inside(path))
      return content instanceof Uint8Array ? new TextDecoder().decode(content) : content
    },
    digest: async (path) => {
      const content = files.get(inside(path))
      return content === undefined ? undefined : sha256(content)
    },
    remove: async (path) => {
      for (const name of files.keys())
        if (name === inside(path) || name.startsWith(`${inside(path)}/`)) files.delete(name)
    },
    sha256,
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
  }
  return { files: runFiles, raw }
}

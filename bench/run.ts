/**
 * Measures the built tool: a table on stderr, the same as JSON on stdout.
 *   npm run bench [-- --pairs N]
 * Never a test: a missed aim is printed, not failed, because the machine may be busy with other things.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { table } from '../src/output/table.ts'
import { rows, type FleetRow, type ProcessRow, type WorkRow } from './rows.ts'

const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url))
if (!existsSync(cli)) throw new Error('nothing is built yet: npm run bench')

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '15' } } })
const pairs = Number(values.pairs)
if (!Number.isInteger(pairs) || pairs < 10) throw new Error('--pairs must be 10 or more')

interface Result {
  readonly name: string
  readonly medianMs: number
  readonly bareNodeMs: number | null
  readonly ratio: number | null
  readonly aim: number | null
  readonly perUnitMs: number | null
  /** Peak of the resident memory; for fleets only. */
  readonly peakMib?: number
  readonly says?: string
}

/** Fewer turns than the others take: one is as long as all of theirs. */
const fleetTurns = 3
/** Tells on stderr, behind everything the tool says. */
const peakHook = `data:text/javascript,${encodeURIComponent(
  `process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS + ' ' + process.cpuUsage().user))`,
)}`

const scratch = mkdtempSync(join(tmpdir(), 'k3os-migrate-bench-'))
try {
  const results: Result[] = []
  for (const row of rows(scratch)) results.push(await measure(row))
  const cells = results.map(({ name, medianMs, ratio, aim, perUnitMs, says }) => [
    name,
    medianMs.toFixed(1),
    ratio === null ? '' : `${ratio.toFixed(2)}x`,
    aim === null ? '' : `${aim}x`,
    says ??
      (ratio === null || aim === null
        ? `${perUnitMs?.toFixed(3)} ms for each`
        : ratio <= aim
          ? 'met'
          : 'MISSED'),
  ])
  process.stderr.write(
    table(['WHAT', 'MEDIAN MS', 'OF NODE', 'AIM', ''], cells, { right: ['MEDIAN MS', 'OF NODE', 'AIM'] }),
  )
  const document = { node: process.version, arch: process.arch, pairs, results }
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function measure(row: ProcessRow | WorkRow | FleetRow): Promise<Result> {
  switch (row.kind) {
    case 'process':
      return measureProcess(row)
    case 'work':
      return measureWork(row)
    case 'fleet':
      return measureFleet(row)
  }
}

/** A B A B …, so that whatever else the machine does falls on both alike. */
function measureProcess({ name, argv, exit, aim }: ProcessRow): Result {
  const bare: number[] = []
  const ours: number[] = []
  startNode([cli, ...argv], exit)
  for (let pair = 0; pair < pairs; pair += 1) {
    bare.push(timeMs(() => startNode(['-e', '0'], 0)))
    ours.push(timeMs(() => startNode([cli, ...argv], exit)))
  }
  const medianMs = median(ours)
  const bareNodeMs = median(bare)
  return { name, medianMs, bareNodeMs, ratio: medianMs / bareNodeMs, aim, perUnitMs: null }
}

function startNode(args: readonly string[], exit: number): void {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: scratch, encoding: 'utf8' })
  if (status !== exit) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
}

async function measureWork({ name, units, run }: WorkRow): Promise<Result> {
  await run()
  const turns: number[] = []
  for (let turn = 0; turn < pairs; turn += 1) {
    const start = performance.now()
    await run()
    turns.push(performance.now() - start)
  }
  const medianMs = median(turns)
  return { name, medianMs, bareNodeMs: null, ratio: null, aim: null, perUnitMs: medianMs / units }
}

function measureFleet({ name, argv, exit, aim, prepare }: FleetRow): Result {
  const folder = mkdtempSync(join(scratch, 'fleet-'))
  prepare(folder)
  const turns = Array.from({ length: fleetTurns }, () => {
    const started = performance.now()
    const run = spawnSync(process.execPath, ['--import', peakHook, cli, ...argv], {
      cwd: folder,
      encoding: 'utf8',
    })
    const ms = performance.now() - started
    const [, peak, cpu] = /\npeak (\d+) (\d+)$/.exec(run.stderr) ?? []
    if (run.status !== exit || peak === undefined)
      throw new Error(`${name} ended with ${run.status}: ${run.stderr}`)
    return { ms, mib: Number(peak) / 1024, cpuSeconds: Number(cpu) / 1e6 }
  })
  const medianMs = median(turns.map(({ ms }) => ms))
  const peakMib = Math.max(...turns.map(({ mib }) => mib))
  const met = medianMs <= aim.seconds * 1000 && peakMib <= aim.mib
  const cpu = median(turns.map(({ cpuSeconds }) => cpuSeconds))
  const says = `${cpu.toFixed(1)} s of CPU, ${peakMib.toFixed(0)} MiB at most; aim ${aim.seconds} s and ${aim.mib} MiB: ${met ? 'met' : 'MISSED'}`
  return { name, medianMs, bareNodeMs: null, ratio: null, aim: null, perUnitMs: null, peakMib, says }
}

function timeMs(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
}

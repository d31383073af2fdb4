import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { JournalRecord } from '../../src/core/journal.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { SpineLab } from './spine-lab.ts'

const cliFile = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

export interface CliResult {
  /** null when it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  /** Of the tool itself, not of what it started. */
  kill(signal: NodeJS.Signals): void
  readonly result: Promise<CliResult>
}

/** A person with a folder of their own, who types commands there; nobody sits at a terminal. */
export interface Desk {
  readonly folder: string
  /** `--state-dir DIR`. */
  readonly stateDir: readonly string[]
  start(...args: readonly string[]): RunningCli
  run(...args: readonly string[]): Promise<CliResult>
  runWithClosedInput(...args: readonly string[]): Promise<CliResult>
  /** `apply`, with the approval of the plan as it is in the file. */
  apply(plan: string, ...args: readonly string[]): RunningCli
  resume(plan: string, ...args: readonly string[]): RunningCli
  /** The directory of the newest run of this desk; undefined before there is one. */
  runDirectory(): string | undefined
  journal(): JournalRecord[]
  /** Everything that was printed so far, by all commands. */
  readonly said: string[]
}

/** `at` shares the folder of another desk; its runs are kept apart all the same. */
export function sitDown(lab: SpineLab, at?: Desk): Desk {
  const folder = at?.folder ?? mkdtempSync(join(lab.home, 'desk-'))
  const state = mkdtempSync(join(folder, 'state-'))
  const said: string[] = []
  const launch = (program: string, args: readonly string[]): RunningCli => {
    const child = spawn(program, args, {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: lab.home,
        TMPDIR: lab.home,
        KUBECONFIG: lab.cluster.kubeconfig,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { kill: (signal) => child.kill(signal), result: collect(child, said) }
  }
  const start = (...args: readonly string[]): RunningCli => launch(process.execPath, [cliFile, ...args])
  const stateDir = ['--state-dir', state]
  const runDirectory = (): string | undefined => {
    const runs = join(state, 'runs')
    try {
      const newest = readdirSync(runs).toSorted().at(-1)
      return newest === undefined ? undefined : join(runs, newest)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }
  const approval = (plan: string) => ['--approve-plan', readPlanFile(join(folder, plan)).digest]
  return {
    folder,
    stateDir,
    said,
    start,
    run: async (...args) => start(...args).result,
    runWithClosedInput: async (...args) =>
      launch('sh', ['-c', 'exec "$0" "$@" <&-', process.execPath, cliFile, ...args]).result,
    apply: (plan, ...args) => start('apply', plan, ...approval(plan), ...stateDir, ...args),
    resume: (plan, ...args) => start('resume', ...approval(plan), ...stateDir, ...args),
    runDirectory,
    journal() {
      const directory = runDirectory()
      return directory === undefined ? [] : readJournal(join(directory, 'journal.jsonl'))
    },
  }
}

async function collect(child: ReturnType<typeof spawn>, said: string[]): Promise<CliResult> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  const [code] = (await once(child, 'close')) as [number | null]
  said.push(output.stdout, output.stderr)
  return { code, ...output }
}

export function readPlanFile(file: string): Plan {
  return JSON.parse(readFileSync(file, 'utf8')) as Plan
}

/** Complete lines only: the last one may be on its way. */
function readJournal(file: string): JournalRecord[] {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  return content
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JournalRecord)
}

/**
 * Kills the tool, as the kernel would when memory runs out, as soon as its journal has such a record, or a moment later
 * when it does something that lasts.
 */
export async function killAt(
  desk: Desk,
  running: RunningCli,
  isIt: (record: JournalRecord) => boolean,
  laterMs = 0,
): Promise<CliResult> {
  let ended = false
  const end = running.result.finally(() => {
    ended = true
  })
  while (!desk.journal().some(isIt)) {
    if (ended) throw new Error(`it ended before it could be killed: ${(await end).stderr}`)
    await sleep(5)
  }
  await sleep(laterMs)
  running.kill('SIGKILL')
  return end
}

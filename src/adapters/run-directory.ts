import { constants } from 'node:fs'
import { mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { JournalReading } from '../core/journal.ts'
import { parseJournal } from '../core/journal.ts'
import type { JournalSink } from '../migrate/ports.ts'
import { diskError, runFiles, systemCode } from './files.ts'

/** `$XDG_STATE_HOME/k3os-migrate`, where runs are kept; `--state-dir` and `K3OS_MIGRATE_STATE_DIR` come first. */
export function stateDirectory(env: Readonly<Record<string, string | undefined>>, flag?: string): string {
  const named = flag ?? env['K3OS_MIGRATE_STATE_DIR']
  if (named !== undefined && named !== '') return named
  const base = env['XDG_STATE_HOME'] || (env['HOME'] ? join(env['HOME'], '.local/state') : undefined)
  if (base !== undefined) return join(base, 'k3os-migrate')
  throw new MigrateError('neither XDG_STATE_HOME nor HOME says where runs are kept', {
    exitCode: exitCode.usage,
    hint: 'name a directory: --state-dir DIR',
  })
}

/** UUID version 7 (RFC 9562): sorts by time, so that runs list in order. */
export function newRunId(nowMs: number, random: string): string {
  const time = nowMs.toString(16).padStart(12, '0')
  const variant = ((Number.parseInt(random.slice(3, 4), 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

export interface OpenedJournal extends JournalSink {
  readonly reading: JournalReading
  close(): Promise<void>
}

/**
 * Opens the journal of a run for one process: takes the run's lock, reads what is there, cuts a torn last line off, and
 * appends with fsync. A full or broken disk ends the run before its next step (exit 74).
 */
export async function openJournal(directory: string): Promise<OpenedJournal> {
  const release = await lock(directory)
  const path = join(directory, 'journal.jsonl')
  const { sha256 } = runFiles(directory)
  let file: FileHandle
  let reading: JournalReading
  try {
    file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
    reading = parseJournal(await file.readFile('utf8'), path, sha256)
    if (reading.torn) {
      await file.truncate(reading.intactLength)
      await file.sync()
    }
  } catch (error) {
    await release()
    throw error instanceof MigrateError ? error : diskError(`open the journal ${path}`, error)
  }
  return {
    reading,
    async append(line) {
      try {
        await file.write(line)
        await file.sync()
      } catch (error) {
        throw diskError(`write the journal ${path}`, error)
      }
    },
    async close() {
      await file.close()
      await release()
    },
  }
}

/** One process per run: a file made with O_EXCL that names its owner. A dead owner on the same boot is no owner. */
async function lock(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock')
  const owner = `${process.pid} ${bootId()}\n`
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(owner)
      await file.close()
      return async () => {
        await unlink(path)
      }
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw diskError(`lock ${directory}`, error)
      if (!(await removeStale(path))) {
        throw new MigrateError(`another process works on this run (${path})`, {
          exitCode: exitCode.locked,
          hint: `wait for it; if it is surely gone: rm ${path}`,
        })
      }
    }
  }
  throw new MigrateError(`another process took the lock ${path}`, {
    exitCode: exitCode.locked,
    hint: 'try again',
  })
}

async function removeStale(path: string): Promise<boolean> {
  const [pid = '', boot = ''] = readFileSync(path, 'utf8').trim().split(' ')
  // Anything unreadable counts as locked; another boot means its process cannot live here any more.
  if (!/^\d+$/.test(pid) || boot === '') return false
  if (boot === bootId() && isAlive(Number(pid))) return false
  await unlink(path)
  return true
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'unknown-boot'
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

/** The directory of a run by its id, or by a path. The newest run when nothing is said. */
export async function findRun(state: string, idOrPath: string | undefined): Promise<string> {
  if (idOrPath?.includes('/')) return idOrPath
  const runs = join(state, 'runs')
  const ids = await listRuns(runs)
  const id = idOrPath ?? ids.at(-1)
  if (id !== undefined && ids.includes(id)) return join(runs, id)
  throw new MigrateError(
    id === undefined ? `there are no runs in ${runs}` : `there is no run ${id} in ${runs}`,
    {
      exitCode: exitCode.usage,
      hint: ids.length === 0 ? 'k3os-migrate apply PLAN starts one' : `it has ${ids.slice(-3).join(', ')}`,
    },
  )
}

async function listRuns(runs: string): Promise<string[]> {
  try {
    return (await readdir(runs)).toSorted()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw diskError(`list ${runs}`, error)
  }
}

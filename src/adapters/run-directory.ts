import { constants } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { JournalReading } from '../core/journal.ts'
import { parseJournal } from '../core/journal.ts'
import type { JournalSink } from '../migrate/ports.ts'
import { diskError, sha256, systemCode } from './files.ts'
import { lockRun } from './run-lock.ts'

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
  const release = await lockRun(directory)
  const path = join(directory, 'journal.jsonl')
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
  let broken = false
  return {
    reading,
    async append(line) {
      // Half a line may stand there, and nothing must ever come behind it.
      if (broken)
        throw new MigrateError(`the journal ${path} takes no more records`, { exitCode: exitCode.io })
      try {
        await file.writeFile(line)
        await file.sync()
      } catch (error) {
        broken = true
        throw diskError(`write the journal ${path}`, error)
      }
    },
    async close() {
      await file.close()
      await release()
    },
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
      hint:
        ids.length === 0
          ? 'k3os-migrate apply PLAN starts one; of a run begun elsewhere the cluster knows: k3os-migrate status --from-cluster'
          : `it has ${ids.slice(-3).join(', ')}`,
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

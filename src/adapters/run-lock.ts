import { readFileSync, readlinkSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import { diskError, makeFolders, readIfPresent, sha256, systemCode } from './files.ts'

/**
 * One process per run: a file made with O_EXCL that names its owner. An owner that is dead, or of another boot, is none;
 * anything unreadable counts as locked (exit 6). Gives the function that unlocks.
 */
export async function lockRun(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock')
  try {
    await makeFolders(directory, 0o700)
  } catch (error) {
    throw diskError(`lock ${directory}`, error)
  }
  if (!(await create(path)) && !(await takeOver(path))) throw locked(path)
  return async () => {
    await unlink(path)
  }
}

/** Whether a process works on the run now. Reads only. */
export async function isLocked(directory: string): Promise<boolean> {
  const path = join(directory, 'lock')
  return (await readIfPresent(path)) !== undefined && (await isOwned(path))
}

/** False when it is there already. */
async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${process.pid} ${startOf(process.pid) ?? '-'} ${bootId()}\n`)
    await file.close()
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw diskError(`write ${path}`, error)
  }
}

/**
 * Replaces the lock of a dead owner. Of several processes that find it dead only the one with the second lock may look
 * again and remove it, or it would be the new owner's lock that is removed.
 */
async function takeOver(path: string): Promise<boolean> {
  if (await isOwned(path)) return false
  const guard = `${path}.taking`
  if (!(await create(guard))) throw locked(guard)
  try {
    if (await isOwned(path)) return false
    await unlink(path)
    return await create(path)
  } finally {
    await unlink(guard)
  }
}

async function isOwned(path: string): Promise<boolean> {
  const bytes = await readIfPresent(path)
  const [, pid, start, boot] = /^(\d+) (\d+|-) (\S+)\n$/.exec(new TextDecoder().decode(bytes)) ?? []
  if (pid === undefined) return true
  return boot === bootId() && isAlive(Number(pid), start)
}

function isAlive(pid: number, start: string | undefined): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false
  }
  // One that has ended stays in the table until somebody asks how, which in a container may be nobody.
  if (statOf(pid)?.[0] === 'Z') return false
  // The number may belong to another process by now: small ones come back often, above all in containers.
  const now = startOf(pid)
  return now === undefined || start === '-' || now === start
}

/** When a process started, in clock ticks since boot; undefined where the system does not tell (proc(5), stat). */
function startOf(pid: number): string | undefined {
  return statOf(pid)?.[19]
}

/** Its fields from the state on, which follows the name. */
function statOf(pid: number): readonly string[] | undefined {
  const stat = readSystemFile(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/**
 * Names this boot of this machine and its process namespace, in which a number means one process: only then is it known that
 * a process of ours is dead. null where the system does not tell.
 */
export function thisMachine(): string | null {
  const boot = readSystemFile('/proc/sys/kernel/random/boot_id')?.trim()
  if (boot === undefined) return null
  return sha256(`${boot} ${readlinkSync('/proc/self/ns/pid')}`).slice(0, 16)
}

function bootId(): string {
  return readSystemFile('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown-boot'
}

function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function locked(path: string): MigrateError {
  return new MigrateError(`another process works on this run (${path})`, {
    exitCode: exitCode.locked,
    hint: `wait for it; if it is surely gone: rm ${path}`,
  })
}

import { spawn, type ChildProcess } from 'node:child_process'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { Hook } from '../migrate/ports.ts'
import { diskError } from './files.ts'

/** Lines of output kept for the error message. */
const tailLines = 5
/** A program that was told to end and does not is ended by force after this time. */
const killAfterMs = 10_000
const followEveryMs = 100

/**
 * The user's own program, started without a shell, with our variables on top of the environment. Its output is passed on
 * line by line; what it says proves nothing.
 *
 * It outlives us when we are killed, because half a rebuilt disk is worse than a whole one: it gets a process group of its
 * own, which Ctrl-C and a closed terminal do not reach, and writes to a file, not to a pipe that could break. The file is
 * removed once everything in it was passed on. At its deadline it is ended, with all it started.
 */
export function programHook(environment: Readonly<Record<string, string | undefined>>): Hook {
  return {
    async run(argv, { signal, onLine, environment: own, output }) {
      const [program, ...rest] = argv
      if (program === undefined) throw new TypeError('a hook needs a program')
      signal.throwIfAborted()
      const file = await openOutput(output)
      try {
        const { size } = await file.stat()
        const env = { ...environment, ...own }
        const child = spawn(program, rest, { env, stdio: ['ignore', file.fd, file.fd], detached: true })
        const exit = endOf(child, program, signal)
        const tail: string[] = []
        await follow(file, size, exit, (line) => {
          tail.push(line)
          if (tail.length > tailLines) tail.shift()
          onLine(line)
        })
        return { exitCode: await exit, tail: tail.join(' | ') }
      } finally {
        await file.close()
        await unlink(output)
      }
    },
  }
}

async function openOutput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600)
  } catch (error) {
    throw diskError(`write ${path}`, error)
  }
}

async function endOf(child: ChildProcess, program: string, signal: AbortSignal): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', (error) => {
    reject(
      new MigrateError(`cannot start the hook ${program}: ${reasonOf(error)}`, {
        exitCode: exitCode.badInput,
        hint: 'the plan names it: k3os-migrate plan show; it must exist and be executable',
        cause: error,
      }),
    )
  })
  child.on('exit', resolve)
  let force: NodeJS.Timeout | undefined
  const stop = () => {
    endGroup(child, 'SIGTERM')
    force = setTimeout(() => endGroup(child, 'SIGKILL'), killAfterMs)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', stop)
    clearTimeout(force)
    if (signal.aborted) endGroup(child, 'SIGKILL')
  }
}

/** Passes lines on until the program has ended and everything it wrote before was read. */
async function follow(
  file: FileHandle,
  start: number,
  exit: Promise<unknown>,
  onLine: (line: string) => void,
): Promise<void> {
  let ended = false
  const noteEnd = () => {
    ended = true
  }
  exit.then(noteEnd, noteEnd)
  const decoder = new StringDecoder('utf8')
  const chunk = Buffer.alloc(64 * 1024)
  let position = start
  let rest = ''
  for (;;) {
    const wasEnded = ended
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position)
    position += bytesRead
    const lines = (rest + decoder.write(chunk.subarray(0, bytesRead))).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.replace(/\r$/, ''))
    if (bytesRead > 0) continue
    if (wasEnded) break
    await Promise.race([sleep(followEveryMs), exit.catch(noteEnd)])
  }
  if (rest !== '') onLine(rest)
}

function endGroup({ pid }: ChildProcess, how: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, how)
  } catch (error) {
    // All of it has ended meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such program'
  if (code === 'EACCES') return 'it is not executable'
  return error.message
}

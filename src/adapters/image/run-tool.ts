import { spawn } from 'node:child_process'
import type { MigrateError } from '../../core/errors.ts'
import { lastLines } from './last-lines.ts'

/** Where Debian keeps programs of root, which is not in everyone's path. */
export const rootFolders = ['/usr/sbin', '/sbin'] as const

/**
 * What a program of this machine writes, chunk by chunk. When it ends with another status than `accepted`, what it said last becomes the
 * failure; messages in English.
 */
export async function* toolOutput(
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
  failure: (lines: readonly string[]) => MigrateError,
  accepted: readonly number[] = [0],
): AsyncGenerator<Uint8Array> {
  const [program, ...rest] = argv
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: [process.env['PATH'] ?? '', ...rootFolders].join(':'),
      LC_ALL: 'C.UTF-8',
    },
    signal,
  })
  const said = lastLines(child.stderr, () => undefined)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // Whoever reads may give up first, and then nobody waits for its end.
  ended.catch(() => undefined)
  try {
    for await (const chunk of child.stdout) {
      const bytes: Uint8Array = chunk
      yield bytes
    }
    const status = await ended
    if (status === null || !accepted.includes(status)) throw failure(said())
  } finally {
    child.kill()
  }
}

/** All that a program writes, as text. */
export async function toolText(
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
  failure: (lines: readonly string[]) => MigrateError,
  accepted?: readonly number[],
): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of toolOutput(argv, signal, failure, accepted))
    text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}

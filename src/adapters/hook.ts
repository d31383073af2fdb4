import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { Hook } from '../migrate/ports.ts'

/** Lines of output kept for the error message. */
const tailLines = 5

/**
 * The user's own program, started without a shell, with our variables on top of the environment. Its output is passed on
 * line by line; what it says proves nothing.
 */
export function programHook(environment: Readonly<Record<string, string | undefined>>): Hook {
  return {
    async run(argv, options) {
      const [program, ...rest] = argv
      if (program === undefined) throw new TypeError('a hook needs a program')
      const child = spawn(program, rest, {
        env: { ...environment, ...options.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        signal: options.signal,
        killSignal: 'SIGTERM',
      })
      const tail: string[] = []
      const follow = (stream: NodeJS.ReadableStream) => {
        createInterface({ input: stream }).on('line', (line) => {
          tail.push(line)
          if (tail.length > tailLines) tail.shift()
          options.onLine(line)
        })
      }
      follow(child.stdout)
      follow(child.stderr)
      return await new Promise((resolve, reject) => {
        child.on('error', (error) => {
          if (options.signal.aborted) return
          reject(
            new MigrateError(`cannot start the hook ${program}: ${reasonOf(error)}`, {
              exitCode: exitCode.badInput,
              hint: 'the plan names it: k3os-migrate plan show; it must exist and be executable',
              cause: error,
            }),
          )
        })
        child.on('close', (code) => resolve({ exitCode: code, tail: tail.join(' | ') }))
      })
    },
  }
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such program'
  if (code === 'EACCES') return 'it is not executable'
  return error.message
}

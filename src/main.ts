import { CommanderError } from 'commander'
import { formatError } from './adapters/error-text.ts'
import { terminalIo } from './adapters/terminal.ts'
import { word } from './core/assess/command-text.ts'
import { exitCode, MigrateError } from './core/errors.ts'
import { createProgram, type Commands } from './program.ts'

/** Parses, runs, and turns whatever happens into an exit code: the one error boundary. */
export async function runCli(argv: readonly string[], commands?: Commands): Promise<number> {
  const io = terminalIo()
  let exit: number = exitCode.ok
  const done = (code: number) => {
    exit = code
  }
  const program = createProgram(io, done, commands)
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' })
    return exit
  } catch (error) {
    // Help and version end parsing with an "error" of their own.
    if (error instanceof CommanderError) return exitCode.ok
    const failure = io.signal.aborted ? stoppedBy(io.signal, error, argv) : error
    io.err(formatError(failure, wantsJson(argv)))
    return failure instanceof MigrateError ? failure.exitCode : exitCode.unexpected
  }
}

/** After Ctrl-C or SIGTERM a command that ended because of it has not failed, and its exit code names the signal. */
function stoppedBy(signal: AbortSignal, error: unknown, argv: readonly string[]): unknown {
  const exit = signal.reason === 'SIGTERM' ? exitCode.terminated : exitCode.interrupted
  if (error instanceof MigrateError) {
    if (error.exitCode !== exitCode.interrupted) return error
    const hint = error.hint === undefined ? {} : { hint: error.hint }
    return new MigrateError(error.message, { exitCode: exit, ...hint, cause: error })
  }
  const aborted = error === signal.reason || (error instanceof Error && error.name === 'AbortError')
  if (!aborted) return error
  return new MigrateError('stopped before it was done', {
    exitCode: exit,
    hint: ['k3os-migrate', ...argv.map(word)].join(' '),
    cause: error,
  })
}

/** With `-o json` errors are JSON too. Looked up here because parsing itself may be what failed. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (argument, index) =>
      argument === '-ojson' ||
      argument === '--output=json' ||
      (argument === 'json' && ['-o', '--output'].includes(argv[index - 1] ?? '')),
  )
}

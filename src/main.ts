import { CommanderError } from 'commander'
import { formatError } from './adapters/error-text.ts'
import { terminalIo } from './adapters/terminal.ts'
import { exitCode, MigrateError } from './core/errors.ts'
import { createProgram } from './program.ts'

/** Parses, runs, and turns whatever happens into an exit code: the one error boundary. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const io = terminalIo()
  let exit: number = exitCode.ok
  const program = createProgram(io, (code) => {
    exit = code
  })
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' })
    return exit
  } catch (error) {
    // Help and version end parsing with an "error" of their own; its code is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    io.err(formatError(error, wantsJson(argv)))
    return error instanceof MigrateError ? error.exitCode : exitCode.unexpected
  }
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

import { exitCode, formatPosition, MigrateError } from '../core/errors.ts'
import { toolVersion } from '../version.ts'

/** What the user reads when a command fails: one line and the next thing to do; JSON for machines. */
export function formatError(error: unknown, json: boolean): string {
  if (!(error instanceof MigrateError)) return formatBug(error)
  if (json) {
    const { message, position = null, hint = null } = error
    const document = {
      apiVersion: 'k3os-migrate/v1',
      kind: 'Error',
      exit: error.exitCode,
      message,
      position,
      hint,
    }
    return `${JSON.stringify(document)}\n`
  }
  const where = error.position === undefined ? '' : `${formatPosition(error.position)}: `
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`
  return `error: ${where}${error.message}\n${hint}`
}

/** Not one of ours: a mistake in the tool. The stack says where; the reader should not have to guess what to do. */
function formatBug(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [
    'error: this is a mistake in k3os-migrate itself; nothing more was done',
    stack,
    `k3os-migrate ${toolVersion}, Node.js ${process.versions.node}, exit ${exitCode.unexpected}`,
    'hint: report these lines; check them for host names first',
    '',
  ].join('\n')
}

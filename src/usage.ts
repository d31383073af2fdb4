import { InvalidArgumentError, type Command, type CommanderError } from 'commander'
import { parseDuration } from './core/duration.ts'
import { exitCode, MigrateError } from './core/errors.ts'

/** What the parser refused, as one line, with the help that says how to write it. */
export function usageError(error: CommanderError, command: Command): MigrateError {
  return new MigrateError(usageMessage(error, command), {
    exitCode: exitCode.usage,
    hint: `${commandLine(command)} --help`,
    cause: error,
  })
}

function usageMessage(error: CommanderError, command: Command): string {
  switch (error.code) {
    case 'commander.help':
      return command.args.length === 0
        ? 'a command is missing'
        : `unknown command '${command.args.at(-1) ?? ''}'`
    case 'commander.excessArguments':
      return `unexpected argument '${command.args[command.registeredArguments.length] ?? ''}'`
    default:
      return error.message
        .replace(/^error: /, '')
        .replace(/\n\(Did you mean (.*)\?\)$/s, ' (did you mean $1?)')
        .replaceAll('\n', ' ')
  }
}

function commandLine(command: Command): string {
  return command.parent === null ? command.name() : `${commandLine(command.parent)} ${command.name()}`
}

/** A whole number from 1 to 999999. */
export function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

export function port(text: string): number {
  const number = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined
  if (number !== undefined && number <= 65_535) return number
  throw new InvalidArgumentError('It must be a port, 1 to 65535.')
}

/** `90s`, `5m`, `1h30m` in milliseconds. */
export function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    throw new InvalidArgumentError('It must be a duration such as 90s, 5m or 1h30m.')
  }
}

export const assessFormats = ['table', 'json', 'yaml', 'markdown', 'html', 'sarif', 'junit'] as const

interface ReportFile {
  readonly format: (typeof assessFormats)[number]
  readonly file: string
}

/** `html=audit.html`; each use of the flag adds one. */
export function reportFile(text: string, before: readonly ReportFile[] = []): readonly ReportFile[] {
  const [, name, file = ''] = /^([a-z]+)=(.+)$/.exec(text) ?? []
  const format = assessFormats.find((one) => one === name)
  if (format !== undefined) return [...before, { format, file }]
  throw new InvalidArgumentError(
    `It must be a form and a file, such as html=audit.html (${assessFormats.join(', ')}).`,
  )
}

/** Behind the flags of every command. */
export function helpEnd(examples: readonly string[]): string {
  const lines = examples.map((example) => `  $ k3os-migrate ${example}\n`)
  return `\nExamples:\n${lines.join('')}\nExit codes: k3os-migrate --help`
}

export const exitCodes = `
Exit codes:
  ${exitCode.ok} done, or nothing found   ${exitCode.unexpected} unexpected error   ${exitCode.inhibitors} inhibitors   ${exitCode.findings} findings at --fail-on
  ${exitCode.stalePlan} plan stale or changed   ${exitCode.locked} locked   ${exitCode.rolledBack} node rolled back   ${exitCode.needsOperator} operator needed
  ${exitCode.blocked} blocked, can be resumed   ${exitCode.approvalMissing} approval missing   ${exitCode.postCheckFailed} post-check failed
  ${exitCode.usage} usage   ${exitCode.badInput} bad input   ${exitCode.io} disk   ${exitCode.permission} permission   ${exitCode.interrupted}/${exitCode.terminated} stopped by signal
`

export const faultHelp = `
Faults:
  api-429                         the API server is too busy for the first eviction of each pod
  api-down=SECONDS                the API server goes away when the first pod is evicted
  drain-blocked=NAMESPACE/BUDGET  this disruption budget never allows anything
  hook-fails=NODE                 the hook ends with exit code 1
  hook-refuses=NODE               the hook ends with exit code 75: it touched nothing
  node-does-not-return=NODE       the machine never answers again after its rebuild
  data-lost=NODE                  the data is gone after the rebuild
  node-turns-sick=NODE            the node is not Ready any more soon after its move
`

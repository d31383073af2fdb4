/**
 * Exit codes of every command. The same outcome has the same code whatever the sub-command.
 * 2 is free on purpose: it belongs to a future `--detailed-exitcode`.
 */
export const exitCode = {
  ok: 0,
  unexpected: 1,
  inhibitors: 3,
  findings: 4,
  stalePlan: 5,
  locked: 6,
  rolledBack: 7,
  needsOperator: 8,
  blocked: 9,
  approvalMissing: 10,
  postCheckFailed: 11,
  usage: 64,
  badInput: 65,
  io: 74,
  permission: 77,
  interrupted: 130,
  terminated: 143,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** Where in a text the user gave us; lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface ErrorDetails {
  readonly exitCode: ExitCode
  /** What to do next, ideally a command to type. */
  readonly hint?: string
  readonly position?: Position
  readonly cause?: unknown
  /** The same request may succeed later: nobody answered, or the server said that it is busy or starting. */
  readonly transient?: boolean
}

/**
 * The one failure the user is meant to see. `message` says what happened to what, on one line, without a stack and
 * without secrets; anything thrown that is not a MigrateError is a bug of ours and printed as one.
 */
export class MigrateError extends Error {
  override readonly name = 'MigrateError'
  readonly exitCode: ExitCode
  readonly hint: string | undefined
  readonly position: Position | undefined
  readonly transient: boolean

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.exitCode = details.exitCode
    this.hint = details.hint
    this.position = details.position
    this.transient = details.transient ?? false
  }
}

/** `file:line:column`, as editors and CI annotations read it. */
export function formatPosition(position: Position): string {
  const parts = [position.file]
  if (position.line !== undefined) parts.push(String(position.line))
  if (position.line !== undefined && position.column !== undefined) parts.push(String(position.column))
  return parts.join(':')
}

import { CommanderError, type Command } from 'commander'
import type { CommandIo } from '../../src/commands/io.ts'
import { MigrateError } from '../../src/core/errors.ts'
import type { CommandNode } from '../../src/core/command-tree.ts'
import { commandTree } from '../../src/program-closing.ts'
import { createProgram, type Commands } from '../../src/program.ts'

export interface Parsed {
  /** The command that would run, with exactly what it is given; undefined when none would. */
  readonly call: { readonly command: keyof Commands; readonly options: unknown } | undefined
  /** Why nothing ran; undefined after help and version as well. */
  readonly error: MigrateError | undefined
  readonly out: string
  readonly err: string
}

/** Parses a command line with commands that do nothing but say how they were called. */
export async function parse(argv: readonly string[], columns?: number): Promise<Parsed> {
  const calls: { command: keyof Commands; options: unknown }[] = []
  const said = { out: '', err: '' }
  const record = (command: keyof Commands) => async () => async (options: unknown) => {
    calls.push({ command, options })
    return 0 as const
  }
  let error: MigrateError | undefined
  try {
    await recordedProgram(record, said, columns).parseAsync(argv, { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof MigrateError) error = thrown
    // Help and version end parsing with an "error" of their own.
    else if (!(thrown instanceof CommanderError && thrown.exitCode === 0)) throw thrown
  }
  return { call: calls[0], error, ...said }
}

/** Every command of the tree as it is typed: `plan`, `plan show`, … */
export function commandLines(): readonly string[] {
  const record = () => async () => async () => 0 as const
  return linesBelow(recordedProgram(record, { out: '', err: '' }), '')
}

function linesBelow(command: Command, path: string): readonly string[] {
  return command.commands.flatMap((child) => {
    const line = `${path}${child.name()}`
    return [line, ...linesBelow(child, `${line} `)]
  })
}

/** The command tree as completion sees it. */
export function recordedTree(): CommandNode {
  const record = () => async () => async () => 0 as const
  return commandTree(recordedProgram(record, { out: '', err: '' }))
}

function recordedProgram(
  record: (command: keyof Commands) => Commands[keyof Commands],
  said: { out: string; err: string },
  columns?: number,
): Command {
  const io: CommandIo = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    cwd: '/',
    env: {},
    interactive: false,
    columns,
    signal: new AbortController().signal,
    ask: async () => undefined,
    askSecret: async () => undefined,
  }
  const commands: Commands = {
    config: record('config'),
    inventory: record('inventory'),
    inventoryScript: record('inventoryScript'),
    inventoryDiff: record('inventoryDiff'),
    assess: record('assess'),
    targets: record('targets'),
    translate: record('translate'),
    plan: record('plan'),
    planShow: record('planShow'),
    planDiff: record('planDiff'),
    planSign: record('planSign'),
    planApprove: record('planApprove'),
    rehearse: record('rehearse'),
    apply: record('apply'),
    resume: record('resume'),
    revert: record('revert'),
    status: record('status'),
    explain: record('explain'),
    abandon: record('abandon'),
    report: record('report'),
    demo: record('demo'),
    evidenceCreate: record('evidenceCreate'),
    evidenceVerify: record('evidenceVerify'),
    rbac: record('rbac'),
    completion: record('completion'),
    finalize: record('finalize'),
    finalizeApply: record('finalizeApply'),
    imageBuild: record('imageBuild'),
  }
  return createProgram(io, () => undefined, commands)
}

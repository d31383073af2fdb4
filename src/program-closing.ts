import type { Command, Option } from 'commander'
import type { CommandIo } from './commands/io.ts'
import type { ExitCode } from './core/errors.ts'
import { helpEnd } from './usage.ts'

/** What an action hands to its command: positional arguments and flags as one object. */
export type Action = (options: never, io: CommandIo) => Promise<ExitCode>

/** Declares a command with its description, its implementation and two examples at least. */
export type AddCommand = (
  parent: Command,
  name: string,
  description: string,
  load: () => Promise<Action>,
  examples: readonly [string, string, ...string[]],
) => Command

/** Commands for after a run and around it. */
export interface ClosingCommands {
  readonly evidenceCreate: () => Promise<Action>
  readonly evidenceVerify: () => Promise<Action>
}

export const realClosingCommands: ClosingCommands = {
  evidenceCreate: async () => (await import('./commands/evidence.ts')).evidenceCreate,
  evidenceVerify: async () => (await import('./commands/evidence.ts')).evidenceVerify,
}

export interface ProgramParts {
  readonly program: Command
  readonly add: AddCommand
  readonly output: (choices: readonly string[], standard: string) => Option
}

export function addClosingCommands({ program, add, output }: ProgramParts, commands: ClosingCommands): void {
  const evidence = program
    .command('evidence')
    .description('what proves a run, as one archive that can be checked anywhere')
    .addHelpText('after', helpEnd(['evidence create', 'evidence verify evidence.tar']))
  add(
    evidence,
    'create',
    'put plan, journal, outcome, approvals and proofs of a run into one archive',
    commands.evidenceCreate,
    ['evidence create', 'evidence create 01936d2a-… --key ~/.ssh/id_ed25519 --out shops.tar'],
  )
    .argument('[run]', 'id or directory of the run; default: the newest')
    .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
    .option('--key <file>', 'sign it with this SSH key (ssh-keygen -Y sign)')
    .option('--out <file>', 'where to write; default: evidence-RUN.tar')
  add(
    evidence,
    'verify',
    'check such an archive: every digest, the journal, signatures; needs no network',
    commands.evidenceVerify,
    [
      'evidence verify shops.tar --allowed-signers allowed --require-signature',
      'evidence verify shops.tar -o json',
    ],
  )
    .argument('<file>', 'the archive')
    .option('--allowed-signers <file>', 'whose signatures count, in the form of ssh-keygen(1)')
    .option('--require-signature', 'refuse an archive without a signature over all of it')
    .addOption(output(['table', 'json'], 'table'))
}

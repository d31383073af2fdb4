import { Argument, InvalidArgumentError, type Command, type Option } from 'commander'
import type { CommandIo } from './commands/io.ts'
import { valueOf, type CommandNode } from './core/command-tree.ts'
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
  readonly rbac: () => Promise<Action>
  readonly finalize: () => Promise<Action>
  readonly finalizeApply: () => Promise<Action>
  readonly completion: () => Promise<Action>
}

export const realClosingCommands: ClosingCommands = {
  evidenceCreate: async () => (await import('./commands/evidence.ts')).evidenceCreate,
  evidenceVerify: async () => (await import('./commands/evidence.ts')).evidenceVerify,
  finalize: async () => (await import('./commands/finalize.ts')).finalize,
  finalizeApply: async () => (await import('./commands/finalize.ts')).finalizeApply,
  completion: async () => (await import('./commands/completion.ts')).completion,
  rbac: async () => (await import('./commands/rbac.ts')).rbac,
}

/** For nodes that still have k3OS on their disks. */
function sshOptions(command: Command): void {
  command
    .option('-i, --identity <file>', 'private key for SSH')
    .option('--known-hosts <file>', 'host keys to trust; default: ~/.ssh/known_hosts')
}

function clusterOptions(command: Command): void {
  command
    .option('--kubeconfig <file>', 'how to reach the cluster; default: $KUBECONFIG, ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
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

  const finalize = add(
    program,
    'finalize',
    'after the last node: list what k3OS and the run left in the cluster, as a plan of its own',
    commands.finalize,
    ['finalize', 'finalize 01936d2a-… --out finalize.json'],
  )
    .argument('[run]', 'id or directory of the run; default: the newest')
    .option('--out <file>', 'where to write the plan', 'finalize.json')
    .addOption(output(['table', 'json'], 'table'))
  clusterOptions(finalize)
  sshOptions(finalize)
  const finalizeApply = add(
    finalize,
    'apply',
    'remove what such a plan lists, or refuse when the cluster is not as it was',
    commands.finalizeApply,
    ['finalize apply finalize.json --dry-run', 'finalize apply finalize.json --approve-plan sha256:…'],
  )
    .argument('[plan]', 'the plan', 'finalize.json')
    .option('--dry-run', 'print what would be removed, change nothing')
    .option('--approve-plan <digest>', 'approve this very plan, where nobody can be asked')
    .option(
      '--take-over <run>',
      'take the lock of a run that is dead; waits until it was silent for long enough',
    )
    .addOption(output(['table', 'json'], 'table'))
  clusterOptions(finalizeApply)
  sshOptions(finalizeApply)
  add(
    program,
    'rbac',
    'print an account that may do what a command does in the cluster, and nothing else',
    commands.rbac,
    ['rbac apply | kubectl apply -f -', 'rbac inventory --via-pod -o json'],
  )
    .argument('<command...>', 'a command as it is typed, without its other flags', commandWord(program))
    .option('--via-pod', 'for "inventory --via-pod"')
    .option('--clean-up', 'for "inventory --clean-up"')
    .option('--plan <file>', 'for apply, resume, revert, abandon: also what this plan pauses in the cluster')
    .option('--name <name>', 'of account, roles and bindings; default: k3os-migrate-COMMAND')
    .option('--namespace <name>', 'where the account is', 'kube-system')
    .addOption(output(['yaml', 'json'], 'yaml'))
  add(
    program,
    'completion',
    'print what lets a shell complete commands and flags',
    async () => {
      const print = (await commands.completion()) as (options: unknown, io: CommandIo) => Promise<ExitCode>
      return async (options: object, io) => print({ ...options, tree: commandTree(program) }, io)
    },
    ['completion bash > ~/.local/share/bash-completion/completions/k3os-migrate', 'completion fish'],
  ).addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh', 'fish']))
}

/** What can be typed, as data. Help stands everywhere. */
export function commandTree(command: Command): CommandNode {
  const help = { names: ['--help', '-h'], description: 'print help', value: null }
  const flags = command.options.map(
    ({ long, short, description, flags: text, argChoices, required, optional }) => ({
      names: [long, short].filter((name) => name !== undefined && name !== null),
      description,
      value: required || optional ? valueOf(/[<[](.+?)[>\]]/.exec(text)?.[1] ?? '', argChoices) : null,
    }),
  )
  return {
    name: command.name(),
    description: command.description(),
    flags: [...flags, help],
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      value: valueOf(argument.name(), argument.argChoices),
    })),
    commands: command.commands.map(commandTree),
  }
}

/** Takes the words of a command one by one, and nothing else. */
function commandWord(program: Command) {
  return (word: string, before: readonly string[] | undefined): readonly string[] => {
    const words = [...(before ?? []), word]
    let place: Command | undefined = program
    for (const name of words) place = place?.commands.find((command) => command.name() === name)
    if (place === undefined) throw new InvalidArgumentError('There is no such command.')
    return words
  }
}

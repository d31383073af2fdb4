import { Command, Option } from 'commander'
import type { CommandIo } from './commands/io.ts'
import type { ExitCode } from './core/errors.ts'
import {
  addClosingCommands,
  realClosingCommands,
  type Action,
  type ClosingCommands,
} from './program-closing.ts'
import { addImageCommands, type ImageCommands } from './program-image.ts'
import {
  assessFormats,
  count,
  duration,
  exitCodes,
  faultHelp,
  helpEnd,
  port,
  reportFile,
  usageError,
} from './usage.ts'
import { toolVersion } from './version.ts'

/** Every command behind an import of its own: `--help` loads none of them. Tests give recording ones. */
export interface Commands extends ClosingCommands, ImageCommands {
  readonly config: () => Promise<Action>
  readonly inventory: () => Promise<Action>
  readonly inventoryScript: () => Promise<Action>
  readonly inventoryDiff: () => Promise<Action>
  readonly assess: () => Promise<Action>
  readonly targets: () => Promise<Action>
  readonly translate: () => Promise<Action>
  readonly plan: () => Promise<Action>
  readonly planShow: () => Promise<Action>
  readonly planDiff: () => Promise<Action>
  readonly planSign: () => Promise<Action>
  readonly planApprove: () => Promise<Action>
  readonly rehearse: () => Promise<Action>
  readonly apply: () => Promise<Action>
  readonly resume: () => Promise<Action>
  readonly revert: () => Promise<Action>
  readonly status: () => Promise<Action>
  readonly explain: () => Promise<Action>
  readonly abandon: () => Promise<Action>
  readonly report: () => Promise<Action>
  readonly demo: () => Promise<Action>
}

const realCommands: Commands = {
  ...realClosingCommands,
  imageBuild: async () => (await import('./commands/image-build.ts')).imageBuild,
  config: async () => (await import('./commands/config.ts')).config,
  inventory: async () => (await import('./commands/inventory.ts')).inventory,
  inventoryScript: async () => (await import('./commands/inventory.ts')).inventoryScript,
  inventoryDiff: async () => (await import('./commands/inventory-diff.ts')).inventoryDiff,
  assess: async () => (await import('./commands/assess.ts')).assess,
  targets: async () => (await import('./commands/targets.ts')).targets,
  translate: async () => (await import('./commands/translate.ts')).translate,
  plan: async () => (await import('./commands/plan.ts')).plan,
  planShow: async () => (await import('./commands/plan-show.ts')).planShow,
  planDiff: async () => (await import('./commands/plan-show.ts')).planDiff,
  planSign: async () => (await import('./commands/plan-signature.ts')).planSign,
  planApprove: async () => (await import('./commands/plan-signature.ts')).planApprove,
  rehearse: async () => (await import('./commands/rehearse.ts')).rehearse,
  apply: async () => (await import('./commands/apply.ts')).apply,
  resume: async () => (await import('./commands/apply.ts')).resume,
  revert: async () => (await import('./commands/apply.ts')).revert,
  status: async () => (await import('./commands/status.ts')).status,
  explain: async () => (await import('./commands/explain.ts')).explain,
  abandon: async () => (await import('./commands/abandon.ts')).abandon,
  report: async () => (await import('./commands/report.ts')).report,
  demo: async () => (await import('./commands/demo.ts')).demo,
}

/** The command tree: names, flags and help only. Parsing throws MigrateError (exit 64) for whatever it cannot accept. */
export function createProgram(
  io: CommandIo,
  done: (exit: ExitCode) => void,
  commands: Commands = realCommands,
): Command {
  const program = new Command('k3os-migrate')
    .description(
      'Retire k3OS without fear: know what you have, translate it, move node by node with a way back.',
    )
    .version(toolVersion, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    // A flag belongs to the command it follows: `plan show -o json` is not a flag of `plan`.
    .enablePositionalOptions()
    .addHelpText('after', exitCodes)
  const add = (
    parent: Command,
    name: string,
    description: string,
    load: () => Promise<Action>,
    examples: readonly [string, string, ...string[]],
  ) =>
    parent
      .command(name)
      .description(description)
      .addHelpText('after', helpEnd(examples))
      .action(async (...call: unknown[]) => {
        const command = call.at(-1) as Command
        const names = command.registeredArguments.map((argument) => argument.name())
        const positional = names
          .map((argument, index) => [argument, command.processedArgs[index]] as const)
          .filter(([, value]) => value !== undefined)
        const options = { ...Object.fromEntries(positional), ...command.opts() }
        const run = (await load()) as (options: unknown, io: CommandIo) => Promise<ExitCode>
        done(await run(options, io))
      })

  add(
    program,
    'config',
    'print what k3OS itself sees: the merged configuration of one node',
    commands.config,
    ['config --root /mnt/state --origins', 'config --bundle shop-1.bundle -o json --show-secrets'],
  )
    .addOption(
      new Option('--root <dir>', 'read the files of a node below this directory').conflicts('bundle'),
    )
    .option('--bundle <file>', 'read them from a collected bundle')
    .option('--origins', 'show where each value comes from, and what it overrode')
    .addOption(
      new Option('--effects <phase>', 'show what k3OS does with it in a phase').choices([
        'initrd',
        'boot',
        'runtime',
        'install',
      ]),
    )
    .option('--show-secrets', 'print secrets instead of <redacted:…>')
    .addOption(output(['table', 'yaml', 'json'], 'yaml'))

  const inventory = add(
    program,
    'inventory',
    'read nodes over SSH and the cluster, write inventory.yaml',
    commands.inventory,
    ['inventory --hosts hosts.txt --kubeconfig k3s.yaml', 'inventory --from-dir collected/'],
  )
    .argument('[host...]', 'nodes as [name=][user@]host[:port]; none: those of the cluster')
    .option('--hosts <file>', 'a file with one node a line')
    .option('--from-dir <dir>', 'read bundles that were collected by hand')
    .option('--no-cluster', 'do not ask the Kubernetes API')
    .option('--kubeconfig-from <host>', 'use the kubeconfig that k3s keeps on this server')
    .option(
      '--helm-releases',
      'look also which API versions the releases of Helm name; takes the right to list Secrets',
    )
    .option(
      '--via-pod',
      'read nodes through a privileged pod on each, created and removed; arguments are node names',
    )
    .option('--image <image>', 'image of these pods, with sh, sleep and chroot')
    .option('--clean-up', 'only remove pods that a killed --via-pod left behind')
    .option('--user <name>', 'user to log in as; default: that of ~/.ssh/config, else rancher')
    .option('--port <number>', 'SSH port; default: that of ~/.ssh/config, else 22', port)
    .option('-i, --identity <file>', 'private key; default: the agent and ~/.ssh/id_*')
    .option('--known-hosts <file>', 'host keys to trust; default: ~/.ssh/known_hosts')
    .option('--parallel <number>', 'nodes read at once', count, 8)
    .option('--timeout <duration>', 'for one node', duration, 60_000)
    .option('--out <dir>', 'where to write', 'k3os-inventory')
    .addOption(output(['table', 'json', 'yaml'], 'table'))
  kubeOptions(inventory)
  add(
    inventory,
    'script',
    'print the collector, to run by hand on a node without network',
    commands.inventoryScript,
    [
      'inventory script > collect.sh   # then on the node: sh collect.sh > NAME.bundle',
      "inventory script | ssh rancher@shop-1 'sudo sh' > collected/shop-1.bundle",
    ],
  )
  add(
    inventory,
    'diff',
    'say what changed from one inventory to a later one (exit 5 when anything did)',
    commands.inventoryDiff,
    [
      'inventory diff k3os-inventory/previous/inventory.yaml k3os-inventory/inventory.yaml',
      'inventory diff old.yaml new.yaml --all -o json',
    ],
  )
    .argument('<before>', 'the older inventory')
    .argument('<after>', 'the newer one')
    .option('--all', 'also what changes by itself: sizes, clocks, boots, pods')
    .addOption(output(['table', 'json'], 'table'))

  add(program, 'assess', 'say what stands against moving, and which target fits', commands.assess, [
    'assess',
    'assess --report html=audit.html sarif=results.sarif --fail-on high',
  ])
    .option('--inventory <file>', 'the inventory', 'k3os-inventory/inventory.yaml')
    .option('--target <id...>', 'only these targets')
    .option('--waivers <file>', 'accepted findings, by key')
    .option(
      '--report <format=file...>',
      'write another form too: html=audit.html sarif=results.sarif junit=junit.xml',
      reportFile,
    )
    .option('--summary', 'append the headline to $GITHUB_STEP_SUMMARY')
    .addOption(
      new Option('--annotations <kind>', 'print the worst findings as annotations').choices(['github']),
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit 4 for findings from this severity on')
        .choices(['high', 'medium', 'low', 'never'])
        .default('never'),
    )
    .option('--out <file>', 'write there instead of to stdout')
    .addOption(output(assessFormats, 'table'))

  add(program, 'targets', 'say which targets exist, what they need and which node fits', commands.targets, [
    'targets',
    'targets --inventory k3os-inventory/inventory.yaml -o json',
  ])
    .option('--inventory <file>', 'compare with the nodes of this inventory')
    .option('--target <id...>', 'only these targets')
    .addOption(output(['table', 'json', 'yaml', 'markdown', 'html'], 'table'))

  add(
    program,
    'translate',
    'translate the configuration of one node, or of all in an inventory',
    commands.translate,
    [
      'translate config.yaml --target debian --out seed/',
      'translate --inventory k3os-inventory/inventory.yaml --target debian',
      'translate config.yaml --compare',
      'translate config.yaml --explain k3os.labels',
    ],
  )
    .argument('[config]', 'a k3OS config.yaml')
    .option('--target <id>', 'system to translate to')
    .option('--all-targets', 'translate to each of them, one folder for each')
    .option('--in-place', 'the files for a root tree that boots beside k3OS, as one archive')
    .option(
      '--k3s-version <version>',
      'with k3os-maintained: the k3s of the image, where it is newer than the node has',
    )
    .option('--with-secrets', 'with talos: make the secrets of the new cluster too, in a file of their own')
    .option('--compare', 'show the targets side by side: what each carries, changes and loses; write nothing')
    .option('--explain <path>', 'show where one value goes on each target, and why; write nothing')
    .option('--inventory <file>', 'translate the nodes of an inventory')
    .option('--node <name>', 'only this node of it')
    .option('--out <dir>', 'where to write', 'k3os-translation')
    .addOption(output(['table', 'json', 'yaml', 'markdown', 'html'], 'table'))

  const plan = add(
    program,
    'plan',
    'write plan.json: which nodes, in which order, with which steps',
    commands.plan,
    [
      'plan --target debian --hook ./rebuild.sh --keeps-data --out plan.json',
      'plan --target debian --hook ./rebuild.sh --exclude office-1',
      'plan --target debian --in-place --root-tree tree/debian-13-amd64.tar.zst',
    ],
  )
    .option('--inventory <file>', 'the inventory', 'k3os-inventory/inventory.yaml')
    .option('--target <id>', 'system to move to', 'debian')
    .option(
      '--hook <program...>',
      'your program that rebuilds a machine, and its arguments (one with a dash: --hook=--fast)',
    )
    .option(
      '--in-place',
      'put the new system beside k3OS on the same disk and boot it on trial (docs/in-place.md)',
    )
    .option('--root-tree <file>', 'the system for --in-place, as "image build" makes it')
    .option(
      '--trial-deadline <duration>',
      'a system on trial goes back to k3OS after so long; default: 30m',
      duration,
    )
    .option('--by-hand', 'no program: you rebuild each machine, and the run waits for its proof')
    .option('--keeps-data', 'the rebuild leaves /var/lib/rancher as it is (proven by fingerprints)')
    .option('--node <name...>', 'only these nodes')
    .option('--exclude <name...>', 'not these nodes')
    .option('--delete-emptydir-data', 'evict pods with emptyDir volumes; what is in them is lost')
    .option('--abandon-pod <namespace/name...>', 'evict these pods although nothing brings them back')
    .addOption(
      new Option(
        '--drain-mode <mode>',
        'strict (default) asks again until the node is seen to be empty; kubectl gives up as kubectl drain does',
      ).choices(['strict', 'kubectl']),
    )
    .addOption(
      new Option(
        '--on-drain-failure <policy>',
        'uncordon undoes everything; pause leaves the node cordoned until resumed; auto (default) pauses at a terminal',
      ).choices(['auto', 'uncordon', 'pause']),
    )
    .option('--no-pause', 'let kured, autoscalers and the like go on working meanwhile')
    .option('--waivers <file>', 'accepted findings, by key')
    .option('--user <name>', 'user to log in as', 'rancher')
    .option('--max-age <hours>', 'refuse to apply the plan when it is older', count, 24)
    .option('--last <name...>', 'these nodes after all others of their role')
    .option(
      '--window <text...>',
      "when disks may be written, e.g. 'Mon-Fri 22:00-05:00 Europe/Berlin'; default: at any time",
    )
    .option(
      '--soak <duration>',
      'watch each moved node for so long; default: agents 5m, servers 15m',
      duration,
    )
    .option('--no-soak', 'do not watch moved nodes')
    .option('--canary-soak <duration>', 'watch the first node for so long; default: 15m', duration)
    .option('--step-timeout <step=duration...>', 'another limit for a step, e.g. reimage=20m')
    .option('--out <file>', 'where to write the plan', 'plan.json')
    .addOption(output(['table', 'json', 'yaml'], 'table'))
  const planFile = (command: Command): Command => command.argument('[file]', 'the plan', 'plan.json')
  planFile(
    add(plan, 'show', 'print a plan, or what happens to one node', commands.planShow, [
      'plan show plan.json -o yaml',
      'plan show --explain shop-1',
    ]),
  )
    .option(
      '--explain <node>',
      'why it has its place, what happens to which pod and volume, how long at worst',
    )
    .addOption(output(['table', 'json', 'yaml'], 'table'))
  add(plan, 'diff', 'say what a second plan would do differently', commands.planDiff, [
    'plan diff old.json plan.json',
    'plan diff old.json plan.json -o json',
  ])
    .argument('<before>', 'a plan')
    .argument('<after>', 'another one')
    .addOption(output(['table', 'json', 'yaml'], 'table'))
  planFile(
    add(plan, 'sign', 'sign a plan with an SSH key (ssh-keygen -Y sign)', commands.planSign, [
      'plan sign --key ~/.ssh/id_ed25519',
      'plan sign --key ~/.ssh/id_ed25519.pub   # its other half is in ssh-agent',
    ]),
  ).requiredOption('--key <file>', 'the key; its content never leaves ssh-keygen')
  planFile(
    add(plan, 'approve', 'add approvals of nodes to a file for "apply --approvals"', commands.planApprove, [
      'plan approve --node shop-1 --by kim@example.org',
      'plan approve --node shop-1 shop-2 --by kim@example.org --key ~/.ssh/id_ed25519',
    ]),
  )
    .requiredOption('--node <name...>', 'the nodes')
    .requiredOption('--by <name>', 'who approves; with a key, the name it has among the allowed signers')
    .option('--key <file>', 'sign each approval with this SSH key')
    .option('--approvals <file>', 'the file', 'approvals.json')

  add(program, 'rehearse', 'carry a plan out in a simulation of your own inventory', commands.rehearse, [
    'rehearse plan.json --out rehearsal.html',
    'rehearse --fault node-does-not-return=shop-2 --fault api-down=120',
  ])
    .argument('[plan]', 'the plan', 'plan.json')
    .option('--fault <name...>', 'what goes wrong: see below')
    .option('--at <time>', 'when it is begun, as 2026-11-28T22:00:00Z; default: now')
    .option('--rebuild <duration>', 'how long your hook and the reboot take; default: 3m30s', duration)
    .option('--out <file>', 'write the timeline as HTML')
    .addOption(output(['table', 'json'], 'table'))
    .addHelpText('after', faultHelp)

  const runOptions = (command: Command): Command =>
    kubeOptions(command)
      .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
      .option('-i, --identity <file>', 'private key for SSH')
      .option('--known-hosts <file>', 'host keys to trust; default: ~/.ssh/known_hosts')
      .option('--approve-plan <digest>', 'approve this very plan, where nobody can be asked')
      .option('--approvals <file>', 'approvals of single nodes ("plan approve" writes them)')
      .option('--allowed-signers <file>', 'whose signatures count, in the form of ssh-keygen(1)')
      .option('--require-signature', 'refuse a plan, and approvals in a file, without a signature')
      .option(
        '--take-over <run>',
        'take the lock of a run that is dead; waits until it was silent for long enough',
      )
      .option('--summary', 'append the outcome to $GITHUB_STEP_SUMMARY')
      .addOption(output(['table', 'json', 'jsonl'], 'table'))
  runOptions(
    add(program, 'apply', 'carry a plan out, one node after the other', commands.apply, [
      'apply plan.json --dry-run',
      'apply plan.json --next --approve-plan sha256:…',
    ])
      .argument('[plan]', 'the plan', 'plan.json')
      .option('--next', 'move one node, then stop')
      .option('--dry-run', 'print what would be done, change nothing'),
  )
  runOptions(
    add(program, 'resume', 'go on with a run that stopped', commands.resume, ['resume', 'resume 01936d2a-…'])
      .argument('[run]', 'id or directory of the run; default: the newest')
      .option('--next', 'move one node, then stop'),
  )
  runOptions(
    add(program, 'revert', 'take a node that was moved in place back to k3OS', commands.revert, [
      'revert shop-1',
      'revert shop-1 01936d2a-… --approve-plan sha256:…',
    ])
      .argument('<node>', 'a node of the run')
      .argument('[run]', 'id or directory of the run; default: the newest'),
  )
  kubeOptions(
    add(program, 'status', 'say where a run stands', commands.status, [
      'status -o json',
      'status --from-cluster --context shops',
    ])
      .argument('[run]', 'id or directory of the run; default: the newest')
      .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
      .option('--from-cluster', 'ask the cluster, which knows its last run and who has its lock')
      .addOption(output(['table', 'json', 'yaml'], 'table')),
  )
  add(
    program,
    'explain',
    'say where one node of a run stands, what it waits for and what would be undone',
    commands.explain,
    ['explain shop-2', 'explain shop-2 01936d2a-… -o json'],
  )
    .argument('<node>', 'a node of the plan')
    .argument('[run]', 'id or directory of the run; default: the newest')
    .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
    .addOption(output(['table', 'json', 'yaml'], 'table'))
  kubeOptions(
    add(program, 'abandon', 'give a run up: undo what can be undone, free the cluster', commands.abandon, [
      'abandon 01936d2a-…',
      'abandon 01936d2a-… --leave shop-2',
    ])
      .argument('<run>', 'id or directory of the run')
      .option('--leave <node...>', 'leave these as they are, though their disks may be written')
      .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
      .option('-i, --identity <file>', 'private key for SSH')
      .option('--known-hosts <file>', 'host keys to trust; default: ~/.ssh/known_hosts')
      .option(
        '--take-over <run>',
        'take the lock of a run that is dead; waits until it was silent for long enough',
      )
      .addOption(output(['table', 'json'], 'table')),
  )

  add(program, 'report', 'write what a run found, decided, did and proved', commands.report, [
    'report -o html --out report.html',
    'report 01936d2a-… -o markdown',
  ])
    .argument('[run]', 'id or directory of the run; default: the newest')
    .option('--state-dir <dir>', 'where runs are kept; default: $XDG_STATE_HOME/k3os-migrate')
    .option('--out <file>', 'write there instead of to stdout')
    .addOption(output(['html', 'markdown'], 'markdown'))

  addImageCommands({ program, add, output }, commands)
  addClosingCommands({ program, add, output }, commands)

  add(
    program,
    'demo',
    'move a bundled example cluster, simulated: nothing of yours is touched',
    commands.demo,
    ['demo', 'demo --out /tmp/demo'],
  ).option('--out <dir>', 'folder for everything it writes', 'k3os-migrate-demo')

  quiet(program, io)
  return program
}

function kubeOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'how to reach the cluster; default: $KUBECONFIG, ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig')
}

function output(choices: readonly string[], standard: string): Option {
  return new Option('-o, --output <format>', 'format of the answer').choices(choices).default(standard)
}

/** Nothing exits or prints behind our back, in no command of the tree. */
function quiet(command: Command, io: CommandIo): void {
  command
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : usageError(error, command)
    })
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // Said once, with everything else that goes wrong, by whoever catches the error.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(io.columns ?? 100, 100),
      getErrHelpWidth: () => 100,
    })
  for (const child of command.commands) quiet(child, io)
}

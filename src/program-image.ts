import { Option } from 'commander'
import { treeArchitectures, treeExtras } from './core/image/packages.ts'
import type { Action, ProgramParts } from './program-closing.ts'
import { helpEnd } from './usage.ts'

/** Commands that make what a node is moved to. */
export interface ImageCommands {
  readonly imageBuild: () => Promise<Action>
}

export function addImageCommands({ program, add, output }: ProgramParts, commands: ImageCommands): void {
  const image = program
    .command('image')
    .description('make the system that a node boots beside k3OS')
    .addHelpText('after', helpEnd(['image build --target debian', 'image build --help']))
  add(
    image,
    'build',
    "make a root tree from a distribution's packages or cloud image (mmdebstrap), with manifest and checksums",
    commands.imageBuild,
    [
      'image build --target debian',
      'image build --target debian --release bookworm --with nfs iscsi --out trees',
      'image build --target debian --image debian-13-genericcloud-amd64.qcow2',
    ],
  )
    .addOption(new Option('--target <id>', 'the system').choices(['debian']).makeOptionMandatory())
    .addOption(
      new Option('--release <name>', 'its release: Debian 13 or 12')
        .choices(['trixie', 'bookworm'])
        .default('trixie'),
    )
    .addOption(
      new Option('--arch <name>', 'architecture of the nodes').choices(treeArchitectures).default('amd64'),
    )
    .addOption(new Option('--with <client...>', 'clients of storage that pods use').choices(treeExtras))
    .option(
      '--image <file>',
      'begin with the root of an official cloud image (qcow2, raw, tar.xz) of that release',
    )
    .option('--no-firmware', 'leave firmware and microcode out, as for virtual machines')
    .option('--mirror <url>', "mirror of Debian; default: Debian's own")
    .option(
      '--security-mirror <url>',
      "mirror of its security updates; default: Debian's own, none with --mirror",
    )
    .option('--out <dir>', 'where to write', 'k3os-image')
    .addOption(output(['table', 'json'], 'table'))
}

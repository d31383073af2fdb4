import { exitCode, MigrateError } from '../errors.ts'
import type { ImageFormat } from './disk-image.ts'

export interface HostTool {
  /** What is looked for: a program in PATH, or a path. */
  readonly find: string
  /** The package of Debian and Ubuntu that has it. */
  readonly package: string
}

/** Where Debian's keys lie, on the machine that builds and in the tree alike. */
export const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Downloads as apt does, with this machine's proxy. */
export const aptHelper = '/usr/lib/apt/apt-helper'

/** What the machine that builds must have; more without root, for another architecture, or to read a disk image. */
export function hostTools(how: {
  readonly root: boolean
  readonly foreign: boolean
  readonly image?: ImageFormat | undefined
}): HostTool[] {
  return [
    { find: 'mmdebstrap', package: 'mmdebstrap' },
    { find: aptHelper, package: 'apt' },
    { find: debianKeyring, package: 'debian-archive-keyring' },
    ...(how.root ? [] : [{ find: 'newuidmap', package: 'uidmap' }]),
    ...(how.foreign
      ? [
          { find: 'arch-test', package: 'arch-test' },
          { find: 'qemu-aarch64-static', package: 'qemu-user-static' },
        ]
      : []),
    ...(how.image === undefined ? [] : imageTools),
    ...(how.image === 'qcow2' ? [{ find: 'qemu-img', package: 'qemu-utils' }] : []),
    ...(how.image === 'tar.xz' ? [{ find: 'xz', package: 'xz-utils' }] : []),
  ]
}

const imageTools: readonly HostTool[] = [
  { find: 'sfdisk', package: 'fdisk' },
  { find: 'mount', package: 'mount' },
  { find: 'unshare', package: 'util-linux' },
]

export function missingTools(missing: readonly HostTool[]): MigrateError {
  return new MigrateError(`this machine lacks ${missing.map(({ find }) => find).join(', ')}`, {
    exitCode: exitCode.io,
    hint: `apt-get install ${missing.map((tool) => tool.package).join(' ')}   # on Debian or Ubuntu; or build there and copy the files here`,
  })
}

/** Most telling first: one cause makes apt and mmdebstrap complain of several things. */
const causes: readonly {
  readonly says: RegExp
  readonly message: (line: string) => string
  readonly exitCode: MigrateError['exitCode']
  readonly hint: string
  readonly transient?: boolean
}[] = [
  {
    says: /No space left on device|Disk quota exceeded/i,
    message: () => 'the disk is full',
    exitCode: exitCode.io,
    hint: 'free 2 GiB where it is built: TMPDIR=/another/folder k3os-migrate image build …',
  },
  {
    says: /NO_PUBKEY|EXPKEYSIG|is not signed|signatures (?:were|are) invalid|signatures couldn't be verified/i,
    message: (line) => `the mirror's lists are not signed with Debian's keys: ${line}`,
    exitCode: exitCode.badInput,
    hint: 'apt-get install debian-archive-keyring   # an older one does not know newer releases',
  },
  {
    says: /Could not resolve|Temporary failure resolving|Could not connect|Connection (?:timed out|refused|failed)|Unable to connect|No route to host|Network is unreachable|5\d\d\s+\w+/i,
    message: (line) => `the mirror does not answer: ${line}`,
    exitCode: exitCode.io,
    hint: 'look at the network and the proxy of apt, or name another mirror: --mirror URL',
    transient: true,
  },
  {
    says: /40[34]\s+\w+|does not have a Release file|File not found|Release file .* not found/i,
    message: (line) => `the mirror has no such release: ${line}`,
    exitCode: exitCode.badInput,
    hint: 'is it a mirror of Debian with this release? Another one: --mirror URL, --release trixie|bookworm',
  },
  {
    says: /Unable to locate package|has no installation candidate|Unable to correct problems/i,
    message: (line) => `the mirror lacks packages: ${line}`,
    exitCode: exitCode.badInput,
    hint: 'a partial mirror needs main and non-free-firmware (or --no-firmware); another one: --mirror URL',
  },
  {
    says: /cannot be executed|unable to execute|Exec format error|arch-test/i,
    message: (line) => `this machine cannot run programs of that architecture: ${line}`,
    exitCode: exitCode.io,
    hint: 'apt-get install qemu-user-static binfmt-support arch-test   # or build on a machine of that kind',
  },
  {
    says: /unshare|newuidmap|newgidmap|Operation not permitted|\/etc\/subuid|nodev/i,
    message: (line) => `this user may not make a root tree: ${line}`,
    exitCode: exitCode.permission,
    hint: 'run it with sudo; TMPDIR must not be mounted with nodev or noexec',
  },
]

/** What apt or mmdebstrap said before it failed, as the one thing to be put right. */
export function buildFailure(program: string, lines: readonly string[]): MigrateError {
  for (const cause of causes) {
    const line = lines.find((each) => cause.says.test(each))
    if (line === undefined) continue
    return new MigrateError(cause.message(plain(line)), {
      exitCode: cause.exitCode,
      hint: cause.hint,
      ...(cause.transient === true ? { transient: true } : {}),
    })
  }
  const failures = lines.filter((line) => /^(?:E:|dpkg:|apt:|tar:)/.test(line))
  // That one of its commands failed, mmdebstrap says last; what failed in it stands before.
  const causing = failures.filter(
    (line) => !/^E: (?:setup failed|mmdebstrap failed to run|.*hook failed)/.test(line),
  )
  const last = (causing.length > 0 ? causing : failures).slice(-2)
  const said = (last.length > 0 ? last : lines.slice(-2)).map(plain).join('; ')
  return new MigrateError(`${program} failed: ${said === '' ? 'it said nothing' : said}`, {
    exitCode: exitCode.io,
    hint: 'what it did is on the lines above',
  })
}

/** What a program said that could not read a disk image. */
export function imageFailure(file: string, what: string): (lines: readonly string[]) => MigrateError {
  return (lines) => {
    const loop = lines.find((line) => /loop device|unshare failed/.test(line))
    if (loop !== undefined)
      return new MigrateError(`this machine cannot mount a disk image: ${plain(loop)}`, {
        exitCode: exitCode.permission,
        hint: 'build where root may use loop devices: not in a container that has none',
      })
    if (lines.some((line) => /No space left on device/i.test(line))) return buildFailure('', lines)
    const said = lines
      .filter((line) => !line.includes('Exiting with failure status'))
      .slice(-1)
      .map(plain)
      .join('')
    return new MigrateError(`${what}${said === '' ? '' : `: ${said}`}`, {
      exitCode: exitCode.badInput,
      position: { file },
      hint: 'is the file whole? Compare it with the SHA512SUMS beside it on the server',
    })
  }
}

function plain(line: string): string {
  return line.replace(/^\s*[EWI]: /, '').trim()
}

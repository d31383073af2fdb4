import { exitCode, MigrateError } from '../errors.ts'
import { treeReleases, type TreeRelease, type TreeWish } from './packages.ts'
import { packageStatusPath } from './root-tree.ts'

/** Where a tree says which system it is. */
export const osReleasePath = 'usr/lib/os-release'
/** What is read of an image before anything is made of it. */
export const systemPaths: readonly string[] = [osReleasePath, packageStatusPath]

/** Not taken over: what is of one boot or one machine, and where apt found packages when the image was made. */
export const leftOut: readonly string[] = [
  'dev/*',
  'proc/*',
  'sys/*',
  'run/*',
  'tmp/*',
  'var/tmp/*',
  'lost+found',
  'etc/hostname',
  'etc/resolv.conf',
  'etc/apt/mirrors',
  'etc/apt/sources.list',
  'etc/apt/sources.list.d/*',
  'var/cache/apt/*',
  'var/lib/apt/lists/*',
]

/** Packages that are removed when an image has them, and why. */
const unwanted: readonly RegExp[] = [
  // New SSH host keys, a disk that grows, users of its own.
  /^cloud-(?:init|initramfs|guest-utils|utils)/,
  /^(?:waagent|walinuxagent|google-)/,
  // They write boot menus and boot partitions; the way back to k3OS is one of both.
  /^(?:grub|shim-|systemd-boot|os-prober$|efibootmgr$)/,
  // The network is rendered for each node, for systemd-networkd.
  /^(?:netplan|python3-netplan|ifupdown|network-manager$|dhcpcd5?$)/,
  // A kernel that nobody chose would be booted for good, without a trial.
  /^unattended-upgrades$/,
  // The flavour without drivers of real machines.
  /^linux-image-cloud-/,
]

/** Those of an image's packages that a root tree must not have, sorted. */
export function unwantedPackages(status: string): string[] {
  return stanzas(status)
    .filter(({ state }) => state.endsWith(' installed'))
    .map(({ name }) => name)
    .filter((name) => unwanted.some((each) => each.test(name)))
    .toSorted()
}

/** Exit 65 unless the image holds the release of Debian, for the architecture, that a tree is wanted of. */
export function requireSystem(
  texts: ReadonlyMap<string, string>,
  { release, architecture }: TreeWish,
  file: string,
): void {
  const refuse = (why: string, hint: string): MigrateError =>
    new MigrateError(why, { exitCode: exitCode.badInput, position: { file }, hint })
  const osRelease = texts.get(osReleasePath)
  if (osRelease === undefined)
    throw refuse(
      `its root has no /${osReleasePath}: no system is installed in it`,
      'take an official image: https://cloud.debian.org/images/cloud/',
    )
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1]?.trim() ?? ''
  const title = field('PRETTY_NAME') === '' ? field('ID') : field('PRETTY_NAME')
  if (field('ID') !== 'debian')
    throw refuse(
      `it holds ${title}, and a root tree is made of Debian`,
      'take an official image: https://cloud.debian.org/images/cloud/',
    )
  const codename = field('VERSION_CODENAME')
  if (codename !== release)
    throw refuse(
      `it holds ${title}, not Debian ${treeReleases[release]} (${release})`,
      isRelease(codename)
        ? `say which release it is: --release ${codename}`
        : `take an image of ${Object.keys(treeReleases).join(' or ')}`,
    )
  const own = stanzas(texts.get(packageStatusPath) ?? '').find(({ name }) => name === 'dpkg')?.architecture
  if (own !== architecture)
    throw refuse(
      own === undefined
        ? 'it has no list of its packages'
        : `it is an image for ${own}, not for ${architecture}`,
      `take an image for ${architecture}, or name the architecture of the nodes: --arch`,
    )
}

function isRelease(name: string): name is TreeRelease {
  return name in treeReleases
}

function stanzas(status: string): { name: string; state: string; architecture: string }[] {
  return status.split(/\n\n+/).map((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? ''
    return { name: field('Package'), state: field('Status'), architecture: field('Architecture') }
  })
}

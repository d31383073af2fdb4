/** A root tree that boots beside k3OS, made of Debian's packages: what goes in. */

/** Code name to number. */
export const treeReleases = { trixie: '13', bookworm: '12' } as const
export type TreeRelease = keyof typeof treeReleases

/** Debian's names, with the kernel that has the drivers of real machines (the cloud flavours lack most). */
const kernels = {
  amd64: 'linux-image-amd64',
  arm64: 'linux-image-arm64',
  armhf: 'linux-image-armmp',
} as const
export type TreeArchitecture = keyof typeof kernels
export const treeArchitectures = ['amd64', 'arm64', 'armhf'] as const satisfies readonly TreeArchitecture[]

/** Always the newest kernel of its release. */
export function treeKernel({ architecture }: TreeWish): string {
  return kernels[architecture]
}

const extraPackages = { iscsi: 'open-iscsi', nfs: 'nfs-common' } as const
export type TreeExtra = keyof typeof extraPackages
export const treeExtras = ['iscsi', 'nfs'] as const satisfies readonly TreeExtra[]

export interface TreeWish {
  readonly release: TreeRelease
  readonly architecture: TreeArchitecture
  /** Clients of storage that pods use. */
  readonly extras: readonly TreeExtra[]
  /** Firmware of network cards and disks: without it many real machines have no network. */
  readonly firmware: boolean
}

/** In Debian's section non-free-firmware. That of Intel's network cards left firmware-misc-nonfree with Debian 13. */
const firmware: Readonly<Record<TreeRelease, readonly string[]>> = {
  trixie: ['firmware-bnx2', 'firmware-bnx2x', 'firmware-intel-misc', 'firmware-linux-free'],
  bookworm: ['firmware-bnx2', 'firmware-bnx2x', 'firmware-linux-free'],
}
const firmwareOfBoth = ['firmware-misc-nonfree', 'firmware-qlogic', 'firmware-realtek']
/** Only where there is such a processor. */
const microcode: Readonly<Record<TreeArchitecture, readonly string[]>> = {
  amd64: ['amd64-microcode', 'intel-microcode'],
  arm64: [],
  armhf: [],
}

/**
 * No cloud-init: it would make new SSH host keys and resize STATE. No GRUB: its update-grub would overwrite the menu that
 * leads back to k3OS. Neither comes as something recommended, as nothing recommended is installed.
 */
export function treePackages(wish: TreeWish): string[] {
  const { release, architecture, extras } = wish
  return [
    'apt',
    'ca-certificates',
    'conntrack',
    'dbus',
    'e2fsprogs',
    'initramfs-tools',
    'iproute2',
    'iptables',
    'iputils-ping',
    'kmod',
    'libpam-systemd',
    treeKernel(wish),
    'openssh-server',
    'procps',
    'sudo',
    'systemd',
    'systemd-resolved',
    'systemd-sysv',
    'systemd-timesyncd',
    'udev',
    'zstd',
    ...extras.map((extra) => extraPackages[extra]),
    ...(wish.firmware ? [...firmware[release], ...firmwareOfBoth, ...microcode[architecture]] : []),
  ]
}

export interface PackageSource {
  readonly uri: string
  readonly suite: string
  readonly components: readonly string[]
}

export interface Mirrors {
  readonly main: string
  /** undefined: the tree has no security updates, nor gets any by apt later. */
  readonly security: string | undefined
}

/** Debian's own, which answer from nearby. */
const debianMirrors: Mirrors = {
  main: 'http://deb.debian.org/debian',
  security: 'http://deb.debian.org/debian-security',
}

/** A mirror that someone names says nothing about where its security updates lie: they must be named as well. */
export function chosenMirrors(main: string | undefined, security: string | undefined): Mirrors {
  if (main === undefined) return { ...debianMirrors, ...(security === undefined ? {} : { security }) }
  return { main, security }
}

export function treeSources(wish: TreeWish, mirrors: Mirrors): PackageSource[] {
  const components = ['main', ...(wish.firmware ? ['non-free-firmware'] : [])]
  return [
    { uri: mirrors.main, suite: wish.release, components },
    ...(mirrors.security === undefined
      ? []
      : [{ uri: mirrors.security, suite: `${wish.release}-security`, components }]),
  ]
}

/** `debian-13-amd64`: names its files, and its folder on a node. */
export function treeId(
  { release, architecture, extras, firmware: withFirmware }: TreeWish,
  from: 'packages' | 'image' = 'packages',
): string {
  const parts = [
    'debian',
    treeReleases[release],
    architecture,
    ...(from === 'image' ? ['image'] : []),
    ...extras.toSorted(),
    ...(withFirmware ? [] : ['nofirmware']),
  ]
  return parts.join('-')
}

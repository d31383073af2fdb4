import { z } from 'zod'
import { exitCode, MigrateError } from '../errors.ts'
import type { TreeArchitecture } from './packages.ts'

/** The disk image that Debian publishes as a cloud image, as far as its root partition must be found in it. */

const officialImages =
  'official images: https://cloud.debian.org/images/cloud/ (generic or genericcloud; .qcow2, .raw or .tar.xz)'

function refuse(file: string, why: string, hint = officialImages): MigrateError {
  return new MigrateError(why, { exitCode: exitCode.badInput, position: { file }, hint })
}

/** A raw disk, one that qemu-img must convert, or an archive with `disk.raw` in it. */
export type ImageFormat = 'raw' | 'qcow2' | 'tar.xz'

/** How much of the beginning of a file `imageFormat` wants. */
export const imageHeadBytes = 512

/** By what the file begins with, never by its name. Exit 65 for anything else, and for a qcow2 that is not whole by itself. */
export function imageFormat(head: Uint8Array, file: string): ImageFormat {
  const begins = (at: number, ...bytes: number[]): boolean =>
    bytes.every((byte, index) => head[at + index] === byte)
  if (begins(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)) return 'tar.xz'
  if (begins(0, 0x51, 0x46, 0x49, 0xfb)) {
    requireWhole(head, file)
    return 'qcow2'
  }
  if (begins(510, 0x55, 0xaa)) return 'raw'
  const known: readonly (readonly [string, boolean])[] = [
    ['compressed by gzip', begins(0, 0x1f, 0x8b)],
    ['compressed by zstd', begins(0, 0x28, 0xb5, 0x2f, 0xfd)],
    ['a disk of VMware', begins(0, 0x4b, 0x44, 0x4d)],
    ['a disk of Hyper-V', begins(0, 0x76, 0x68, 0x64, 0x78)],
  ]
  const [what] = known.find(([, is]) => is) ?? []
  throw refuse(
    file,
    what === undefined
      ? 'it is no disk image: neither a qcow2, nor a disk with partitions, nor an archive compressed by xz'
      : `it is ${what}, and a qcow2 image, a raw disk or a .tar.xz is wanted`,
  )
}

/** docs/interop/qcow2.rst of qemu: a backing file at 8, encryption at 32, and from version 3 on an external data file at 72. */
function requireWhole(head: Uint8Array, file: string): void {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (head.length < 80) throw refuse(file, 'it is cut off')
  const whole =
    'qemu-img convert -O qcow2 IMAGE WHOLE.qcow2   # makes one file of it, where all its parts are'
  if (view.getBigUint64(8) !== 0n) throw refuse(file, 'it is only the difference to another image', whole)
  if (view.getUint32(4) >= 3 && (view.getUint32(76) & 4) !== 0)
    throw refuse(file, 'it has its data in another file', whole)
  if (view.getUint32(32) !== 0) throw refuse(file, 'it is encrypted')
}

export interface Partition {
  readonly number: number
  /** In bytes. */
  readonly start: number
  readonly bytes: number
  /** GUID of a GPT in capitals, or the two digits of an MSDOS table. */
  readonly type: string
}

const sfdiskTable = z.object({
  partitiontable: z.object({
    sectorsize: z.number().default(512),
    partitions: z
      .array(z.object({ node: z.string(), start: z.number(), size: z.number(), type: z.string() }))
      .default([]),
  }),
})

/** What `sfdisk --json` says of a disk. */
export function readPartitions(json: string): Partition[] {
  const { sectorsize, partitions } = sfdiskTable.parse(JSON.parse(json)).partitiontable
  return partitions.map(({ node, start, size, type }) => ({
    number: Number(/\d+$/.exec(node)?.[0] ?? 0),
    start: start * sectorsize,
    bytes: size * sectorsize,
    type: type.toUpperCase(),
  }))
}

const contents = [
  'ext4',
  'ext4 with an open journal',
  'btrfs',
  'XFS',
  'LVM',
  'LUKS',
  'something unknown',
] as const
type Content = (typeof contents)[number]

/** How much of the beginning of a partition `contentOf` wants. */
export const partitionHeadBytes = 0x1_1000

/** By the marks of the file systems themselves; types of partitions only say what someone meant. */
export function contentOf(head: Uint8Array): Content {
  const has = (at: number, text: string): boolean =>
    text.split('').every((letter, index) => head[at + index] === letter.charCodeAt(0))
  // include/linux and fs/ext4/ext4.h: magic at 0x38 of the superblock, incompatible features at 0x60, recovery among them 0x4.
  if (head[0x438] === 0x53 && head[0x439] === 0xef)
    return ((head[0x460] ?? 0) & 4) === 0 ? 'ext4' : 'ext4 with an open journal'
  if (has(0x1_0040, '_BHRfS_M')) return 'btrfs'
  if (has(0, 'XFSB')) return 'XFS'
  if (has(0, 'LUKS')) return 'LUKS'
  if ([0, 0x200, 0x400, 0x600].some((at) => has(at, 'LABELONE'))) return 'LVM'
  return 'something unknown'
}

/** The discoverable partitions of UAPI.2, as far as images of these architectures have them. */
const rootTypes: Readonly<Record<TreeArchitecture, string>> = {
  amd64: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  arm64: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE',
  armhf: '69DAD710-2CE4-4E3C-B16C-21A1D49ABED3',
}
const linuxTypes = ['0FC63DAF-8483-4772-8E79-3D69D8477DE4', '83']
const bootType = 'BC13C2FF-59E6-4262-A352-B275FD6F7172'
/** They say what they are, and hold no file system. */
const stacks: Readonly<Record<string, string>> = {
  'E6D6D379-F507-44C2-A23C-238F2A3DF928': 'LVM',
  '8E': 'LVM',
  'A19D880F-05FC-4D3B-A006-743F0F84911E': 'RAID',
  FD: 'RAID',
  'CA7D7CCB-63ED-4C53-861C-1742536059CC': 'LUKS',
}

/**
 * The one partition with Debian's root: of the type that says so, else the only one of Linux. Official images have besides only an ESP and
 * GRUB's own. Exit 65 when there is none, or none that is known to be it, or one that cannot be read file by file.
 */
export function chooseRoot<P extends Partition>(
  partitions: readonly (P & { readonly content: Content })[],
  architecture: TreeArchitecture,
  file: string,
): P {
  const layout = partitions.map(({ number, type, content }) => `${number}: ${stacks[type] ?? content}`)
  const among = layout.length === 0 ? '' : ` (${layout.join(', ')})`
  // The one entry of an MSDOS table that keeps others away from a GPT, which lies at both ends of the disk.
  if (partitions.some(({ type }) => type === 'EE'))
    throw refuse(file, 'it is damaged or cut off: its partition table (GPT) cannot be read')
  const own = partitions.filter(({ type }) => type === rootTypes[architecture])
  const candidates = own.length > 0 ? own : partitions.filter(({ type }) => linuxTypes.includes(type))
  const [root, second] = candidates
  if (root === undefined) {
    const other = partitions.find(({ type }) => Object.values(rootTypes).includes(type))
    const [of] = Object.entries(rootTypes).find(([, type]) => type === other?.type) ?? []
    throw of === undefined
      ? refuse(file, `it has no partition with a root file system${among}`)
      : refuse(file, `it is an image for ${of}, not for ${architecture}`, `image build --arch ${of}`)
  }
  if (second !== undefined)
    throw refuse(
      file,
      `it has several partitions that may be its root: ${candidates.map(({ number }) => number).join(', ')}${among}`,
    )
  if (partitions.some(({ type }) => type === bootType))
    throw refuse(file, 'its kernels lie on a partition of their own, not beside the root')
  if (root.content === 'ext4 with an open journal')
    throw refuse(
      file,
      'the file system of its root was not closed: a machine was running from it',
      'take an image as it was published, or boot it once and shut it down',
    )
  if (root.content !== 'ext4')
    throw refuse(file, `its root, partition ${root.number}, holds ${root.content}, not ext4`)
  return root
}

import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import {
  chooseRoot,
  contentOf,
  imageFormat,
  partitionHeadBytes,
  readPartitions,
  type Partition,
} from '../../../src/core/image/disk-image.ts'

type Found = Partition & { readonly content: ReturnType<typeof contentOf> }

const refused = (said: string): object =>
  expect.objectContaining({
    exitCode: exitCode.badInput,
    position: { file: 'image' },
    message: expect.stringContaining(said) as unknown,
  })

function thrown(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

/** The first sector, with these bytes at these places. */
function sector(bytes: Readonly<Record<number, readonly number[]>>): Uint8Array {
  const head = new Uint8Array(512)
  for (const [at, values] of Object.entries(bytes)) head.set(values, Number(at))
  return head
}

const qcow2 = { 0: [0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3] }

describe('a disk image', () => {
  test.each([
    ['qcow2', sector(qcow2)],
    ['raw', sector({ 510: [0x55, 0xaa] })],
    ['tar.xz', sector({ 0: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0] })],
  ])('is %s by what it begins with', (format, head) => {
    expect(imageFormat(head, 'image')).toBe(format)
  })

  test.each([
    ['a text', new TextEncoder().encode('<html>404 Not Found</html>'), 'it is no disk image'],
    ['an empty file', new Uint8Array(), 'it is no disk image'],
    ['compressed by something else', sector({ 0: [0x1f, 0x8b] }), 'it is compressed by gzip'],
    ['a difference to another image', sector({ ...qcow2, 15: [1] }), 'only the difference to another image'],
    ['with its data elsewhere', sector({ ...qcow2, 79: [4] }), 'it has its data in another file'],
    ['encrypted', sector({ ...qcow2, 35: [2] }), 'it is encrypted'],
    ['cut off', sector(qcow2).subarray(0, 40), 'it is cut off'],
  ])('that is %s is refused', (_what, head, said) => {
    expect(thrown(() => imageFormat(head, 'image'))).toEqual(refused(said))
  })
})

/** A head with a mark at its place, as the file system writes it. */
function marked(at: number, mark: string | readonly number[]): Uint8Array {
  const head = new Uint8Array(partitionHeadBytes)
  head.set(typeof mark === 'string' ? new TextEncoder().encode(mark) : mark, at)
  return head
}

test.each([
  ['ext4', marked(0x438, [0x53, 0xef])],
  ['btrfs', marked(0x1_0040, '_BHRfS_M')],
  ['XFS', marked(0, 'XFSB')],
  ['LUKS', marked(0, 'LUKS\xba\xbe')],
  ['LVM', marked(0x200, 'LABELONE')],
  ['something unknown', new Uint8Array(partitionHeadBytes)],
  ['something unknown', new Uint8Array()],
])('a partition holds %s by its mark', (content, head) => {
  expect(contentOf(head)).toBe(content)
})

test('a journal that would have to be replayed is seen', () => {
  const head = marked(0x438, [0x53, 0xef])
  head.set([0x46], 0x460)
  expect(contentOf(head)).toBe('ext4 with an open journal')
})

const official = JSON.stringify({
  partitiontable: {
    label: 'gpt',
    unit: 'sectors',
    sectorsize: 512,
    partitions: [
      { node: 'disk.raw1', start: 262144, size: 6027264, type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709' },
      { node: 'disk.raw14', start: 2048, size: 6144, type: '21686148-6449-6E6F-744E-656564454649' },
      { node: 'disk.raw15', start: 8192, size: 253952, type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B' },
    ],
  },
})

describe('the partitions of a disk', () => {
  test('are what sfdisk says, in bytes', () => {
    expect(readPartitions(official)).toEqual([
      { number: 1, start: 2 ** 27, bytes: 3085959168, type: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709' },
      expect.objectContaining({ number: 14, start: 2 ** 20 }),
      expect.objectContaining({ number: 15 }),
    ])
  })

  test('of an empty table are none', () => {
    expect(readPartitions('{"partitiontable": {"label": "gpt"}}')).toEqual([])
  })
})

describe('the root of an image', () => {
  const partition = (
    number: number,
    type: string,
    content: Found['content'] = 'something unknown',
  ): Found => ({
    number,
    start: number * 2 ** 20,
    bytes: 2 ** 20,
    type,
    content,
  })
  const generic = '0FC63DAF-8483-4772-8E79-3D69D8477DE4'
  const ofAmd64 = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'
  const esp = partition(15, 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B')
  const biosGrub = partition(14, '21686148-6449-6E6F-744E-656564454649')
  const chosen = (...partitions: Found[]): unknown => thrown(() => chooseRoot(partitions, 'amd64', 'image'))

  test.each([
    ['of the type of this architecture', [partition(1, ofAmd64, 'ext4'), biosGrub, esp], 1],
    ['of the general type of Linux', [partition(1, generic, 'ext4'), biosGrub, esp], 1],
    ['in an MSDOS table', [partition(1, '83', 'ext4')], 1],
    [
      'that says it is the root, beside another one',
      [partition(3, generic, 'ext4'), partition(1, ofAmd64, 'ext4')],
      1,
    ],
  ])('is the one %s', (_what, partitions, number) => {
    expect(chosen(...partitions)).toMatchObject({ number })
  })

  test.each([
    [
      'nothing but boot partitions',
      [biosGrub, esp],
      'it has no partition with a root file system (14: something unknown',
    ],
    ['no partitions', [], 'it has no partition with a root file system'],
    ['half a GPT', [partition(1, 'EE')], 'it is damaged or cut off'],
    ['a volume group', [esp, partition(2, 'E6D6D379-F507-44C2-A23C-238F2A3DF928')], '2: LVM'],
    [
      'a volume group on a partition of Linux',
      [partition(1, generic, 'LVM')],
      'its root, partition 1, holds LVM',
    ],
    ['btrfs', [partition(1, ofAmd64, 'btrfs'), esp], 'its root, partition 1, holds btrfs, not ext4'],
    [
      'two candidates',
      [partition(1, generic, 'ext4'), partition(2, generic, 'ext4')],
      'may be its root: 1, 2',
    ],
    ['a system that is running', [partition(1, ofAmd64, 'ext4 with an open journal')], 'was not closed'],
    [
      'kernels elsewhere',
      [partition(1, ofAmd64, 'ext4'), partition(16, 'BC13C2FF-59E6-4262-A352-B275FD6F7172')],
      'its kernels lie on a partition of their own',
    ],
    [
      'another architecture',
      [partition(1, 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE', 'ext4'), esp],
      'it is an image for arm64, not for amd64',
    ],
  ])('is not guessed where there is %s', (_what, partitions, said) => {
    expect(chosen(...partitions)).toEqual(refused(said))
  })
})

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readImageRoot, type ImageRoot } from '../../../src/adapters/image/disk-image.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { requirePart } from '../../support/require-part.ts'

// A disk of 32 MiB with the partitions of an official image, and hardly a system on it: as far as reading goes.

const path = `${process.env['PATH']}:/usr/sbin:/sbin`
const run = (program: string, args: readonly string[], input = ''): string =>
  execFileSync(program, args, { encoding: 'utf8', input, env: { ...process.env, PATH: path }, stdio: 'pipe' })

function missing(): string | undefined {
  const lacking = ['sfdisk', 'mke2fs', 'qemu-img', 'setcap', 'xz'].filter((each) => {
    try {
      run('sh', ['-c', `command -v ${each}`])
      return false
    } catch {
      return true
    }
  })
  if (lacking.length > 0)
    return `there is no ${lacking.join(', ')}: apt-get install fdisk e2fsprogs qemu-utils libcap2-bin xz-utils`
  return process.getuid?.() === 0 ? undefined : 'only root can read disk images'
}
const skip = requirePart('DISK_IMAGE', missing())

const scratch = mkdtempSync(join(tmpdir(), 'k3os-disk-image-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

const wish = { release: 'trixie', architecture: 'amd64', extras: [], firmware: true } as const
const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

function makeDisk(): string {
  const root = join(scratch, 'root')
  const write = (name: string, text: string): void => {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  write('usr/lib/os-release', 'ID=debian\nVERSION_CODENAME=trixie\n')
  write(
    'var/lib/dpkg/status',
    ['dpkg', 'grub-common']
      .map((name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n`)
      .join(''),
  )
  write('etc/hostname', 'of the image\n')
  write('etc/apt/sources.list.d/debian.sources', 'Types: deb\n')
  write('usr/bin/ping', 'not a program\n')
  write('usr/bin/kept', 'one file, two names\n')
  run('sh', [
    '-euc',
    `cd "$1"; ln usr/bin/kept usr/bin/again; setcap cap_net_raw+ep usr/bin/ping; mkdir home; chown 4000:4001 home; chmod 2750 home`,
    'sh',
    root,
  ])
  const disk = join(scratch, 'disk.raw')
  run('truncate', ['-s', '32M', disk])
  const table = [
    'label: gpt',
    '1 : start=16384, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
    '14 : start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649',
    '15 : start=4096, size=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  ]
  run('sfdisk', ['--quiet', disk], `${table.join('\n')}\n`)
  run('mke2fs', ['-q', '-t', 'ext4', '-d', root, '-E', `offset=${16384 * 512}`, disk, '20M'])
  return disk
}

describe.skipIf(skip)('the root of a disk image', () => {
  let disk: string
  let before: string
  const read = async (file: string, changes: object = {}): Promise<ImageRoot> => {
    const work = mkdtempSync(join(scratch, 'work-'))
    return readImageRoot(file, { ...wish, ...changes }, work, () => undefined, new AbortController().signal)
  }
  beforeAll(() => {
    disk = makeDisk()
    before = digest(disk)
  })

  test('is read as it is: owners, modes, hard links and capabilities, and the image is not touched', async () => {
    const { archive, status, origin } = await read(disk)
    expect(status).toContain('Package: grub-common\n')
    expect(origin).toEqual({ file: 'disk.raw', sha256: before })
    expect(digest(disk)).toBe(before)
    const out = mkdtempSync(join(scratch, 'out-'))
    run('tar', ['-xpf', archive, '-C', out, '--numeric-owner', '--xattrs', '--xattrs-include=*'])
    expect(run('stat', ['-c', '%u:%g %a', join(out, 'home')]).trim()).toBe('4000:4001 2750')
    expect(run('stat', ['-c', '%h', join(out, 'usr/bin/again')]).trim()).toBe('2')
    expect(run('getcap', [join(out, 'usr/bin/ping')])).toContain('cap_net_raw=ep')
    expect(run('find', [out, '-path', '*/etc/*', '-type', 'f'])).toBe('')
  })

  test('leaves nothing mounted, and no loop device', async () => {
    await read(disk)
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(scratch)
    expect(run('losetup', ['--all'])).not.toContain(scratch)
  })

  test.each([
    ['a qcow2', (file: string) => run('qemu-img', ['convert', '-c', '-O', 'qcow2', disk, file])],
    ['an archive', (file: string) => run('tar', ['-cJf', file, '-C', scratch, 'disk.raw'])],
  ])('is the same from %s', async (_what, make) => {
    const file = join(mkdtempSync(join(scratch, 'other-')), 'image')
    make(file)
    const [one, other] = [await read(disk), await read(file)]
    expect(digest(other.archive)).toBe(digest(one.archive))
  })

  test('of another release is refused', async () => {
    await expect(read(disk, { release: 'bookworm' })).rejects.toMatchObject({
      exitCode: exitCode.badInput,
      message: expect.stringContaining('not Debian 12 (bookworm)') as unknown,
    })
  })

  test.each([
    [
      'an image that is cut off',
      'it is damaged or cut off',
      (file: string) => {
        run('qemu-img', ['convert', '-c', '-O', 'qcow2', disk, file])
        run('truncate', ['-s', '4096', file])
      },
    ],
    [
      'an archive without a disk',
      'disk.raw: Not found in archive',
      (file: string) => run('tar', ['-cJf', file, '-C', scratch, 'root']),
    ],
    [
      'a boot sector without a table',
      'it has no partition with a root file system',
      (file: string) => {
        const sector = Buffer.alloc(4096)
        sector.writeUInt16BE(0x55aa, 510)
        sector.write('FAT32', 82)
        writeFileSync(file, sector)
      },
    ],
  ])('is not read from %s', async (_what, said, make) => {
    const file = join(mkdtempSync(join(scratch, 'bad-')), 'image')
    make(file)
    await expect(read(file)).rejects.toMatchObject({
      exitCode: exitCode.badInput,
      message: expect.stringContaining(said) as unknown,
    })
  })

  test('is not read from a raw disk that is cut off', async () => {
    const file = join(scratch, 'cut.raw')
    writeFileSync(file, readFileSync(disk).subarray(0, 2 ** 24))
    await expect(read(file)).rejects.toMatchObject({
      exitCode: exitCode.badInput,
      message: expect.stringContaining('it is damaged or cut off') as unknown,
    })
  })

  test('is not read from a file that is not there', async () => {
    await expect(read(join(scratch, 'none'))).rejects.toMatchObject({ exitCode: exitCode.io })
  })
})

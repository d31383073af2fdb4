import { describe, expect, test } from 'vitest'
import { checksumLines, installedPackages, requireBootable } from '../../../src/core/image/root-tree.ts'

const bootable = ['vmlinuz', 'initrd.img', 'state', 'usr/sbin/sshd']

describe('a root tree', () => {
  test.each([
    ['without a kernel', bootable.filter((path) => path !== 'vmlinuz'), 'it has no /vmlinuz'],
    ['with update-grub', [...bootable, 'usr/sbin/update-grub'], 'it has /usr/sbin/update-grub'],
  ])('%s is refused', (_what, paths, said) => {
    expect(() => {
      requireBootable(new Set(paths), 'tree.tar')
    }).toThrow(said)
  })

  test('with all that it needs is not', () => {
    expect(() => {
      requireBootable(new Set(bootable), 'tree.tar')
    }).not.toThrow()
  })

  test('is verified by lines that busybox and coreutils read alike', () => {
    const files = [
      { path: 'a b', sha256: 'aa' },
      { path: String.raw`c\x2dd`, sha256: 'bb' },
    ]
    expect(checksumLines(files)).toBe('aa  ./a b\n' + String.raw`bb  ./c\x2dd` + '\n')
  })

  test('has no file with a line end in its name', () => {
    expect(() => checksumLines([{ path: 'c\nd', sha256: 'aa' }])).toThrow(/line end in its name: "c\\nd"/)
  })
})

describe('the packages of a root tree', () => {
  const stanza = (name: string, status: string): string =>
    `Package: ${name}\nStatus: ${status}\nMaintainer: someone\nVersion: 1:2.3-4\nDescription: text\n Package: not this one\n`

  test('are those that dpkg has installed, sorted', () => {
    const status = [
      stanza('zstd', 'install ok installed'),
      stanza('apt', 'install ok installed'),
      stanza('gone', 'deinstall ok not-installed'),
    ].join('\n')
    expect(installedPackages(status)).toEqual([
      { name: 'apt', version: '1:2.3-4' },
      { name: 'zstd', version: '1:2.3-4' },
    ])
  })

  test('may not be half installed', () => {
    expect(() => installedPackages(stanza('linux', 'install ok half-configured'))).toThrow(
      'linux was not installed: its state is "install ok half-configured"',
    )
  })
})

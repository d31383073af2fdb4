import { describe, expect, test } from 'vitest'
import { chosenMirrors, treeId, treePackages, treeSources } from '../../../src/core/image/packages.ts'

const wish = { release: 'trixie', architecture: 'amd64', extras: [], firmware: true } as const

describe('the packages of a root tree', () => {
  test.each([
    ['amd64', 'linux-image-amd64'],
    ['arm64', 'linux-image-arm64'],
    ['armhf', 'linux-image-armmp'],
  ] as const)('have for %s the kernel with all drivers', (architecture, kernel) => {
    expect(treePackages({ ...wish, architecture }).filter((name) => name.startsWith('linux-image'))).toEqual([
      kernel,
    ])
  })

  test('have nothing that fights with what leads back to k3OS', () => {
    expect(treePackages({ ...wish, extras: ['iscsi', 'nfs'] }).join(' ')).not.toMatch(
      /grub|cloud-init|netplan/,
    )
  })

  test('have clients of storage only where they are wanted', () => {
    const clients = ['open-iscsi', 'nfs-common']
    expect(treePackages(wish).filter((name) => clients.includes(name))).toEqual([])
    expect(
      treePackages({ ...wish, extras: ['iscsi', 'nfs'] }).filter((name) => clients.includes(name)),
    ).toEqual(clients)
  })

  test('name firmware as each release names it', () => {
    const intel = (release: 'trixie' | 'bookworm'): boolean =>
      treePackages({ ...wish, release }).includes('firmware-intel-misc')
    expect([intel('trixie'), intel('bookworm')]).toEqual([true, false])
  })

  test('have microcode only for processors that take it', () => {
    expect(treePackages({ ...wish, architecture: 'arm64' }).join(' ')).not.toContain('microcode')
  })

  test('have no firmware where it is not wanted', () => {
    expect(treePackages({ ...wish, firmware: false }).join(' ')).not.toMatch(/firmware|microcode/)
  })
})

describe('the sources of a root tree', () => {
  const said = (sources: ReturnType<typeof treeSources>): string[] =>
    sources.map(({ uri, suite, components }) => [uri, suite, ...components].join(' '))

  test("are Debian's own, with security updates and the section of firmware", () => {
    expect(said(treeSources(wish, chosenMirrors(undefined, undefined)))).toEqual([
      'http://deb.debian.org/debian trixie main non-free-firmware',
      'http://deb.debian.org/debian-security trixie-security main non-free-firmware',
    ])
  })

  test('have nothing of non-free-firmware without firmware', () => {
    const sources = treeSources({ ...wish, firmware: false }, chosenMirrors(undefined, undefined))
    expect(sources.map(({ components }) => components)).toEqual([['main'], ['main']])
  })

  test('with a mirror of your own have security updates only from where you say', () => {
    const mine = 'http://mirror.example/debian'
    expect(said(treeSources(wish, chosenMirrors(mine, undefined)))).toEqual([
      `${mine} trixie main non-free-firmware`,
    ])
    const both = treeSources({ ...wish, release: 'bookworm' }, chosenMirrors(mine, 'http://s.example'))
    expect(both.map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
      `${mine} bookworm`,
      'http://s.example bookworm-security',
    ])
  })
})

test('trees with different content have different names, which can name a folder on a node', () => {
  const names = [
    treeId(wish),
    treeId({ ...wish, release: 'bookworm' }),
    treeId({ ...wish, extras: ['nfs', 'iscsi'] }),
    treeId({ ...wish, firmware: false }),
  ]
  expect(names).toEqual([
    'debian-13-amd64',
    'debian-12-amd64',
    'debian-13-amd64-iscsi-nfs',
    'debian-13-amd64-nofirmware',
  ])
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9-]*$/)
})

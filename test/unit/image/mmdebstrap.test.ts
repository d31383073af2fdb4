import { describe, expect, test } from 'vitest'
import { mmdebstrapArguments } from '../../../src/adapters/image/mmdebstrap.ts'

const build = {
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['linux-image-amd64', 'openssh-server'],
  sources: [{ uri: 'http://deb.debian.org/debian', suite: 'trixie', components: ['main'] }],
  overlay: '/build/overlay.tar',
  cache: '/cache',
  epoch: 1,
  onLine: () => undefined,
  signal: new AbortController().signal,
}
const base = {
  archive: "/build/it's.tar",
  kernel: 'linux-image-amd64',
  removed: ['cloud-init', 'grub-common'],
}

/** Where the argument is that has this in it. */
const at = (argv: readonly string[], part: string): number => argv.findIndex((each) => each.includes(part))

describe('a root tree from an image', () => {
  const argv = mmdebstrapArguments({ ...build, base })

  test('differs from one of packages only in what it begins with', () => {
    const without = (all: readonly string[]): string[] =>
      all.filter((each) => !/^--(variant|include|skip)=|tar --extract|packages\.sh/.test(each))
    expect(without(argv)).toEqual(without(mmdebstrapArguments(build)))
  })

  test('has its files first, then what is ours, then its packages, and is cleaned at the end', () => {
    const order = ['tar --extract', 'tar-in', 'packages.sh', 'iptables-legacy', 'ssh_host_'].map((part) =>
      at(argv, part),
    )
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order).not.toContain(-1)
  })

  test('keeps owners, modes, lists of rights and capabilities', () => {
    expect(argv[at(argv, 'tar --extract')]).toBe(
      `--setup-hook=tar --extract --file '/build/it'\\''s.tar' --numeric-owner --preserve-permissions --acls --xattrs --xattrs-include='*' --directory "$1"`,
    )
  })

  test('gets what a tree needs, and loses what it must not have, in one request', () => {
    expect(argv[at(argv, 'packages.sh')]).toMatch(
      /packages\.sh' "\$1" 'linux-image-amd64' 'linux-image-amd64' 'openssh-server' 'cloud-init-' 'grub-common-'$/,
    )
  })
})

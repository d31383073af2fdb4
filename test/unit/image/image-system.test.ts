import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { osReleasePath, requireSystem, unwantedPackages } from '../../../src/core/image/image-system.ts'
import { packageStatusPath } from '../../../src/core/image/root-tree.ts'

const wish = { release: 'trixie', architecture: 'amd64', extras: [], firmware: true } as const

const stanza = (name: string, state = 'install ok installed', architecture = 'amd64'): string =>
  `Package: ${name}\nStatus: ${state}\nArchitecture: ${architecture}\nVersion: 1\n\n`

const debian13 = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_CODENAME=trixie\n'

function said(osRelease: string | undefined, status = stanza('dpkg')): unknown {
  const texts = new Map([[packageStatusPath, status]])
  if (osRelease !== undefined) texts.set(osReleasePath, osRelease)
  try {
    return requireSystem(texts, wish, 'image')
  } catch (error) {
    return error
  }
}

describe('the system in an image', () => {
  test('is the one that was asked for', () => {
    expect(said(debian13)).toBeUndefined()
  })

  test.each([
    [
      'another release',
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n',
      stanza('dpkg'),
      'it holds Debian GNU/Linux 12 (bookworm), not Debian 13 (trixie)',
      'say which release it is: --release bookworm',
    ],
    [
      'a release that no tree is made of',
      'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\nVERSION_CODENAME=forky\n',
      stanza('dpkg'),
      'it holds Debian GNU/Linux forky/sid, not Debian 13',
      'take an image of trixie or bookworm',
    ],
    [
      'another distribution',
      'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n',
      stanza('dpkg'),
      'it holds Ubuntu 24.04.3 LTS, and a root tree is made of Debian',
      'cloud.debian.org',
    ],
    ['nothing', undefined, '', 'no system is installed in it', 'cloud.debian.org'],
    [
      'programs of another architecture',
      debian13,
      stanza('dpkg', 'install ok installed', 'arm64'),
      'it is an image for arm64, not for amd64',
      '--arch',
    ],
    ['no packages', debian13, '', 'it has no list of its packages', 'amd64'],
  ])('that is %s is refused', (_what, osRelease, status, message, hint) => {
    expect(said(osRelease, status)).toMatchObject({
      exitCode: exitCode.badInput,
      position: { file: 'image' },
      message: expect.stringContaining(message) as unknown,
      hint: expect.stringContaining(hint) as unknown,
    })
  })
})

describe('packages that an image has, and a root tree must not have', () => {
  const from = (...names: string[]): string[] => unwantedPackages(names.map((name) => stanza(name)).join(''))

  test.each([
    ['cloud-init and what grows a disk', ['cloud-init', 'cloud-guest-utils', 'cloud-initramfs-growroot']],
    [
      'boot loaders',
      ['grub-cloud-amd64', 'grub-efi-amd64-signed', 'os-prober', 'shim-signed', 'systemd-boot'],
    ],
    ['what sets up a network', ['ifupdown', 'netplan.io', 'network-manager']],
    ['the kernel without drivers', ['linux-image-cloud-amd64']],
    ['what installs kernels by itself', ['unattended-upgrades']],
  ])('are %s', (_what, names) => {
    expect(from(...names)).toEqual(names.toSorted())
  })

  test('are not what a root tree has itself', () => {
    expect(from('linux-image-amd64', 'openssh-server', 'systemd', 'udev', 'libnetplan1', 'python3')).toEqual(
      [],
    )
  })

  test('are not those that are gone already', () => {
    expect(unwantedPackages(stanza('grub-pc', 'deinstall ok config-files'))).toEqual([])
  })
})

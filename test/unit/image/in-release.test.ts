import { describe, expect, test } from 'vitest'
import { readInRelease, requireRelease } from '../../../src/core/image/in-release.ts'

const text = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Suite: stable-security
Codename: trixie-security
Date: Sat, 21 Nov 2026 09:15:44 UTC
Architectures: all amd64 arm64
Components: updates/main non-free-firmware
`
const wanted = {
  uri: 'http://mirror.example/debian',
  suite: 'trixie-security',
  architecture: 'amd64',
  components: ['main', 'non-free-firmware'],
}

describe("a mirror's list", () => {
  test('says what it is of, and of when', () => {
    expect(readInRelease(text, 'http://x')).toEqual({
      codename: 'trixie-security',
      date: 'Sat, 21 Nov 2026 09:15:44 UTC',
      architectures: ['all', 'amd64', 'arm64'],
      components: ['main', 'non-free-firmware'],
    })
  })

  test('that is some other page is refused', () => {
    expect(() => readInRelease('<html>please log in</html>', 'http://x/InRelease')).toThrow(
      'what http://x/InRelease answers is no list of a Debian release',
    )
  })

  test('that has all is accepted', () => {
    expect(() => {
      requireRelease(readInRelease(text, 'u'), wanted)
    }).not.toThrow()
  })

  test.each([
    [{ suite: 'bookworm-security' }, 'gives trixie-security when asked for bookworm-security'],
    [{ architecture: 'armhf' }, 'has no packages for armhf in trixie-security'],
    [{ components: ['contrib'] }, 'has no contrib in trixie-security'],
  ])('without %o is refused', (change, said) => {
    expect(() => {
      requireRelease(readInRelease(text, 'u'), { ...wanted, ...change })
    }).toThrow(`${wanted.uri} ${said}`)
  })
})

import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { buildFailure, hostTools, imageFailure, missingTools } from '../../../src/core/image/build-failure.ts'

// Lines as apt 2.6, apt-helper and mmdebstrap 1.3 print them.
const failures: readonly (readonly [
  name: string,
  lines: readonly string[],
  code: number,
  message: string,
  hint: string,
])[] = [
  [
    'a full disk',
    [
      'dpkg-deb: error: paste subprocess was killed by signal (Broken pipe)',
      " cannot copy extracted data for './usr/x' to '/usr/x.dpkg-new': failed to write (No space left on device)",
      'E: apt-get install failed',
    ],
    exitCode.io,
    'the disk is full',
    'TMPDIR=',
  ],
  [
    'a mirror that nobody answers for',
    [
      'E: Failed to fetch http://127.0.0.1:9/debian/dists/trixie/InRelease  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)',
      'E: Download Failed',
    ],
    exitCode.io,
    'the mirror does not answer: Failed to fetch http://127.0.0.1:9/debian/dists/trixie/InRelease  Could not connect',
    '--mirror URL',
  ],
  [
    'a name that nobody knows',
    [
      "E: Failed to fetch http://no.example/debian/dists/trixie/InRelease  Could not resolve 'no.example'",
      'E: Download Failed',
    ],
    exitCode.io,
    'the mirror does not answer',
    'proxy of apt',
  ],
  [
    'a mirror without this release',
    [
      'E: Failed to fetch http://mirror.example/debian/dists/trixie/InRelease  404  Not Found [IP: 192.0.2.80 80]',
      'E: Download Failed',
    ],
    exitCode.badInput,
    'the mirror has no such release',
    '--release',
  ],
  [
    'keys that this machine does not know',
    [
      'W: GPG error: http://mirror.example trixie InRelease: The following signatures could not be verified: NO_PUBKEY 762F67A0B2C39DE4',
      "E: The repository 'http://mirror.example trixie InRelease' is not signed.",
    ],
    exitCode.badInput,
    "not signed with Debian's keys",
    'debian-archive-keyring',
  ],
  [
    'a mirror without all packages',
    ['E: Unable to locate package firmware-bnx2', 'E: apt-get --yes install failed'],
    exitCode.badInput,
    'the mirror lacks packages: Unable to locate package firmware-bnx2',
    '--no-firmware',
  ],
  [
    'a user without the right',
    ['E: unable to open /etc/subuid: No such file or directory'],
    exitCode.permission,
    'this user may not make a root tree',
    'sudo',
  ],
  [
    'anything else',
    ['Setting up x', 'E: something new', 'I: removing tempdir'],
    exitCode.io,
    'mmdebstrap failed: something new',
    'above',
  ],
  ['silence', [], exitCode.io, 'mmdebstrap failed: it said nothing', 'above'],
]

describe('a failed build names its cause, and what to do', () => {
  test.each(failures)('%s', (_name, lines, code, message, hint) => {
    const failure = buildFailure('mmdebstrap', lines)
    expect(failure.exitCode).toBe(code)
    expect(failure.message).toContain(message)
    expect(failure.message).not.toContain('\n')
    expect(failure.hint).toContain(hint)
  })
})

describe('tools that are missing', () => {
  test('are named with one command that installs them all', () => {
    const failure = missingTools(hostTools({ root: true, foreign: false }))
    expect(failure.exitCode).toBe(exitCode.io)
    expect(failure.hint).toMatch(/^apt-get install mmdebstrap apt debian-archive-keyring /)
  })

  test.each([
    ['without root, one that maps users', { root: false, foreign: false }, 'uidmap'],
    [
      'for another architecture, one that runs its programs',
      { root: true, foreign: true },
      'qemu-user-static',
    ],
  ])('include %s', (_name, how, wanted) => {
    expect(hostTools(how).map((tool) => tool.package)).toContain(wanted)
    expect(hostTools({ root: true, foreign: false }).map((tool) => tool.package)).not.toContain(wanted)
  })
})

test('a command of a hook that fails is told by what failed in it', () => {
  const failure = buildFailure('mmdebstrap', [
    'E: Essential packages were removed and -y was used without --allow-remove-essential.',
    "E: setup failed: E: command failed: sh packages.sh 'linux-image-amd64'",
    'E: mmdebstrap failed to run',
  ])
  expect(failure.message).toBe(
    'mmdebstrap failed: Essential packages were removed and -y was used without --allow-remove-essential.',
  )
})

describe('a disk image that cannot be read', () => {
  const failure = imageFailure('image', 'it cannot be unpacked')

  test('is named with what the program said last', () => {
    const lines = [
      'tar: disk.raw: Not found in archive',
      'tar: Exiting with failure status due to previous errors',
    ]
    expect(failure(lines)).toMatchObject({
      exitCode: exitCode.badInput,
      message: 'it cannot be unpacked: tar: disk.raw: Not found in archive',
      position: { file: 'image' },
    })
  })

  test.each([
    [
      'there are no loop devices',
      'mount: /x: failed to setup loop device for /x/disk.raw.',
      exitCode.permission,
    ],
    ['the disk is full', 'qemu-img: error while writing at byte 0: No space left on device', exitCode.io],
  ])('is not to blame when %s', (_what, line, code) => {
    expect(failure([line]).exitCode).toBe(code)
    expect(failure([line]).position).toBeUndefined()
  })
})

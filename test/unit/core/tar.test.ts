import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gzip, tar } from '../../../src/core/tar.ts'
import { tarEntries } from '../../support/tar-listing.ts'

const content = new TextEncoder().encode('x\n')

/** What GNU tar says is in the archive. */
function listed(archive: Uint8Array): string[] {
  const { stdout } = spawnSync('tar', ['-tvf', '-', '--quoting-style=literal'], {
    input: archive,
    encoding: 'utf8',
  })
  return stdout.trimEnd().split('\n')
}

describe('an archive', () => {
  it('has modes, owners, links and no time', () => {
    const archive = tar(
      [
        { path: 'etc/shadow', mode: 0o600, owner: 'root:root', content },
        { path: 'home/rancher/x', mode: 0o640, owner: 'rancher:1000', content },
        {
          path: 'etc/runlevels/boot/x',
          mode: 0o777,
          owner: 'root:root',
          content: new Uint8Array(),
          link: '/etc/init.d/x',
        },
      ],
      { rancher: 1000 },
    )
    expect(tarEntries(archive).map(({ path, mode, owner, kind }) => [path, mode, owner, kind])).toEqual([
      ['etc/shadow', '0600', 'root:root', 'file'],
      ['home/rancher/x', '0640', 'rancher:1000', 'file'],
      ['etc/runlevels/boot/x', '0777', 'root:root', 'link'],
    ])
    expect(listed(archive)).toEqual([
      expect.stringMatching(/^-rw------- root\/root +2 1970-01-01 .* etc\/shadow$/),
      expect.stringMatching(/^-rw-r----- rancher\/1000 +2 .* home\/rancher\/x$/),
      expect.stringMatching(/^lrwxrwxrwx .* etc\/runlevels\/boot\/x -> \/etc\/init\.d\/x$/),
    ])
  })

  it('keeps names and links of any length', () => {
    const path = `etc/${'long/'.repeat(40)}name`
    const link = `../${'far/'.repeat(40)}away`
    const archive = tar([
      { path, mode: 0o644, owner: '0:0', content },
      { path: 'x', mode: 0o777, owner: '0:0', content: new Uint8Array(), link },
      { path: `${path}2`, mode: 0o777, owner: '0:0', content: new Uint8Array(), link },
    ])
    expect(listed(archive)).toEqual([
      expect.stringContaining(` ${path}`),
      expect.stringContaining(` x -> ${link}`),
      expect.stringContaining(` ${path}2 -> ${link}`),
    ])
  })

  it('gives back what went in, whatever it is', () => {
    const name = fc.stringMatching(/^[a-z0-9äß._-]{1,60}$/)
    const entry = fc.record({
      path: fc.array(name, { minLength: 1, maxLength: 5 }),
      bytes: fc.uint8Array({ maxLength: 2000 }),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const read = tarEntries(
          gzip(
            tar(
              entries.map(({ path, bytes }) => ({
                path: path.join('/'),
                mode: 0o644,
                owner: 'root:root',
                content: bytes,
              })),
            ),
          ),
        )
        expect(read.map(({ path }) => path)).toEqual(entries.map(({ path }) => path.join('/')))
        expect(read.map((one) => [...one.content])).toEqual(entries.map(({ bytes }) => [...bytes]))
      }),
      { numRuns: 100 },
    )
  })
})

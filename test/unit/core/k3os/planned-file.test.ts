import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { K3osFile } from '../../../../src/core/k3os/config.ts'
import { planFile, textOf } from '../../../../src/core/k3os/planned-file.ts'

function plan(changes: Partial<K3osFile>): ReturnType<typeof planFile> {
  return planFile({ path: '/etc/a', content: 'x', encoding: '', owner: '', permissions: '', ...changes })
}

function content(changes: Partial<K3osFile>): string | null {
  const planned = plan(changes)
  return 'stage' in planned ? `skipped: ${planned.problem}` : textOf(planned)
}

const packed = gzipSync('hello')

describe('content', () => {
  test.each(['b64', 'base64'])('encoding %s', (encoding) => {
    expect(content({ encoding, content: 'aGVs\nbG8=\n' })).toBe('hello')
  })

  test.each(['gz+b64', 'gzip+b64', 'gz+base64', 'gzip+base64'])('encoding %s', (encoding) => {
    expect(content({ encoding, content: packed.toString('base64') })).toBe('hello')
  })

  test.each(['B64', 'text/plain', 'b64+gzip', ' b64'])('encoding %j is none', (encoding) => {
    expect(content({ encoding })).toBe(`skipped: unsupported encoding ${JSON.stringify(encoding)}`)
  })

  test('a damaged archive is refused', () => {
    const damaged = Buffer.from(packed)
    damaged[damaged.length - 8] = (damaged.at(-8) ?? 0) ^ 1
    expect(content({ encoding: 'gz+b64', content: damaged.toString('base64') })).toMatch(
      /^skipped: .*checksum/,
    )
    expect(content({ encoding: 'gz+b64', content: packed.subarray(0, 12).toString('base64') })).toMatch(
      /^skipped/,
    )
    expect(content({ encoding: 'gz+b64', content: 'H4sI' })).toMatch(/^skipped/)
  })

  test('binary content is no text', () => {
    expect(content({ encoding: 'b64', content: 'AP8=' })).toBeNull()
  })
})

describe('permissions', () => {
  test.each([
    ['', 0o644],
    ['0600', 0o600],
    ['755', 0o755],
    ['4755', 0o755],
    ['+0640', 0o640],
  ])('%j', (permissions, mode) => {
    expect(plan({ permissions })).toMatchObject({ mode })
  })

  test.each(['u+x', '0o600', '0888', ' 0644', '77777777777777'])('%j skips the file', (permissions) => {
    expect(plan({ permissions })).toMatchObject({ stage: 'write' })
  })
})

describe('paths', () => {
  test.each([
    ['etc/a', '/etc/a'],
    ['/../etc//./b/../a', '/etc/a'],
    ['/a/', '/a'],
  ])('%s is written to %s', (path, written) => {
    expect(plan({ path })).toMatchObject({ path: written })
  })

  test('without a path there is nothing to write', () => {
    expect(plan({ path: '' })).toMatchObject({ stage: 'write' })
  })
})

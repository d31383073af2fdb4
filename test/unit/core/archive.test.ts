import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { readTar, writeTar } from '../../../src/core/archive.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const files = new Map([
  ['b.txt', bytes('second')],
  ['a/a.txt', bytes('')],
])

const segment = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/)
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))

describe('an archive', () => {
  test('has the same bytes whatever the order of its files', () => {
    expect(writeTar(new Map([...files].toReversed()))).toEqual(writeTar(files))
  })

  test('gives back any files', () => {
    fc.assert(
      fc.property(fc.dictionary(path, fc.uint8Array({ maxLength: 1200 }), { maxKeys: 6 }), (record) => {
        const written = new Map(Object.entries(record))
        expect(Object.fromEntries(readTar(writeTar(written), 'x.tar'))).toEqual(record)
      }),
    )
  })

  test.each(['../a', '/a', 'a//b', './a', '', 'x'.repeat(101)])('takes no file named %j', (name) => {
    expect(() => writeTar(new Map([[name, bytes('')]]))).toThrow(RangeError)
  })
})

describe('what is no archive of ours is refused with 65:', () => {
  const good = writeTar(files)
  const changed = (change: (copy: Uint8Array) => void): Uint8Array => {
    const copy = good.slice()
    change(copy)
    return copy
  }
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a text', bytes('{"kind":"Evidence"}'.repeat(100))],
    ['one that was cut', good.subarray(0, 700)],
    ['one without its end', good.subarray(0, good.length - 512)],
    ['one with something behind its end', new Uint8Array([...good, ...new Uint8Array(512)])],
    ['one whose header was changed', changed((copy) => copy.set(bytes('c'), 0))],
    ['one with a file twice', new Uint8Array([...good.subarray(0, good.length - 1024), ...good])],
  ])('%s', (_, content) => {
    expect(() => readTar(content, 'x.tar')).toThrow(
      expect.objectContaining({ exitCode: exitCode.badInput, position: { file: 'x.tar' } }),
    )
  })
})

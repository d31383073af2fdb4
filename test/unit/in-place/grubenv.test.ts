import { describe, expect, test } from 'vitest'
import {
  changedGrubEnvironment,
  readGrubEnvironment,
  writeGrubEnvironment,
} from '../../../src/core/in-place/grubenv.ts'

const empty = writeGrubEnvironment(new Map())
const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)

describe("GRUB's environment block", () => {
  test('is 1024 bytes with the first line of grub-editenv', () => {
    expect(empty).toHaveLength(1024)
    expect(text(empty)).toMatch(/^# GRUB Environment Block\n#+$/)
  })

  test('keeps what others set, and puts ours into the first sector', () => {
    const long = 'x'.repeat(450)
    const before = writeGrubEnvironment(new Map([['theirs', long]]))
    const armed = changedGrubEnvironment(before, { next_entry: 'trial' })
    expect(readGrubEnvironment(armed)).toEqual(
      new Map([
        ['next_entry', 'trial'],
        ['theirs', long],
      ]),
    )
    expect(text(armed).indexOf('next_entry=trial\n')).toBeLessThan(512)
  })

  test('is the same again when what was set is removed', () => {
    const armed = changedGrubEnvironment(empty, { next_entry: 'trial', saved_entry: 'new' })
    expect(changedGrubEnvironment(armed, { next_entry: null, saved_entry: null })).toEqual(empty)
  })

  test('carries backslashes and line ends as GRUB escapes them', () => {
    const variables = new Map([['kernelopts', 'a\\b\nc']])
    expect(readGrubEnvironment(writeGrubEnvironment(variables))).toEqual(variables)
  })

  test('is empty after GRUB has cleared it', () => {
    const cleared = text(changedGrubEnvironment(empty, { next_entry: 'x' })).replace(
      'next_entry=x',
      'next_entry=',
    )
    expect(readGrubEnvironment(new TextEncoder().encode(`${cleared}#`)).get('next_entry')).toBe('')
  })

  test.each([
    ['a short file', empty.subarray(0, 1000)],
    ['zeros', new Uint8Array(1024)],
  ])('is refused when it is %s', (_what, bytes) => {
    expect(() => readGrubEnvironment(bytes)).toThrow('not an environment block')
  })

  test('is refused when full', () => {
    expect(() => changedGrubEnvironment(empty, { other: 'x'.repeat(1000) })).toThrow('no room')
  })
})

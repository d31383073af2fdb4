import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64Decode, firstInvalidUtf8, utf8Decode, utf8Encode } from '../../../../src/core/k3os/bytes.ts'
import { toBase64 } from '../../../../src/core/base64.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('UTF-8', () => {
  test('valid text is decoded as everybody does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = new TextEncoder().encode(text)
        expect(utf8Decode(encoded)).toBe(text.toWellFormed())
        expect(utf8Encode(text)).toEqual(encoded)
        expect(firstInvalidUtf8(encoded)).toBe(-1)
      }),
    )
  })

  test('every bad byte becomes one replacement character', () => {
    expect(utf8Decode(bytes(0x61, 0xff, 0xe2, 0x82, 0x62))).toBe('a\ufffd\ufffd\ufffdb')
    expect(firstInvalidUtf8(bytes(0x61, 0xff))).toBe(1)
  })

  test.each([
    ['overlong', bytes(0xc0, 0x80)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['beyond Unicode', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['cut off', bytes(0xe2, 0x82)],
  ])('%s is invalid', (_, value) => {
    expect(firstInvalidUtf8(value)).toBe(0)
  })
})

describe('base64', () => {
  test('round trip', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        expect(toBase64(value)).toBe(Buffer.from(value).toString('base64'))
        expect(base64Decode(toBase64(value))).toEqual({ bytes: value })
      }),
    )
  })

  test('line breaks are skipped', () => {
    expect(base64Decode('aG\r\nkK\n')).toEqual({ bytes: bytes(0x68, 0x69, 0x0a) })
  })

  test.each([
    ['***', 0],
    ['aGk', 0],
    ['aGk=x', 4],
    ['aA=', 3],
    ['a', 0],
    ['aGkK aGkK', 4],
  ])('%s is wrong at byte %d', (text, badByte) => {
    expect(base64Decode(text)).toEqual({ badByte })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../src/core/canonical.ts'

/** An IEEE 754 double by its 16 hexadecimal digits. */
function double(bits: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  return view.getFloat64(0)
}

describe('the canonical form of RFC 8785', () => {
  // The pairs are those of the RFC's appendix B.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text)
  })

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])(
    'refuses %s: JSON has no such number',
    (bits) => {
      expect(() => canonicalJson(double(bits))).toThrow(RangeError)
    },
  )

  // Section 3.2.3: by UTF-16 units, so that the smiley (D83D) comes before the Hebrew letter (FB33).
  it('sorts members by UTF-16 units at every depth', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']
    const value = { in: Object.fromEntries(names.map((name) => [name, 0])) }
    expect(canonicalJson(value)).toBe(
      `{"in":{${sorted.map((name) => `${JSON.stringify(name)}:0`).join(',')}}}`,
    )
  })

  it('escapes what the RFC escapes, in lower case, and nothing else', () => {
    const euroAndMore = '\u20ac$\u000f\u000aA\u0027\u0042\u0022\u005c\\"/\b\f\t\u007f\u2028'
    expect(canonicalJson(euroAndMore)).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\\b\\f\\t\u007f\u2028"')
  })

  it('keeps the order of lists and drops white space', () => {
    expect(canonicalJson({ b: [3, 1, { z: null, a: [true, false] }], a: '' })).toBe(
      '{"a":"","b":[3,1,{"a":[true,false],"z":null}]}',
    )
  })

  it.each([
    ['half a character', '\ud800'],
    ['undefined in a list', [undefined]],
    ['a big integer', 1n],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(RangeError)
  })

  it('reads back as the same value, whatever the order of its members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        const again: unknown = JSON.parse(text)
        expect(canonicalJson(again)).toBe(text)
        expect(canonicalJson(reversed(value))).toBe(text)
      }),
    )
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

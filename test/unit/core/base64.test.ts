import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../../../src/core/base64.ts'

test('bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      expect(fromBase64(toBase64(bytes))).toEqual(bytes)
    }),
  )
})

test('white space is ignored, everything else that is not base64 is refused', () => {
  const text = fc.string({
    unit: fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '+', '/', '=', '-', 'é', ' ', '\n'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(text, (given) => {
      const compact = given.replaceAll(/[ \n]/g, '')
      const right = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
      expect(fromBase64(given)).toEqual(right ? new Uint8Array(Buffer.from(compact, 'base64')) : undefined)
    }),
    { numRuns: 2000 },
  )
})

import { expect, test } from 'vitest'
import * as fc from 'fast-check'
import { formatQuantity, parseQuantity } from '../../../src/core/quantity.ts'

test.each([
  ['250m', 250],
  ['0.1', 100],
  ['1', 1000],
  ['1.5Gi', 1.5 * 2 ** 30 * 1000],
  ['64M', 64e9],
  ['2e3', 2_000_000],
  ['100n', 1],
  ['.5', 500],
])('%s', (text, thousandths) => {
  expect(parseQuantity(text)).toBe(thousandths)
})

test.each(['', 'Mi', '1 Gi', '1Xi', 'a1'])('%j is not a quantity', (text) => {
  expect(() => parseQuantity(text)).toThrow(/is not a Kubernetes quantity/)
})

test.each([
  [250, '250m'],
  [2000, '2'],
  [64 * 2 ** 20 * 1000, '64Mi'],
  [0, '0'],
])('%d thousandths print as %s', (thousandths, text) => {
  expect(formatQuantity(thousandths)).toBe(text)
})

test('what is printed reads back as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (thousandths) => {
      expect(parseQuantity(formatQuantity(thousandths))).toBe(thousandths)
    }),
  )
})

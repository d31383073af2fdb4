import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../../src/core/duration.ts'

test.each([
  ['500ms', 500],
  ['60s', 60_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '60', '5 m', '-5m', '1.5h', '0s', '5d', 's', '99999999999999999h'])(
  '"%s" is refused',
  (text) => {
    expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration`)
  },
)

test.each([
  [900_000, '15m'],
  [5_400_000, '1h30m'],
  [90_000, '1m30s'],
  [1, '1s'],
  [0, '0s'],
])('%i ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

import { expect, test } from 'vitest'
import { durationText, list, timeText } from '../../../../src/output/report/words.ts'

test.each([
  [0, '< 0.1 s'],
  [400, '0.4 s'],
  [3000, '3 s'],
  [59_700, '1 min'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h'],
  [4_350_000, '1 h 12 min'],
])('%d ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('a time is shown to the second, anything else as it is', () => {
  expect(timeText('2026-11-23T09:14:05.123Z')).toBe('2026-11-23 09:14:05 UTC')
  expect(timeText('yesterday')).toBe('yesterday')
})

test('names are joined as a person would', () => {
  expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ])
})

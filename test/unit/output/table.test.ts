import { expect, test } from 'vitest'
import { strip } from '../../../src/output/style.ts'
import { table } from '../../../src/output/table.ts'
import { elide } from '../../../src/output/text-width.ts'

test('columns are two spaces apart and lines have no trailing space', () => {
  expect(
    table(
      ['NAME', 'ROLE', 'AGE'],
      [
        ['server-1', 'server', ''],
        ['n2', 'agent', '3d'],
      ],
    ),
  ).toBe('NAME      ROLE    AGE\nserver-1  server\nn2        agent   3d\n')
})

test('the last column is wrapped below itself', () => {
  expect(table(['A', 'TEXT'], [['x', 'one two three four five six seven']], { width: 27 })).toBe(
    'A  TEXT\nx  one two three four five\n   six seven\n',
  )
})

test('numbers stand right', () => {
  expect(
    table(
      ['NAME', 'MIB'],
      [
        ['a', '9'],
        ['b', '1024'],
      ],
      { right: ['MIB'] },
    ),
  ).toBe('NAME   MIB\na        9\nb     1024\n')
})

test('wide characters take two columns, combining ones none', () => {
  expect(
    table(
      ['NAME', 'X'],
      [
        ['節点', '1'],
        ['ne\u0301e', '2'],
      ],
    ),
  ).toBe('NAME  X\n節点  1\nne\u0301e   2\n')
})

test('marks take no room', () => {
  const rows = (state: string | { text: string; role: 'bad' }) => [[state, 'n1']]
  expect(strip(table(['STATE', 'NODE'], rows({ text: 'down', role: 'bad' })))).toBe(
    table(['STATE', 'NODE'], rows('down')),
  )
})

test('a cell cannot break the line', () => {
  expect(table(['A'], [['x\ny']])).toBe('A\nx\\ny\n')
})

test('no rows print the header', () => {
  expect(table(['A', 'B'], [])).toBe('A  B\n')
})

test.each([
  ['short', 10, 'short'],
  ['pvc-6f0c2a3e-1b7d-0e1f', 11, 'pvc-6…-0e1f'],
  ['節点節点節点', 7, '節…点'],
])('%s in %d columns is %s', (text, width, expected) => {
  expect(elide(text, width)).toBe(expected)
})

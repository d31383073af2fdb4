import { expect, test } from 'vitest'
import { mark, paint, plain, strip } from '../../../src/output/style.ts'

test('a marked span reaches the painter with its role', () => {
  expect(
    paint(`node ${mark('name', 'n1')} is ${mark('bad', 'down')}`, (role, span) => `<${role}:${span}>`),
  ).toBe('node <name:n1> is <bad:down>')
})

test('stripping leaves the text alone', () => {
  expect(strip(`node ${mark('name', 'n1')} is ${mark('ok', 'up')}`)).toBe('node n1 is up')
})

test('an empty span leaves no mark', () => {
  expect(mark('ok', '')).toBe('')
})

test('text cannot steer the terminal', () => {
  expect(plain('a\u001b[31mred\u009b2J\rb\nc\td\u202etxt')).toBe(
    'a\\x1b[31mred\\x9b2J\\x0db\\nc\\td\\u202etxt',
  )
})

test('text cannot forge a mark', () => {
  const forged = mark('ok', 'fine').replace('fine', 'really')
  expect(paint(plain(forged), (role, span) => `<${role}:${span}>`)).not.toContain('<ok:')
})

test('a mark inside a mark is dropped, not leaked', () => {
  expect(paint(mark('bad', `x ${mark('ok', 'y')} z`), (role, span) => `<${role}:${span}>`)).toBe(
    '<bad:x y z>',
  )
})

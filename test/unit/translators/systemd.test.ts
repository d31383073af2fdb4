import { expect, it } from 'vitest'
import { environmentLine, execWord, tmpfilesPath } from '../../../translators/linux/systemd.ts'

it.each([
  ['--disable=traefik', '--disable=traefik'],
  ['a b', '"a b"'],
  ['100%', '100%%'],
  ['$x', '$$x'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ['two\nlines', '"two\\nlines"'],
  ['<5%', '"<5%%"'],
  ['', '""'],
])('quotes the argument %j', (text, expected) => {
  expect(execWord(text)).toBe(expected)
})

it.each([
  ['plain', 'A="plain"'],
  ['a"b\\c$d`e', 'A="a\\"b\\\\c\\$d\\`e"'],
])('quotes the variable %j', (value, expected) => {
  expect(environmentLine('A', value)).toBe(expected)
})

it('quotes a path for tmpfiles', () => {
  expect(tmpfilesPath('/run/a b%i"')).toBe('"/run/a b%%i\\""')
})

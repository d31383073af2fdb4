import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, Scalar, stringify } from 'yaml'
import { yaml } from '../../../src/core/yaml-text.ts'

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.stringMatching(/^[A-Za-z0-9./:_ #-]{0,10}$/),
  fc.constantFrom(
    'yes',
    'N',
    'null',
    '~',
    '1:30',
    '0644',
    '2026-11-23T10:00:00Z',
    'a\nb\n',
    ' a\n',
    '\n',
    'a\n\n b',
    '',
  ),
  fc.uuid(),
  // Files and command lines, which are written without the library.
  fc
    .array(fc.constantFrom('#!/bin/sh', 'a: b', '  x', '', ' ', '\t', 'é #', '---', 'end:', '- a', 'k=v '), {
      maxLength: 5,
    })
    .map((lines) => lines.join('\n')),
  fc
    .array(
      fc.constantFrom('a', '--x', ': ', ' #', '#', ':', ' ', '"', "'", '{', '10.0.0.1', '/24', '-', '.'),
      {
        maxLength: 5,
      },
    )
    .map((parts) => parts.join('')),
)
/** What a document may contain as it is, whatever the version of YAML. */
const writable =
  /^[\t\n\r\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u
const { value: documents } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    texts,
    fc.constantFrom(null, true, false, 0, -0, 1.5, 1e21, undefined),
    fc.dictionary(texts, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}))

/** Texts that the library itself does not write so that they can be read again. */
const hasBlankLines = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.includes('\n') && /[ \t]/.test(value) && value.trim() === ''
    : typeof value === 'object' && value !== null && Object.values(value).some(hasBlankLines)

test('the bytes are those of the library, where those may stand in a document', () => {
  fc.assert(
    fc.property(documents, (value) => {
      const document = { value }
      const theirs = stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
      if (writable.test(theirs) && !hasBlankLines(value)) expect(yaml(document)).toBe(theirs)
    }),
    { numRuns: 2000 },
  )
})

test('lines of blanks are all read again', () => {
  for (const text of [' \n', '\t\n', '\n \n', ' \n\n', '\n '])
    expect(parse(yaml({ a: [text] }), { version: '1.1' })).toEqual({ a: [text] })
})

test('readers of YAML 1.1 and 1.2 see the same values', () => {
  fc.assert(
    fc.property(documents, (value) => {
      const text = yaml({ value })
      const json: unknown = JSON.parse(JSON.stringify({ value }))
      expect(JSON.parse(JSON.stringify(parse(text, { version: '1.1' })))).toEqual(json)
      expect(JSON.parse(JSON.stringify(parse(text)))).toEqual(json)
    }),
  )
})

test('nothing is written that may not stand in a document', () => {
  const odd = fc.constantFrom('\u0080', 'a\u0085b', '\u009f', '\ufeffa', 'a\u2028b', '\u007f', '\uffff')
  const value = fc.oneof(odd, fc.array(odd), fc.dictionary(odd, odd))
  fc.assert(
    fc.property(value, (odds) => {
      const text = yaml({ odds })
      expect(text).toMatch(writable)
      expect(JSON.parse(JSON.stringify(parse(text)))).toEqual({ odds: JSON.parse(JSON.stringify(odds)) })
    }),
  )
})

test.each([0o600, 0o4755, 0, -8])('the octal number %d is that of the library', (value) => {
  const number = new Scalar(value)
  number.format = 'OCT'
  const theirs = stringify({ number }, { version: '1.1' })
  expect(yaml({ number })).toBe(theirs)
})

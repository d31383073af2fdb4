import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
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
)
const { value: documents } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    texts,
    fc.constantFrom(null, true, false, 0, -0, 1.5, 1e21, undefined),
    fc.dictionary(texts, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}))

test('the bytes are those of the library', () => {
  fc.assert(
    fc.property(documents, (value) => {
      const document = { value }
      expect(yaml(document)).toBe(
        stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }),
      )
    }),
    { numRuns: 2000 },
  )
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

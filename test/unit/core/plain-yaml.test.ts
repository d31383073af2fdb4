import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parsePlainYaml, parseYaml } from '../../../src/core/plain-yaml.ts'
import { yaml } from '../../../src/core/yaml-text.ts'

/** What documents of ours hold, with the texts that YAML likes to take for something else. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.stringMatching(/^[a-z0-9./:_-]{0,12}$/),
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '1:30',
    '0644',
    '0x1f',
    '1e3',
    '.5',
    '-',
    '- a',
    'a: b',
    'a #b',
    '#',
    '...',
    '---',
  ),
  fc.constantFrom(
    'line\nline\n',
    ' indented\n  more\n',
    '\n',
    'ends with space ',
    '"quoted"',
    "it's",
    '2026-11-23',
  ),
)
const documents = fc.letrec<{ value: unknown; map: object; list: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    texts,
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21, 123_456_789),
    tie('map'),
    tie('list'),
  ),
  map: fc.dictionary(fc.oneof(fc.stringMatching(/^[a-zA-Z][a-z./-]{0,6}$/), texts), tie('value'), {
    maxKeys: 4,
  }),
  list: fc.array(tie('value'), { maxLength: 4 }),
})).map

test('what this tool writes is read as the library reads it', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const text = yaml(document)
      expect(parseYaml(text)).toEqual(parse(text))
    }),
    { numRuns: 1000 },
  )
})

test('a text that was changed by hand is read as the library reads it, or left to it', () => {
  fc.assert(
    fc.property(
      documents,
      fc.nat(),
      fc.constantFrom(
        '',
        ' ',
        '\n',
        ':',
        ': ',
        '- ',
        '#',
        '"',
        "'",
        '|',
        '&a ',
        '*a',
        '? ',
        '[',
        '\t',
        '!!str ',
        '<<: ',
      ),
      fc.nat({ max: 3 }),
      (document, place, inserted, removed) => {
        const text = yaml(document)
        const at = place % (text.length + 1)
        const changed = text.slice(0, at) + inserted + text.slice(at + removed)
        const plain = parsePlainYaml(changed)
        if (plain !== undefined) expect(plain.value).toEqual(parse(changed))
      },
    ),
    { numRuns: 3000 },
  )
})

test.each([
  ['a: b\n', { a: 'b' }],
  ['# why\na:\n- 1\n-\n  b: c\n', undefined],
  ['a:\n- 1\n- b: c\n  d: 2\n', { a: [1, { b: 'c', d: 2 }] }],
  ['a:\n  - - x\n    - y\n', { a: [['x', 'y']] }],
  ['a: |-\n  one\n    two\nb: 1\n', { a: 'one\n  two', b: 1 }],
  ['a: &x 1\nb: *x\n', undefined],
  ['a: [1]\n', undefined],
  ['a: one\n  two\n', undefined],
  ['a: 1\na: 2\n', undefined],
  ['__proto__: {}\n', undefined],
])('%j', (text, value) => {
  expect(parsePlainYaml(text)).toEqual(value === undefined ? undefined : { value })
})

import { describe, expect, test } from 'vitest'
import { Source } from '../../../../../src/core/k3os/source.ts'
import type { Value } from '../../../../../src/core/k3os/value.ts'
import { readYaml, type YamlReading } from '../../../../../src/core/k3os/yaml/document.ts'
import { YamlProblem } from '../../../../../src/core/k3os/yaml/problem.ts'

// Every expectation was printed by github.com/ghodss/yaml on gopkg.in/yaml.v2, as vendored by rancher/k3os.

function read(text: string): YamlReading {
  return readYaml(new Source('system', 'a.yaml', text))
}

function plain(value: Value | null): unknown {
  if (value === null) return null
  if (value.kind === 'scalar') return value.value
  if (value.kind === 'list') return value.items.map(plain)
  return Object.fromEntries(Array.from(value.entries, ([key, entry]) => [key, plain(entry.value)]))
}

describe('YAML as k3OS reads it', () => {
  test.each<[string, string, unknown]>([
    ['an indentless list', 'a:\n- b\n-\n  - c\nd: e\n', { a: ['b', ['c']], d: 'e' }],
    ['lists in lists', '- - a\n  - b: c\n    d: e\n- f\n', [['a', { b: 'c', d: 'e' }], 'f']],
    ['explicit keys', '? a\n: b\n? c\n', { a: 'b', c: null }],
    ['flow collections over lines', 'a: [b,\nc, {d: e\n}]\n', { a: ['b', 'c', { d: 'e' }] }],
    ['pairs in flow lists', '[a: b, ? c : d, "e":f]', [{ a: 'b' }, { c: 'd' }, { e: 'f' }]],
    ['keys without values in flow maps', '{a, b: , "c":d}', { a: null, b: null, c: 'd' }],
    ['a colon inside a flow scalar', '{url: https://s:6443}', { url: 'https://s:6443' }],
    ['a plain scalar over lines', 'a: b\n  c\n\n  d\n', { a: 'b c\nd' }],
    ['a comment needs a blank before', 'a: b#c\nd: e #f\n', { a: 'b#c', d: 'e' }],
    ['a literal with a hint', 'a: |2-\n   b\n  c\n', { a: ' b\nc' }],
    ['a literal keeping its end', 'a: |+\n  b\n\n', { a: 'b\n\n' }],
    ['a folded text', 'a: >\n  b\n  c\n\n  d\n   e\n  f\n', { a: 'b c\nd\n e\nf\n' }],
    [
      'escapes',
      String.raw`a: "\x41\u00e9\U0001F98A\N\_\t\/"`.replace(String.raw`\/`, ''),
      { a: 'Aé🦊\x85\xa0\t' },
    ],
    ['a line continued in quotes', 'a: "b \\\n   c"\n', { a: 'b c' }],
    ['quotes in single quotes', "a: 'it''s'\n", { a: "it's" }],
    [
      'words',
      'a: [yes, No, y, ON, ~, null, True, tRue]',
      { a: [true, false, true, true, null, null, true, 'tRue'] },
    ],
    [
      'whole numbers',
      'a: [7, +5, -3, 0644, 0o17, 0x1f, 0b101, 1_000]',
      { a: [7, 5, -3, 420, 15, 31, 5, 1000] },
    ],
    ['other numbers', 'a: [08, 1.5, .5, 1., 1e3, -.5]', { a: [8, 1.5, 0.5, 1, 1000, -0.5] }],
    [
      'no numbers',
      'a: [1e400, 12:30, 1.2.3, 0x, 2021-10-08, +, .]',
      { a: ['1e400', '12:30', '1.2.3', '0x', '2021-10-08', '+', '.'] },
    ],
    [
      'tags',
      'a: [!!str 5, !!int "5", !!float 5, ! 5, !x 5, !!null "", !!binary aGk=]',
      { a: ['5', 5, 5, '5', '5', null, 'hi'] },
    ],
    [
      'keys of other types',
      '{1: a, 0x10: b, 1.50: c, yes: d, 1e300: e}',
      { 1: 'a', 16: 'b', 1.5: 'c', true: 'd', '.inf': 'e' },
    ],
    ['anchors', 'a: &x [b]\nc: *x\n', { a: ['b'], c: ['b'] }],
    ['a merge behind a key', 'm: &m {a: 1}\np:\n  a: 2\n  <<: *m\n', { m: { a: 1 }, p: { a: 1 } }],
    ['a merge before a key', 'm: &m {a: 1}\np:\n  <<: *m\n  a: 2\n', { m: { a: 1 }, p: { a: 2 } }],
    ['a quoted merge key', '"<<": {a: 1}', { '<<': { a: 1 } }],
    ['equal keys', 'a: 1\na: 2\n', { a: 2 }],
    ['directives', '%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 5\n', { a: '5' }],
    ['a byte order mark', '\ufeffa: b\n', { a: 'b' }],
    ['NEL as a line break', 'a: b\u0085c: d\n', { a: 'b', c: 'd' }],
    ['nothing but comments', '# a\n\n# b\n', null],
    ['nothing behind a marker', '---\n', null],
  ])('%s', (_, text, expected) => {
    expect(plain(read(text).root)).toEqual(expected)
  })

  test.each<[string, string, number]>([
    ['a tab as indentation', 'a:\n\tb: c\n', 3],
    ['a second colon', 'a: b: c\n', 4],
    ['a list entry behind a key', 'a: - b\n', 3],
    ['a flow list that is not closed', 'a: [b\n', 6],
    ['a flow map closed by the wrong bracket', 'a: {b]\n', 5],
    ['a text that is not closed', 'a: "b\n', 3],
    ['an unknown escape', String.raw`a: "\q"`, 4],
    ['a surrogate', String.raw`a: "\ud800"`, 4],
    ['a less indented key', 'a:\n    b: c\n  d: e\n', 14],
    ['a line without a colon', 'a: b\nc\nd: e\n', 5],
    ['an unknown anchor', 'a: *b\n', 3],
    ['an anchor within itself', 'a: &b [*b]\n', 7],
    ['an unknown tag handle', 'a: !e!b c\n', 3],
    ['a wrong tag', 'a: !!int b\n', 9],
    ['bad base64', 'a: !!binary "*"\n', 12],
    ['a null key', '~: a\n', 0],
    ['a list as a key', '? [a]\n: b\n', 2],
    ['infinity', 'a: .inf\n', 3],
    ['another version', '%YAML 1.2\n---\na: b\n', 0],
    ['a control character', 'a: "b\u0007"\n', 5],
    ['a merge with a text', 'a: {<<: b}\n', 8],
    ['an indicator', 'a: @b\n', 3],
  ])('refuses %s', (_, text, at) => {
    let problem: unknown
    try {
      read(text)
    } catch (error) {
      problem = error
    }
    expect(problem).toBeInstanceOf(YamlProblem)
    expect(problem).toMatchObject({ at })
  })

  test.each<[string, string, number]>([
    ['a second document', 'a: b\n---\nc: d\n', 9],
    ['a less indented line than the first', '  a: b\nc: d\n', 7],
    ['text behind the end marker, however broken', 'a: b\n...\n[\n', 9],
  ])('says that it does not read %s', (_, text, start) => {
    expect(read(text).notes).toMatchObject([{ kind: 'rest-ignored', start }])
  })

  test('says nothing about empty documents and comments at the end', () => {
    expect(read('a: b\n---\n# c\n...\n').notes).toEqual([])
  })

  test('says which of equal keys is lost, and that of keys equal as text only chance decides', () => {
    expect(read('a: 1\na: 2\n').notes).toMatchObject([{ kind: 'duplicate-key', key: 'a', by: 'key' }])
    expect(read('1: a\n"1": b\n').notes).toMatchObject([{ kind: 'equal-keys', key: '1' }])
  })

  test('refuses a text that is little but references', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? 'l0: &l0 [x, x, x, x, x, x, x, x]\n'
        : `l${level}: &l${level} [${`*l${level - 1}, `.repeat(8)}]\n`,
    )
    expect(() => read(levels.join(''))).toThrow(YamlProblem)
  })

  test('refuses what is nested more deeply than any configuration', () => {
    expect(() => read('['.repeat(5000))).toThrow(YamlProblem)
    expect(() => read('- '.repeat(5000))).toThrow(YamlProblem)
  })
})

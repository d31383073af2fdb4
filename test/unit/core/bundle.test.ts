import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bundle, formatBundle, maxBundleBytes, parseBundle } from '../../../src/core/bundle.ts'
import { MigrateError } from '../../../src/core/errors.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string): Bundle => parseBundle(bytes(text), 'n1.bundle')

function failure(text: string): { message: string; line: number | undefined; exitCode: number } {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof MigrateError)
      return { message: error.message, line: error.position?.line, exitCode: error.exitCode }
    throw error
  }
  throw new Error('parsed without a complaint')
}

const segment = fc
  .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
  .filter((text) => !text.includes('/') && !text.includes('\0') && text !== '.' && text !== '..')
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const ownership = {
  mode: fc.option(fc.integer({ min: 0, max: 0o7777 }), { nil: null }),
  owner: fc.constantFrom('0:0', '1000:1000', null),
}
const entry = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), bytes: fc.uint8Array({ maxLength: 300 }), ...ownership }),
  fc.record({ kind: fc.constant('link' as const), target: text }),
  fc.record({ kind: fc.constant('dir' as const), ...ownership }),
  fc.record({
    kind: fc.constant('seen' as const),
    sizeBytes: fc.option(fc.nat(), { nil: null }),
    ...ownership,
  }),
  fc.record({ kind: fc.constant('absent' as const) }),
  fc.record({ kind: fc.constant('command' as const), exit: fc.integer({ min: 0, max: 255 }), text }),
  fc.record({ kind: fc.constant('error' as const), reason: text }),
)
const anyBundle = fc
  .uniqueArray(fc.tuple(path, entry), { selector: ([name]) => name, maxLength: 12 })
  .map((entries): Bundle => {
    const bundle = {
      files: new Map(),
      links: new Map(),
      dirs: new Map(),
      seen: new Map(),
      commands: new Map(),
      absent: new Set<string>(),
      errors: new Map(),
    }
    for (const [name, { kind, ...value }] of entries) {
      if (kind === 'absent') bundle.absent.add(name)
      else if (kind === 'link') bundle.links.set(name, 'target' in value ? value.target : '')
      else if (kind === 'error') bundle.errors.set(name, 'reason' in value ? value.reason : '')
      else if (kind === 'command') bundle.commands.set(name, value)
      else if (kind === 'file') bundle.files.set(name, value)
      else if (kind === 'dir') bundle.dirs.set(name, value)
      else bundle.seen.set(name, value)
    }
    return bundle
  })

describe('a bundle', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(anyBundle, (bundle) => {
        expect(parse(formatBundle(bundle))).toEqual(bundle)
      }),
    )
  })

  test('cut off anywhere is refused', () => {
    fc.assert(
      fc.property(anyBundle, fc.nat(), (bundle, position) => {
        const whole = formatBundle(bundle)
        const cut = whole.slice(0, position % (whole.length - 1))
        expect(() => parse(cut)).toThrow(MigrateError)
      }),
    )
  })

  test('may have lines that end with CR LF and noise of a login script before the header', () => {
    const written = 'k3os-migrate-bundle 1\nfile 600 0:0 /a b\naGk=\n.\nend 1\n'
    const bundle = parse(`Welcome!\r\n${written.replaceAll('\n', '\r\n')}`)
    expect(new TextDecoder().decode(bundle.files.get('/a b')?.bytes)).toBe('hi')
  })
})

describe('records that only the collector writes', () => {
  const whole = (...lines: readonly string[]) => parse(['k3os-migrate-bundle 1', ...lines, ''].join('\n'))
  const content = (bundle: Bundle, name: string) => new TextDecoder().decode(bundle.files.get(name)?.bytes)
  const base64 = (given: string) => Buffer.from(given).toString('base64')

  test('a text is a file, each line behind a colon', () => {
    const bundle = whole('text 600 0:0 /a b', ':x: 1', ':', ':\ty', '.', 'end 1')
    expect(content(bundle, '/a b')).toBe('x: 1\n\n\ty\n')
    expect(bundle.files.get('/a b')).toMatchObject({ mode: 0o600, owner: '0:0' })
  })

  test('a semicolon says that the last line is open', () => {
    expect(content(whole('text 600 0:0 /a', ':x', ';y', '.', 'end 1'), '/a')).toBe('x\ny')
    expect(content(whole('text 600 0:0 /a', ';.', '.', 'end 1'), '/a')).toBe('.')
  })

  test.each([[';x', ':y'], ['x'], [':\u0001'], [';']])('anything else is no text: %s', (...lines) => {
    expect(
      failure(['k3os-migrate-bundle 1', 'text 600 0:0 /a', ...lines, '.', 'end 1', ''].join('\n')),
    ).toEqual({
      message: 'the content of this record is not text',
      line: 3,
      exitCode: 65,
    })
  })

  test('a file that could not be read to its end is an error, and no file', () => {
    const bundle = whole('file 600 0:0 /a', 'YWJj', '!', '.', 'file 600 0:0 /b', 'YWJ!', '.', 'end 2')
    expect(bundle.files.size).toBe(0)
    expect([...bundle.errors]).toEqual([
      ['/a', 'it could not be read'],
      ['/b', 'it could not be read'],
    ])
  })

  const mark = '6e1b0f1c-7a10-4c3d-9d7e-0a4f2b8c1d55'
  const answer = (output: string, exit: number, line: string) => `${output}\n${mark} ${exit} ${line}\n`
  const asked = (all: string) => whole(`answers ${mark}`, base64(all), '.', 'end 1')

  test('answers are one command after the other', () => {
    const bundle = asked(
      answer('5.4\n', 0, 'uname -r') + answer('', 127, 'ccapply') + answer('a\n\nb', 2, 'df -P'),
    )
    expect([...bundle.commands]).toEqual([
      ['uname -r', { exit: 0, text: '5.4\n' }],
      ['ccapply', { exit: 127, text: '' }],
      ['df -P', { exit: 2, text: 'a\n\nb\n' }],
    ])
  })

  test('answers in plain text end with a line of their own', () => {
    const lines = (all: string) => whole(`lines ${mark}`, `${mark} begin\n${all}${mark} end`, 'end 1')
    const said = answer('1\n', 0, 'id -u') + answer('.\nend 1\n', 0, 'df -P')
    expect([...lines(said).commands]).toEqual([
      ['id -u', { exit: 0, text: '1\n' }],
      ['df -P', { exit: 0, text: '.\nend 1\n' }],
    ])
    expect([...lines(`${answer('', 0, 'id')}half of an answer\n`).commands.keys()]).toEqual(['id'])
    expect(failure(`k3os-migrate-bundle 1\nlines ${mark}\n${mark} begin\n`).message).toMatch('cut off')
  })

  test('what was said before the first answer belongs to none', () => {
    expect(asked(`${mark} begin\n${answer('1\n', 0, 'id')}`).commands.get('id')?.text).toBe('1\n')
  })

  test('what follows the last mark is of a command that did not end', () => {
    expect([...asked(`${answer('x\n', 0, 'id')}half of an answer`).commands.keys()]).toEqual(['id'])
    expect([...asked(`${answer('x\n', 0, 'id')}${mark} end\n`).commands.keys()]).toEqual(['id'])
    expect(asked('nothing').commands.size).toBe(0)
  })

  test('an answer without end is an error', () => {
    const bundle = asked(answer('x'.repeat(1024 * 1024 + 1), 0, 'yes'))
    expect([...bundle.errors]).toEqual([['yes', 'it printed more than 1048576 bytes']])
  })

  test('nothing is answered twice', () => {
    const twice = `answers ${mark}\n${base64(answer('', 0, 'id') + answer('', 0, 'id'))}\n.`
    expect(failure(`k3os-migrate-bundle 1\n${twice}\nend 1\n`).message).toBe('"id" appears twice')
  })
})

describe('a bundle is refused with its line when it', () => {
  const head = 'k3os-migrate-bundle 1\n'
  test.each([
    ['is something else', 'PK\u0003\u0004', 1, 'not a bundle'],
    ['has a newer format', 'k3os-migrate-bundle 2\nend 0\n', 1, 'format 2'],
    ['has no end', `${head}absent /x\n`, 3, 'cut off'],
    ['ends within a body', `${head}file 600 0:0 /x\naGk=\n`, 4, 'cut off'],
    ['counts wrong', `${head}absent /x\nend 2\n`, 3, 'says it has 2 records, 1 are there'],
    ['goes on after its end', `${head}end 0\n\nk3os-migrate-bundle 1\n`, 4, 'more text after the end'],
    [
      'climbs out of the tree',
      `${head}file 600 0:0 /etc/../../x\n.\nend 1\n`,
      2,
      'not a normal absolute path',
    ],
    ['has a relative path', `${head}absent x\nend 1\n`, 2, 'not a normal absolute path'],
    ['hides a climb in base64', `${head}absent b64:Ly4uL3g=\nend 1\n`, 2, 'not a normal absolute path'],
    ['names a path twice', `${head}absent /x\ndir 755 0:0 /x\nend 2\n`, 3, 'appears twice'],
    ['has an unknown record', `${head}socket /x\nend 1\n`, 2, 'not a kind of record'],
    ['has a bad mode', `${head}dir rwx 0:0 /x\nend 1\n`, 2, 'not a file mode'],
    ['has a bad owner', `${head}dir 755 root /x\nend 1\n`, 2, 'not an owner'],
    ['has a bad body', `${head}file 600 0:0 /x\n***\n.\nend 1\n`, 3, 'not base64'],
  ])('%s', (_name, input, line, message) => {
    const refused = failure(input)
    expect(refused).toMatchObject({ line, exitCode: 65 })
    expect(refused.message).toContain(message)
  })

  test('has records without end', () => {
    const many = Array.from({ length: 60_000 }, (_, index) => `absent /${index}`).join('\n')
    expect(() => parseBundle(new TextEncoder().encode(`${head}${many}\nend 60000\n`), 'n1.bundle')).toThrow(
      'more than 50000 records',
    )
  })

  test('is too large', () => {
    expect(() => parseBundle(new Uint8Array(maxBundleBytes + 1), 'n1.bundle')).toThrow(/more than/)
  })
})

test('a message never repeats control characters of the input', () => {
  expect(failure('k3os-migrate-bundle 1\nabsent \u001b[2Jx\nend 1\n').message).toBe(
    '"?[2Jx" is not a normal absolute path',
  )
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { chain, firstHash, parseJournal, type JournalRecord } from '../../../src/core/journal.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function entry(number: number): Parameters<typeof chain>[1] {
  return {
    ts: '2026-11-24T08:00:00.000Z',
    monotonicMs: number,
    runId: 'run-1',
    node: number % 3 === 0 ? null : 'n1',
    step: 'drain',
    phase: 'note',
    attempt: 1,
    // Text whose length in bytes is not its length in characters.
    data: { number, text: 'Zürich – "quoted"\n' },
  }
}

function records(count: number): JournalRecord[] {
  const made: JournalRecord[] = []
  for (let number = 0; number < count; number += 1) made.push(chain(made.at(-1), entry(number), sha256))
  return made
}

const lines = (list: readonly JournalRecord[]) => list.map((record) => `${JSON.stringify(record)}\n`)
const read = (text: string) => parseJournal(text, 'journal.jsonl', sha256)

describe('the chain', () => {
  it('begins with zeros and names the hash of the record before', () => {
    const [first, second] = records(2)
    expect([first?.prev, second?.prev]).toEqual([firstHash, first?.hash])
  })

  it('reads back what was written', () => {
    const written = records(5)
    expect(read(lines(written).join(''))).toMatchObject({ records: written, torn: false })
  })

  it('reads an empty file as a run that has not begun', () => {
    expect(read('')).toEqual({ records: [], torn: false, intactLength: 0 })
  })
})

describe('a journal cut at any byte', () => {
  const written = records(4)
  const bytes = Buffer.from(lines(written).join(''))

  it('has the records whose lines are complete, and says where they end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
        const cut = bytes.subarray(0, length)
        const whole = cut.toString('latin1').split('\n').length - 1
        const intact = lines(written.slice(0, whole)).join('')
        expect(read(cut.toString('utf8'))).toEqual({
          records: written.slice(0, whole),
          torn: length !== Buffer.byteLength(intact),
          intactLength: Buffer.byteLength(intact),
        })
      }),
      { numRuns: 300 },
    )
  })

  it('can be gone on with behind its intact part', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
        const { records: kept, intactLength } = read(bytes.subarray(0, length).toString('utf8'))
        const next = chain(kept.at(-1), entry(99), sha256)
        const resumed = `${bytes.subarray(0, intactLength).toString('utf8')}${JSON.stringify(next)}\n`
        expect(read(resumed).records).toEqual([...kept, next])
      }),
      { numRuns: 100 },
    )
  })
})

describe('a journal that somebody changed', () => {
  const written = records(5)
  const text = lines(written).join('')

  it('is refused for any character of a record that is not the last', () => {
    // Without the end of the line before the last, which a crash can lack too.
    const middle = lines(written.slice(0, 4)).join('').length - 1
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: middle - 1 }),
        fc.constantFrom('x', '7', ' ', '"'),
        (at, other) => {
          fc.pre(text[at] !== other)
          const changed = text.slice(0, at) + other + text.slice(at + 1)
          // White space between members is the one change that changes nothing.
          fc.pre(!sameValues(changed, text))
          expect(() => read(changed)).toThrow(expect.objectContaining({ exitCode: exitCode.stalePlan }))
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a record is missing', [0, 1, 3, 4]],
    ['two records changed places', [0, 2, 1, 3, 4]],
    ['a record is there twice', [0, 1, 1, 2, 3, 4]],
  ])('is refused when %s, with the line', (_, order) => {
    const changed = order.map((index) => lines(written)[index]).join('')
    expect(() => read(changed)).toThrow(
      expect.objectContaining({
        exitCode: exitCode.stalePlan,
        position: { file: 'journal.jsonl', line: order.findIndex((index, place) => index !== place) + 1 },
      }),
    )
  })

  it('is refused when its last record says something else', () => {
    expect(() => read(text.replace('"number":4', '"number":5'))).toThrow(/record 5 breaks the chain/)
  })
})

function sameValues(a: string, b: string): boolean {
  try {
    const values = (text: string): string =>
      JSON.stringify(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      )
    return values(a) === values(b)
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

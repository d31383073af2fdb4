import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unifiedDiff } from '../../../src/core/unified-diff.ts'

const diff = (before: string, after: string) =>
  unifiedDiff({ name: 'a/x', text: before }, { name: 'b/x', text: after })
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('')

describe('a unified diff', () => {
  test('is nothing for the same text', () => {
    expect(diff('a\n', 'a\n')).toBe('')
  })

  test('shows a change with three lines around it', () => {
    expect(diff(numbered(1, 9), numbered(1, 4) + 'five\n' + numbered(6, 9))).toBe(
      '--- a/x\n+++ b/x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
    )
  })

  test('joins changes that are near, and parts those that are not', () => {
    const hunks = (text: string) => text.split('\n').filter((line) => line.startsWith('@@'))
    expect(hunks(diff(numbered(1, 30), numbered(2, 7) + numbered(9, 30)))).toEqual(['@@ -1,11 +1,9 @@'])
    expect(hunks(diff(numbered(1, 30), numbered(2, 29)))).toEqual(['@@ -1,4 +1,3 @@', '@@ -27,4 +26,3 @@'])
  })

  test('begins and ends with nothing', () => {
    expect(diff('', 'a\n')).toBe('--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+a\n')
    expect(diff('a\n', '')).toBe('--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-a\n')
  })

  test('makes one text of the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '', '-d', '+e'), { maxLength: 40 })
    fc.assert(
      fc.property(text, text, (before, after) => {
        const [from, to] = [before, after].map((lines) => lines.map((line) => `${line}\n`).join(''))
        expect(patched(before, diff(from ?? '', to ?? ''))).toEqual(after)
      }),
      { numRuns: 500 },
    )
  })
})

/** What `patch` does, without its tolerance. */
function patched(before: readonly string[], text: string): string[] {
  const after: string[] = []
  let at = 0
  for (const line of text.split('\n').slice(2, -1)) {
    const [, start, , length] = /^@@ -(\d+)(,(\d+))? /.exec(line) ?? []
    if (start !== undefined) {
      const first = Number(start) - (length === '0' ? 0 : 1)
      after.push(...before.slice(at, first))
      at = first
      continue
    }
    const content = line.slice(1)
    if (line.startsWith('+')) after.push(content)
    else {
      expect(before[at]).toBe(content)
      if (line.startsWith(' ')) after.push(content)
      at += 1
    }
  }
  return [...after, ...before.slice(at)]
}

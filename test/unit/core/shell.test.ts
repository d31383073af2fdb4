import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sh } from '../../../src/core/shell.ts'

test('a real shell reads back any words as they were', () => {
  const word = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const script = `printf '%s\\0' ${words.map(sh).join(' ')}`
      const output = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
      expect(output.split('\0').slice(0, -1)).toEqual(words)
    }),
    { numRuns: 50, examples: [[["'", '$(reboot)', '`x`', '\n', '']], [['\\', '"', '!', '*', '~', '-n']]] },
  )
})

import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { parseLabelSelector } from '../../../src/core/label-selector.ts'
import { matchesSelector } from '../../../src/core/selector.ts'

describe('a label selector', () => {
  test.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['app!=db', true],
    ['tier!=front', true],
    ['example.org/zone=a', true],
    ['app', true],
    ['tier', false],
    ['!tier', true],
    ['!app', false],
    ['app in (db, web)', true],
    ['app notin (web)', false],
    ['app in (web),example.org/zone', true],
    ['app=web,tier', false],
    ['app=', false],
  ])('%j', (text, expected) => {
    const labels = { app: 'web', 'example.org/zone': 'a' }
    expect(matchesSelector(labels, parseLabelSelector(text))).toBe(expected)
  })

  test.each(['=web', 'app=we b', 'app in web', 'app in (web', 'app=web,', 'app in (a b)', '!!app'])(
    '%j is refused',
    (text) => {
      expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ exitCode: exitCode.usage }))
    },
  )
})

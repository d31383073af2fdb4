import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatPosition } from '../../src/core/errors.ts'
import { readConfig } from '../../src/core/k3os/read.ts'
import type { ConfigReading } from '../../src/core/k3os/reading.ts'
import { leaves } from '../../src/core/path.ts'
import { caseNames, caseSources, expectedConfigs } from '../support/config-case.ts'
import { sharedDir } from '../support/shared.ts'

const own = join(import.meta.dirname, 'k3os-config')
const shared = sharedDir('fixtures/k3os-config')

/** What the case folder expects: one of these configurations, or that k3OS refuses. */
function expectReading(dir: string, reading: ConfigReading): void {
  const expected = expectedConfigs(dir)
  if (expected === null) {
    expect(reading.status).toBe('rejected')
    return
  }
  expect(reading).toMatchObject({ status: 'merged' })
  if (reading.status !== 'merged') return
  if (expected.length === 1) expect(reading.config).toEqual(expected[0])
  else {
    expect(expected).toContainEqual(reading.config)
    expect(reading.findings.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^CFG-(RANDOM|EQUAL-KEYS)$/)]),
    )
  }
  expect([...reading.origins.keys()].toSorted()).toEqual(
    leaves(reading.config)
      .map(([path]) => path)
      .toSorted(),
  )
}

function findingLines(reading: ConfigReading): string {
  return reading.findings
    .map(({ severity, rule, summary, location }) => {
      const where =
        location === null
          ? '-'
          : formatPosition({ file: location.file, line: location.line ?? 0, column: location.column ?? 0 })
      return `${where}: ${severity} ${rule}: ${summary}\n`
    })
    .join('')
}

describe('cases of this project', () => {
  test.each(caseNames(own))('%s', async (name) => {
    const dir = join(own, name)
    const reading = readConfig(caseSources(dir))
    expectReading(dir, reading)
    if (reading.status === 'rejected') {
      const { position, reason, without } = reading
      await expect(
        `${formatPosition(position)}: ${reason}\nwithout: ${without.join(', ')}\n`,
      ).toMatchFileSnapshot(join(dir, 'expected-error.txt'))
    } else await expect(findingLines(reading)).toMatchFileSnapshot(join(dir, 'expected-findings.txt'))
  })
})

describe.skipIf(shared === undefined)(
  'cases recorded from k3OS (skipped when ../shared is not there)',
  () => {
    const names = shared === undefined ? [] : caseNames(shared)
    test('there are 104 of them', () => {
      expect(names).toHaveLength(104)
    })
    test.each(names)('%s', (name) => {
      const dir = join(shared ?? '', name)
      expectReading(dir, readConfig(caseSources(dir)))
    })
  },
)

test('every case says in one line what it shows', () => {
  const silent = caseNames(own).filter((name) => {
    const path = join(own, name, 'about.txt')
    return !existsSync(path) || readFileSync(path, 'utf8').trim().split('\n').length !== 1
  })
  expect(silent).toEqual([])
})

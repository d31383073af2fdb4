import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { formatPosition } from '../../src/core/errors.ts'
import { readConfig } from '../../src/core/k3os/read.ts'
import type { ConfigReading } from '../../src/core/k3os/reading.ts'
import { leaves } from '../../src/core/path.ts'
import { caseNames, caseSources, expectedConfigs } from '../support/config-case.ts'
import { sharedDir } from '../support/shared.ts'

const own = join(import.meta.dirname, 'k3os-config')
const shared = sharedDir('fixtures/k3os-config')

interface Outcome {
  readonly config: unknown
  readonly saysRandom: boolean
  readonly origins: readonly string[]
}

const rejected = 'rejected'

function outcome(reading: ConfigReading): Outcome {
  const merged = reading.status === 'merged'
  return {
    config: merged ? reading.config : rejected,
    saysRandom: reading.findings.some(({ rule }) => rule === 'CFG-RANDOM' || rule === 'CFG-EQUAL-KEYS'),
    origins: merged ? [...reading.origins.keys()].toSorted() : [],
  }
}

/** What the folder wants. Where k3OS picks one of several at random, ours may be any of them, with a finding. */
function expectedOutcome(dir: string, reading: ConfigReading): Outcome {
  const expected = expectedConfigs(dir)
  if (expected === null) return { config: rejected, saysRandom: false, origins: [] }
  const ours = reading.status === 'merged' ? reading.config : rejected
  const config = expected.find((candidate) => isDeepStrictEqual(candidate, ours)) ?? expected[0]
  const origins = leaves(config).map(([path]) => path)
  return { config, saysRandom: expected.length > 1, origins: origins.toSorted() }
}

function report(reading: ConfigReading): string {
  if (reading.status === 'rejected') {
    const { position, reason, without } = reading
    return `${formatPosition(position)}: ${reason}\nwithout: ${without.join(', ')}\n`
  }
  return reading.findings
    .map(({ severity, rule, summary, location }) => {
      const { file = '-', line, column } = location ?? {}
      return `${file}:${line}:${column}: ${severity} ${rule}: ${summary}\n`
    })
    .join('')
}

describe('cases of this project', () => {
  test.each(caseNames(own))('%s', async (name) => {
    const dir = join(own, name)
    const reading = readConfig(caseSources(dir))
    expect(outcome(reading)).toEqual(expectedOutcome(dir, reading))
    const file = reading.status === 'rejected' ? 'expected-error.txt' : 'expected-findings.txt'
    await expect(report(reading)).toMatchFileSnapshot(join(dir, file))
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
      const reading = readConfig(caseSources(dir))
      expect(outcome(reading)).toEqual(expectedOutcome(dir, reading))
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

import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { lane } from '../../../src/migrate/lane.ts'
import { answerCases } from '../../support/drain-cases/answers.ts'
import { undone, type Variation, variation } from '../../support/drain-cases/drain-case.ts'
import { filterCases } from '../../support/drain-cases/filters.ts'
import { requestCases } from '../../support/drain-cases/requests.ts'
import type { DrainResult } from '../../support/drain-result.ts'
import {
  type Drained,
  drainWithKubectl,
  type KubectlAge,
  kubectlAges,
  kubectlMissing,
} from '../../support/kubectl.ts'
import { drainLikeKubectlWould, drainStrictly } from '../../support/own-drains.ts'
import { DrainTable } from '../../support/drain-table.ts'
import { requirePart } from '../../support/require-part.ts'

/**
 * Real kubectls and our two drains against copies of the same scripted cluster. Each must do what the case says; where one
 * differs from the newest kubectl, the case says why.
 */

vi.setConfig({ maxConcurrency: 100, testTimeout: 230_000 })

const cases = [...filterCases, ...requestCases, ...answerCases].toSorted((a, b) => a.number - b.number)

const manyPods = variation(
  '200 pods that take two seconds to end',
  Array.from({ length: 200 }, (_, index) => ({ name: `p${index}`, endsAfterMs: 2_000 })),
  { timeoutMs: 100_000 },
  { gone: Array.from({ length: 200 }, (_, index) => `p${index}`) },
)

const longestFirst = [...cases].toSorted((a, b) => Number(b.number === 19) - Number(a.number === 19))

const kubectls = lane(8)
const ours = lane(40)

/** kubectl sends about ten requests a second: with many pods it mostly sleeps. */
function isLong({ script }: Variation): boolean {
  return script.pods.length > 100
}

interface OurDrains {
  readonly compatible: Drained
  /** undefined where our own drain cannot be asked for this. */
  readonly strict: Drained | undefined
}

/** Our drains do not depend on the age of kubectl. */
const remembered = new Map<Variation, Promise<OurDrains>>()

async function drainOurselves(one: Variation): Promise<OurDrains> {
  const { script, order, strict } = one
  const known = remembered.get(one)
  if (known !== undefined) return known
  const drains = Promise.all([
    ours(async () => drainLikeKubectlWould(script, order)),
    typeof strict === 'string' ? undefined : ours(async () => drainStrictly(script, order)),
  ]).then(([compatible, own]) => ({ compatible, strict: own }))
  remembered.set(one, drains)
  return drains
}

interface Comparison {
  readonly who: string
  readonly variation: string
  readonly result: DrainResult
  readonly expected: DrainResult
  readonly output: string
}

async function compare(age: KubectlAge, one: Variation): Promise<readonly Comparison[]> {
  const { name, script, order } = one
  const [kubectl, { compatible, strict }] = await Promise.all([
    isLong(one)
      ? drainWithKubectl(age, script, order)
      : kubectls(async () => drainWithKubectl(age, script, order)),
    drainOurselves(one),
  ])
  return [
    { who: `kubectl ${age}`, variation: name, expected: ofKubectl(age, one), ...kubectl },
    { who: 'ours like kubectl', variation: name, expected: ofOursLikeKubectl(one), ...compatible },
    ...(strict === undefined ? [] : [{ who: 'ours', variation: name, expected: ofOurs(one), ...strict }]),
  ]
}

function ofKubectl(age: KubectlAge, { expected, older }: Variation): DrainResult {
  return { ...expected, ...older.find(({ ages }) => ages.includes(age))?.instead }
}

function ofOursLikeKubectl({ expected, compatible }: Variation): DrainResult {
  return { ...expected, ...compatible?.instead }
}

/** Our own drain shows warnings before a run, as findings; and when it fails it undoes its cordon. */
function ofOurs({ expected, strict, order }: Variation): DrainResult {
  const result = { ...expected, ...(typeof strict === 'string' ? {} : strict?.instead), warnings: [] }
  return result.exit === 'ok' || order.interrupt === true ? result : undone(result)
}

/** With the output, for the reader of a failure. */
const resultOf = ({ who, variation: name, output, result }: Comparison) => ({ who, name, output, ...result })
const expectedOf = ({ expected, ...one }: Comparison) => resultOf({ ...one, expected, result: expected })

/** Whether it came to something else than the kubectl it ran beside. */
function differs({ who, variation: name, result }: Comparison, all: readonly Comparison[]): boolean {
  const kubectl = all.find((one) => one.variation === name && one.who.startsWith('kubectl'))
  if (kubectl === undefined) throw new Error(`${name} was not run with kubectl`)
  const warnings = who === 'ours' ? kubectl.result.warnings : result.warnings
  return !isDeepStrictEqual({ ...result, warnings }, kubectl.result)
}

test('every stated difference is one', () => {
  const differences = cases
    .flatMap(({ variations }) => variations)
    .flatMap(({ expected, older, compatible, strict }) =>
      [...older, compatible, typeof strict === 'string' ? undefined : strict].flatMap((difference) =>
        difference === undefined ? [] : [{ expected, difference }],
      ),
    )
  for (const { expected, difference } of differences)
    expect({ ...difference, was: { ...expected, ...difference.instead } }).not.toEqual({
      ...difference,
      was: expected,
    })
})

describe('a drain compared with kubectl', () => {
  const verdicts = new DrainTable(cases)
  afterAll(() => {
    process.stderr.write(verdicts.print())
  })

  for (const age of kubectlAges)
    describe.skipIf(requirePart('KUBECTL', kubectlMissing(age)))(`${age}`, { concurrent: true }, () => {
      // The longest first.
      test.concurrent('the requests that 200 pods take', async () => {
        const { script, order, expected } = manyPods
        const kubectl = await drainWithKubectl(age, script, order)
        const { compatible, strict } = await drainOurselves(manyPods)
        for (const { result } of [kubectl, compatible, ...(strict === undefined ? [] : [strict])])
          expect(result.gone).toEqual(expected.gone)
        verdicts.many(age, { kubectl, compatible, ...(strict === undefined ? {} : { strict }) })
      })

      test.concurrent.for(longestFirst)('$number: $title', async ({ number, variations }) => {
        verdicts.note(number, age, { compatible: 'FAIL', strict: 'FAIL' })
        const compared = (await Promise.all(variations.map(async (one) => compare(age, one)))).flat()
        const wrong = compared.filter(({ result, expected }) => !isDeepStrictEqual(result, expected))
        expect(wrong.map(resultOf)).toEqual(wrong.map(expectedOf))
        const stated = (who: string) => compared.some((one) => one.who === who && differs(one, compared))
        verdicts.note(number, age, {
          compatible: stated('ours like kubectl') ? 'stated' : 'same',
          strict: stated('ours') ? 'stated' : 'same',
        })
      })
    })
})

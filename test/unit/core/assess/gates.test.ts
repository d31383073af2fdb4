import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clusterOnly } from '../../../../src/core/assess/scope.ts'
import { assessRules } from '../../../../src/core/rules/assess.ts'
import { gateCases } from '../../../support/gate-cases.ts'
import { gatesPage, unshownRules } from '../../../support/gates-page.ts'
import { checkResult, of } from './builders.ts'

const open = (result: string): boolean => result === 'fail' || result === 'error'

describe.each(Object.entries(gateCases))('%s', (rule, { fails, passes }) => {
  test(`fails when ${fails.when}`, () => {
    const assessment = fails.make()
    expect(of(assessment, rule).filter(({ result }) => open(result))).not.toEqual([])
    // Waivers are no check of their own.
    expect(['fail', 'error', undefined]).toContain(checkResult(assessment, rule))
  })

  test(`passes when ${passes.when}`, () => {
    const assessment = passes.make()
    expect(of(assessment, rule).filter(({ result }) => open(result))).toEqual([])
    expect(['pass', undefined]).toContain(checkResult(assessment, rule))
  })
})

test('rules that name no node are known to be about the cluster', () => {
  const nameless = Object.entries(gateCases)
    .map(([rule, { fails }]) => [rule, fails.make()] as const)
    .filter(([rule, assessment]) => checkResult(assessment, rule) !== undefined)
    .filter(([rule, assessment]) => of(assessment, rule).every(({ nodes }) => nodes.length === 0))
  expect(nameless.map(([rule]) => rule).toSorted()).toEqual([...clusterOnly].toSorted())
})

test('every rule of the catalogue has both cases, and no other', () => {
  expect(Object.keys(gateCases).toSorted()).toEqual(Object.keys(assessRules).toSorted())
})

test('every rule that is checked is in the catalogue', () => {
  const { checks } = gateCases['PRE-CLOCK'].passes.make()
  const unknown = checks.filter(({ rule }) => !Object.hasOwn(assessRules, rule)).map(({ rule }) => rule)
  expect(unknown).toEqual([])
})

test('every rule of a configuration, a translation and a move in place is shown by a test', () => {
  expect(unshownRules()).toEqual([])
})

test('docs/gates.md is what the rules and their cases say (else: npm run gates)', () => {
  expect(readFileSync(new URL('../../../../docs/gates.md', import.meta.url), 'utf8')).toBe(gatesPage())
})

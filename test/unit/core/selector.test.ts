import { describe, expect, test } from 'vitest'
import { budgetGuards, type LabelSelector, matchesSelector } from '../../../src/core/selector.ts'

const selector = (changes: Partial<LabelSelector> = {}): LabelSelector => ({
  matchLabels: {},
  matchExpressions: [],
  ...changes,
})
const expression = (operator: string, values: string[] = []) =>
  selector({ matchExpressions: [{ key: 'app', operator, values }] })

describe('label selectors', () => {
  test.each<[string, LabelSelector, Record<string, string>, boolean]>([
    ['an empty one matches all', selector(), {}, true],
    [
      'all labels must match',
      selector({ matchLabels: { a: '1', b: '2' } }),
      { a: '1', b: '2', c: '3' },
      true,
    ],
    ['one label differs', selector({ matchLabels: { a: '1', b: '2' } }), { a: '1', b: '3' }, false],
    ['In with the value', expression('In', ['x', 'y']), { app: 'y' }, true],
    ['In without the label', expression('In', ['x']), {}, false],
    ['NotIn with another value', expression('NotIn', ['x']), { app: 'y' }, true],
    ['NotIn with the value', expression('NotIn', ['x']), { app: 'x' }, false],
    ['NotIn without the label', expression('NotIn', ['x']), {}, true],
    ['Exists', expression('Exists'), { app: '' }, true],
    ['Exists without the label', expression('Exists'), {}, false],
    ['DoesNotExist', expression('DoesNotExist'), {}, true],
    ['DoesNotExist with the label', expression('DoesNotExist'), { app: '' }, false],
  ])('%s', (_what, given, labels, expected) => {
    expect(matchesSelector(labels, given)).toBe(expected)
  })

  test('an operator it does not know is an error, not a no', () => {
    expect(() => matchesSelector({ app: '1' }, expression('Gt', ['0']))).toThrow(/operator "Gt" on app/)
  })
})

describe('what a disruption budget guards', () => {
  const pod = { namespace: 'shop', labels: { app: 'web' } }
  test.each<[string, 'policy/v1' | 'policy/v1beta1', LabelSelector | null, boolean]>([
    ['v1, empty selector: everything', 'policy/v1', selector(), true],
    ['v1beta1, empty selector: nothing', 'policy/v1beta1', selector(), false],
    ['v1, no selector: nothing', 'policy/v1', null, false],
    ['v1beta1, no selector: nothing', 'policy/v1beta1', null, false],
    ['v1beta1, matching', 'policy/v1beta1', selector({ matchLabels: { app: 'web' } }), true],
    ['v1, not matching', 'policy/v1', selector({ matchLabels: { app: 'db' } }), false],
  ])('%s', (_what, apiVersion, given, expected) => {
    expect(budgetGuards({ namespace: 'shop', apiVersion, selector: given }, pod)).toBe(expected)
  })

  test('only in its own namespace', () => {
    expect(budgetGuards({ namespace: 'bank', apiVersion: 'policy/v1', selector: selector() }, pod)).toBe(
      false,
    )
  })
})

import type { PodDisruptionBudget } from './inventory.ts'
import { exitCode, MigrateError } from './errors.ts'

/** A Kubernetes label selector; both parts must hold. */
export type LabelSelector = NonNullable<PodDisruptionBudget['selector']>

type Labels = Readonly<Record<string, string>>

/** True when the labels satisfy the selector; the empty selector is satisfied by everything. */
export function matchesSelector(labels: Labels, selector: LabelSelector): boolean {
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value) &&
    selector.matchExpressions.every((expression) => matchesExpression(labels, expression))
  )
}

// kubernetes/apimachinery pkg/labels/selector.go: NotIn holds for objects without the key as well.
function matchesExpression(labels: Labels, expression: LabelSelector['matchExpressions'][number]): boolean {
  const value = labels[expression.key]
  switch (expression.operator) {
    case 'In':
      return value !== undefined && expression.values.includes(value)
    case 'NotIn':
      return value === undefined || !expression.values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      // Taking an operator we do not know for "does not match" would turn "cannot tell" into "no".
      throw new MigrateError(
        `label selector uses the operator ${JSON.stringify(expression.operator)} on ${expression.key}, which is not known`,
        { exitCode: exitCode.badInput },
      )
  }
}

/**
 * True when the budget guards the pod. An absent selector guards nothing. An empty one guards nothing in
 * `policy/v1beta1` and the whole namespace in `policy/v1` (field documentation of PodDisruptionBudgetSpec.selector).
 */
export function budgetGuards(
  budget: Pick<PodDisruptionBudget, 'namespace' | 'apiVersion' | 'selector'>,
  pod: { readonly namespace: string; readonly labels: Labels },
): boolean {
  const { selector } = budget
  if (selector === null || budget.namespace !== pod.namespace) return false
  if (isEmptySelector(selector) && budget.apiVersion === 'policy/v1beta1') return false
  return matchesSelector(pod.labels, selector)
}

function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0
}

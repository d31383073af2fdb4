import { type Finding, isInhibitor, type Rule, type RuleId } from '../findings.ts'
import type { Waiver } from '../plan.ts'
import { assessRules } from '../rules/assess.ts'
import { found } from './found.ts'

/** Rule ids that a waiver may turn from an inhibitor into a note. */
const waivableRules: ReadonlySet<RuleId> = new Set(
  Object.entries<Rule<never>>(assessRules)
    .filter(([, rule]) => rule.waivable === true)
    .map(([id]) => id as RuleId),
)

/**
 * Findings with their waivers, and findings about the waivers themselves: an expired, incomplete or impossible one is an
 * inhibitor, because somebody relies on it; an unused one is said. `today` is an ISO date.
 */
export function applyWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  today: string,
): Finding[] {
  const accepted: Waiver[] = []
  const about: Finding[] = []
  for (const waiver of waivers) {
    const problem = problemOf(waiver, findings, today)
    if (problem === null) accepted.push(waiver)
    else about.push(problem)
  }
  const waived = findings.map((f): Finding => {
    const waiver = accepted.find((one) => covers(one, f))
    if (waiver === undefined) return f
    const { reason, approvedBy, expires, ticket } = waiver
    return { ...f, waiver: { reason, approvedBy, expires, ticket: ticket ?? null } }
  })
  return [...waived, ...about]
}

/** By its key, or by its rule within a scope; a scope narrows both. */
function covers({ key, scope }: Waiver, { key: own, rule, subject, nodes }: Finding): boolean {
  if (key !== own && (key !== rule || isOpen(scope))) return false
  const { node, namespace, name } = scope ?? {}
  return (
    (node === undefined || nodes.includes(node)) &&
    (namespace === undefined || subject.namespace === namespace) &&
    (name === undefined || subject.name === name)
  )
}

function isOpen(scope: Waiver['scope']): boolean {
  return scope === undefined || Object.values(scope).every((part) => part === undefined)
}

function problemOf(waiver: Waiver, findings: readonly Finding[], today: string): Finding | null {
  const { key, reason, approvedBy, expires } = waiver
  const occurrence = { subject: { kind: 'Waiver', name: key } }
  if (reason.trim() === '') return found('INV-WAIVER-INCOMPLETE', { key, missing: 'reason' }, occurrence)
  if (approvedBy.trim() === '')
    return found('INV-WAIVER-INCOMPLETE', { key, missing: 'approvedBy' }, occurrence)
  // Dates of this form compare as text; any other form cannot be trusted to.
  if (expires !== null && !/^\d{4}-\d{2}-\d{2}$/.test(expires))
    return found(
      'INV-WAIVER-INCOMPLETE',
      { key, missing: 'date of the form 2027-01-31 in expires' },
      occurrence,
    )
  if (expires !== null && expires < today)
    return found('INV-WAIVER-EXPIRED', { key, expires, today }, occurrence)
  if (isOpen(waiver.scope) && findings.some((f) => f.rule === key))
    return found(
      'INV-WAIVER-INCOMPLETE',
      { key, missing: 'scope, which the name of a rule needs' },
      occurrence,
    )
  const targets = findings.filter((f) => covers(waiver, f))
  if (targets.length === 0) return found('INV-WAIVER-UNUSED', { key }, occurrence)
  // A check that could not run has nothing to accept yet.
  const impossible = targets.find(
    (f) => f.result === 'error' || (isInhibitor(f) && !waivableRules.has(f.rule)),
  )
  return impossible === undefined
    ? null
    : found('INV-WAIVER-REFUSED', { key, summary: impossible.summary }, occurrence)
}

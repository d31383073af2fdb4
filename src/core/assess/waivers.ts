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
  const accepted = new Map<string, Waiver>()
  const about: Finding[] = []
  for (const waiver of waivers) {
    const problem = problemOf(waiver, findings, today)
    if (problem === null) accepted.set(waiver.key, waiver)
    else about.push(problem)
  }
  const waived = findings.map((f): Finding => {
    const waiver = accepted.get(f.key)
    if (waiver === undefined) return f
    const { reason, approvedBy, expires } = waiver
    return { ...f, waiver: { reason, approvedBy, expires } }
  })
  return [...waived, ...about]
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
  const target = findings.find((f) => f.key === key)
  if (target === undefined) return found('INV-WAIVER-UNUSED', { key }, occurrence)
  // A check that could not run has nothing to accept yet.
  const impossible = target.result === 'error' || (isInhibitor(target) && !waivableRules.has(target.rule))
  return impossible ? found('INV-WAIVER-REFUSED', { key, summary: target.summary }, occurrence) : null
}

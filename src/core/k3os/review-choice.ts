import { formatPosition } from '../errors.ts'
import { sameValue, type Claim } from './account.ts'
import type { ConfigFindings } from './config-findings.ts'
import type { Choice, Ledger, Replacement } from './ledger.ts'
import { usualSpelling } from './names.ts'
import { placeOf, type Value } from './value.ts'

/** Tells where k3OS lets chance decide and the outcome can differ. */
export function reviewChoices(
  claims: ReadonlyMap<Value, Claim>,
  ledger: Ledger,
  findings: ConfigFindings,
): void {
  for (const choice of ledger.choices) {
    const { winner, loser } = choice
    const claim = claims.get(loser)
    if (claim === undefined || sameValue(winner, loser) || !matters(choice, claims, ledger)) continue
    const facts = {
      key: claim.key,
      setting: usualSpelling(claim.path),
      winner: formatPosition(placeOf(winner)),
    }
    findings.add('CFG-RANDOM', facts, placeOf(loser), claim.path)
  }
}

/** What decided in the end: a value chance threw out against one that was itself replaced lost for that reason. */
export function beyondChance(replacement: Replacement, ledger: Ledger): Replacement {
  if (replacement.how !== 'random') return replacement
  const next = ledger.replacementOf(replacement.by)
  return next === undefined || next.how === 'random' ? replacement : next
}

/**
 * Chance does not matter when a later source sets the value anyway. Nor against a lower-case key, unless the value could
 * be refused, or be decoded first and then only in part be overwritten: elements of lists keep what is not set again.
 */
function matters(choice: Choice, claims: ReadonlyMap<Value, Claim>, ledger: Ledger): boolean {
  const next = ledger.replacementOf(choice.winner) ?? ledger.replacementOf(choice.loser)
  const values = [choice.winner, choice.loser]
  // Entries of files are treated only under the name that was chosen.
  if (values.some((value) => claims.get(value)?.key === 'writefiles')) return true
  if (next?.how !== 'lower-case') return next?.how !== 'later-source'
  return !values.includes(next.by) || !values.every((value) => isPlain(value, next.by))
}

function isPlain(value: Value, like: Value): boolean {
  if (value.kind === 'list')
    return like.kind === 'list' && value.items.every((item) => isPlainScalar(item, 'string'))
  return value.kind === 'scalar' && (isPlainScalar(value, 'string') || isPlainScalar(value, 'boolean'))
}

function isPlainScalar(value: Value, type: 'string' | 'boolean'): boolean {
  return value.kind === 'scalar' && typeof value.value === type
}

import type { Finding } from '../findings.ts'
import { formatPosition } from '../errors.ts'
import { isSecretPath } from '../redact.ts'
import { claimsByValue, lostValues, type Account, type Claim, type LostValue } from './account.ts'
import { ConfigFindings } from './config-findings.ts'
import type { Decoded } from './decode.ts'
import type { Ledger } from './ledger.ts'
import type { LoadedSources } from './load.ts'
import { usualSpelling } from './names.ts'
import type { Result, Settled } from './result.ts'
import { beyondChance, reviewChoices } from './review-choice.ts'
import { reviewConfig } from './review-config.ts'
import { reviewSource } from './review-source.ts'
import { reviewUnknown } from './review-unknown.ts'
import { asWritten, placeOf, type Value } from './value.ts'

/** What the user should know about a configuration k3OS accepts. */
export function review(
  sources: LoadedSources,
  account: Account,
  decoded: Decoded,
  result: Result,
  ledger: Ledger,
): Finding[] {
  const findings = new ConfigFindings()
  for (const source of sources.loaded) reviewSource(source, result, findings)
  for (const file of sources.skipped) {
    const place = { file: file.file, line: 1, column: 1, endLine: 1, endColumn: 1 }
    findings.add('CFG-METADATA-UNREADABLE', { why: file.unreadable }, place, null)
  }
  for (const key of account.unknown) reviewUnknown(key, findings)
  const claims = claimsByValue(account)
  const lost = lostValues(account, result.used, ledger)
  for (const value of lost) reviewLost(value, claims, ledger, findings)
  reviewChoices(claims, ledger, findings)
  reviewFolded(decoded, lost, result, findings)
  for (const settled of result.settled) reviewChange(settled, findings)
  for (const claim of account.claims) reviewClaim(claim, result, findings)
  reviewConfig(result, findings)
  return findings.list
}

function reviewLost(
  lost: LostValue,
  claims: ReadonlyMap<Value, Claim>,
  ledger: Ledger,
  findings: ConfigFindings,
): void {
  const { claim, value, path } = lost
  const replacement = lost.replacement === undefined ? undefined : beyondChance(lost.replacement, ledger)
  const setting = usualSpelling(path)
  const place = placeOf(value)
  const spelled = { key: claim.key, setting }
  if (replacement === undefined) {
    findings.add('CFG-NO-EFFECT', spelled, place, path)
    return
  }
  const facts = { ...spelled, winner: formatPosition(placeOf(replacement.by)) }
  switch (replacement.how) {
    case 'later-source': {
      const cleared = replacement.by.kind === 'scalar' && replacement.by.value === null
      findings.add('CFG-SHADOWED', { ...facts, cleared }, place, path, {
        severity: value.kind === 'scalar' ? 'info' : 'low',
      })
      break
    }
    case 'other-spelling':
      findings.add('CFG-TWO-SPELLINGS', facts, place, path)
      break
    case 'random':
      // Told with the choice itself, which also covers values that were not lost but might have been.
      break
    case 'letter-case':
      findings.add('CFG-LETTER-CASE-LOST', facts, place, path)
      break
    case 'lower-case': {
      const winnerKey = claims.get(replacement.by)?.key
      findings.add(
        'CFG-LOWER-CASE-TRAP',
        winnerKey === undefined ? facts : { ...facts, winnerKey },
        place,
        path,
      )
      break
    }
  }
}

/** Keys in unusual letter case that did reach the result. Those that beat another value are reported with that. */
function reviewFolded(
  decoded: Decoded,
  lost: readonly LostValue[],
  result: Result,
  findings: ConfigFindings,
): void {
  const winners = new Set(lost.map(({ replacement }) => replacement?.by))
  for (const { path, key, entry, lowerCase } of decoded.folded) {
    const { source } = entry.value
    const written = asWritten(entry.value)
    // `K3OS.TOKEN=x` is one argument: the key inside it says enough.
    if (written.kind === 'table' && source.kind === 'cmdline') continue
    if (winners.has(written) || (!result.used.has(written) && written.kind !== 'table')) continue
    const place = source.place(entry.keyStart, entry.keyEnd)
    findings.add(
      lowerCase ? 'CFG-LOWER-CASE-KEY' : 'CFG-LETTER-CASE',
      { key, setting: usualSpelling(path) },
      place,
      path,
    )
  }
}

/** A value k3OS made something else of. */
function reviewChange({ path, slot }: Settled, findings: ConfigFindings): void {
  const written = asWritten(slot.from)
  if (written === slot.from) return
  const place = placeOf(written)
  const setting = usualSpelling(path)
  const raw = written.source.text.slice(written.start, written.end)
  const shown = isSecretPath(path) ? null : raw
  const became = isSecretPath(path) ? null : String(slot.value)
  const key = setting.slice(setting.lastIndexOf('.') + 1)
  if (slot.kind === 'flag') {
    if (
      written.kind === 'scalar' &&
      slot.value === false &&
      written.value !== 'false' &&
      written.value !== ''
    )
      findings.add('CFG-NOT-TRUE', { key, setting, written: shown, became }, place, path)
  } else if (written.kind === 'list') {
    const list = written.items.length === 0 ? 'empty list' : 'list'
    const what = written.source.kind === 'cmdline' ? 'repeated argument' : list
    findings.add('CFG-COLLAPSED', { key, setting, what }, place, path)
  } else if (written.kind === 'table') {
    if (written.source.kind === 'cmdline') findings.add('CFG-DOTTED-ARGUMENT', { key, setting }, place, path)
    else findings.add('CFG-COLLAPSED', { key, setting, what: 'map' }, place, path)
  } else if (typeof written.value === 'number') {
    if (raw !== slot.value)
      findings.add('CFG-NUMBER-FORM', { key, setting, written: shown, became }, place, path)
  } else if (typeof written.value === 'string') {
    if (written.value !== slot.value) findings.add('CFG-TRIMMED', { key, setting }, place, path)
  } else if (raw !== slot.value)
    findings.add('CFG-VALUE-FORM', { key, setting, written: shown, became }, place, path)
}

function reviewClaim(claim: Claim, result: Result, findings: ConfigFindings): void {
  const { path, key, source, value } = claim
  const rule = ruleForClaim(claim, result)
  if (rule === null) return
  findings.add(rule, { key, setting: usualSpelling(path) }, source.place(value.start, value.end), path)
}

/** Settings that deserve a word wherever they stand, once they have an effect. */
function ruleForClaim(
  { path, source, value }: Claim,
  { used, config }: Result,
): 'CFG-INIT-CMD' | 'CFG-HOSTNAME-ARGUMENT' | 'CFG-INSTALL-REMOVED' | null {
  const isNull = value.kind === 'scalar' && value.value === null
  if (path === 'k3os.install' && isNull && config.k3os.install === undefined) return 'CFG-INSTALL-REMOVED'
  if (path === 'initCmd' && source.kind !== 'cmdline' && used.has(value)) return 'CFG-INIT-CMD'
  if (path === 'hostname' && source.kind === 'cmdline' && used.has(value)) return 'CFG-HOSTNAME-ARGUMENT'
  return null
}

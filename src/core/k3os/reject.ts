import type { ConfigPath } from '../path.ts'
import { formatPosition } from '../errors.ts'
import type { TypeMistake } from './decode.ts'
import type { Ledger } from './ledger.ts'
import type { Unloadable } from './load.ts'
import { usualSpelling } from './names.ts'
import type { Place, RejectedReading, SourceKind } from './reading.ts'
import { claimsByValue, type Account } from './account.ts'
import { ConfigFindings } from './config-findings.ts'
import { reviewChoices } from './review-choice.ts'
import { asWritten, placeOf, type Value } from './value.ts'

/** One source that cannot be read is enough. */
export function rejectSources(
  unloadable: readonly Unloadable[],
  without: readonly ConfigPath[],
): RejectedReading {
  const findings = new ConfigFindings()
  for (const { kind, place, problem, cause } of unloadable)
    if (cause === 'unknown') findings.add('CFG-NOT-READ', { why: problem }, place, null, { result: 'error' })
    else {
      const hint = hintForSource(kind, place, cause)
      findings.add('CFG-UNREADABLE', { problem, hint, runtimeOnly: isRuntimeOnly(kind) }, place, null)
    }
  const certain = unloadable.every(({ cause }) => cause !== 'unknown')
  return rejected(findings, without, unloadable[0]?.place, certain)
}

function hintForSource(kind: SourceKind, place: Place, cause: 'read' | 'yaml' | 'root'): string {
  if (cause === 'read') return `move ${place.file} out of the way`
  if (kind === 'userdata')
    return 'k3OS takes user data as YAML, or as a script that starts with #!; it knows no MIME parts and no plain text'
  if (kind === 'config.d')
    return 'every file in config.d counts, whatever its name: correct it, or move it elsewhere'
  return `correct ${place.file} at line ${place.line}`
}

/** One value of the wrong type is enough, too: encoding/json fails, and k3OS drops everything. */
export function rejectMistakes(
  mistakes: readonly TypeMistake[],
  account: Account,
  ledger: Ledger,
  without: readonly ConfigPath[],
): RejectedReading {
  const findings = new ConfigFindings()
  for (const mistake of mistakes) {
    const written = asWritten(mistake.value)
    const facts = {
      setting: usualSpelling(mistake.path),
      problem: problemOf(mistake),
      hint: hintFor(mistake, written),
      runtimeOnly: isRuntimeOnly(written.source.kind),
    }
    findings.add('CFG-TYPE', facts, placeOf(written), mistake.path)
  }
  // Where chance picks the spelling, the node may get away with it at some starts.
  reviewChoices(claimsByValue(account), ledger, findings)
  const [first] = mistakes
  return rejected(findings, without, first === undefined ? undefined : placeOf(asWritten(first.value)), true)
}

function isRuntimeOnly(kind: SourceKind): boolean {
  return kind === 'userdata' || kind === 'metadata'
}

function rejected(
  findings: ConfigFindings,
  without: readonly ConfigPath[],
  place: Place | undefined,
  certain: boolean,
): RejectedReading {
  const position = place ?? { file: '', line: 1, column: 1, endLine: 1, endColumn: 1 }
  const reason = findings.list[0]?.summary ?? 'k3OS cannot read the configuration'
  return { status: 'rejected', certain, reason, position, without, findings: findings.list }
}

const wants: Readonly<Record<TypeMistake['wanted'], string>> = {
  text: 'a text',
  flag: 'true or false',
  texts: 'a list of texts',
  'text-map': 'a map',
  'map-value': 'a text',
  object: 'a map',
  objects: 'a list of maps',
}

function problemOf({ value, wanted }: TypeMistake): string {
  return `is ${kindOf(value)}, and k3OS wants ${wants[wanted]}`
}

function kindOf(value: Value): string {
  if (value.kind === 'list') return value.source.kind === 'cmdline' ? 'given more than once' : 'a list'
  if (value.kind === 'table') return 'a map'
  if (typeof value.value === 'number') return 'a number'
  return typeof value.value === 'boolean' ? 'a boolean' : 'a text'
}

function hintFor({ path, key, wanted }: TypeMistake, written: Value): string {
  const setting = usualSpelling(path)
  if (written.source.kind === 'cmdline') return hintForArgument(setting, wanted, written)
  const scalar = written.kind === 'scalar'
  const name = path.slice(path.lastIndexOf('.') + 1)
  if (key !== null && key !== name && key.toLowerCase() === name.toLowerCase())
    return `values of ${key} are not converted; spell it ${setting}`
  if (scalar && (wanted === 'text' || wanted === 'map-value')) return 'put the value in quotes'
  if (written.kind === 'list' && wanted === 'text' && key === null)
    return 'write each command as one text, not as a list'
  return `write ${wants[wanted]} at ${formatPosition(placeOf(written))}`
}

function hintForArgument(setting: string, wanted: TypeMistake['wanted'], written: Value): string {
  if (written.kind === 'list') return 'give the kernel argument once'
  if (wanted === 'object' || wanted === 'objects')
    return `${setting} cannot be set by a kernel argument of its own; remove it from the kernel command line`
  return `spell the kernel argument ${setting}`
}

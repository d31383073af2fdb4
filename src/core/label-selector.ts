import { exitCode, MigrateError } from './errors.ts'
import type { LabelSelector } from './selector.ts'

/**
 * Reads a selector as users of kubectl write it: `app=web,tier!=db,env in (a, b),!canary`; the empty text selects
 * everything (kubernetes/apimachinery pkg/labels/selector.go, without its comparisons of numbers). Throws exit 64.
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return { matchLabels: {}, matchExpressions: [] }
  // Commas in parentheses separate values, all others separate requirements.
  const requirements = text.split(/,(?![^(]*\))/)
  return { matchLabels: {}, matchExpressions: requirements.map((one) => requirement(one.trim(), text)) }
}

const key = String.raw`(?<key>(?:[a-z0-9.-]+/)?[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)`
const value = String.raw`(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?`
const patterns = {
  equality: new RegExp(`^${key}\\s*(?<sign>==?|!=)\\s*(?<value>${value})$`),
  set: new RegExp(`^${key}\\s+(?<word>in|notin)\\s*\\((?<values>[^()]*)\\)$`),
  presence: new RegExp(`^(?<not>!\\s*)?${key}$`),
  value: new RegExp(`^${value}$`),
} as const

function requirement(one: string, whole: string): LabelSelector['matchExpressions'][number] {
  const equality = patterns.equality.exec(one)?.groups
  if (equality !== undefined)
    return expression(equality['key'], equality['sign'] === '!=' ? 'NotIn' : 'In', [equality['value'] ?? ''])
  const set = patterns.set.exec(one)?.groups
  const values = set?.['values']?.split(',').map((each) => each.trim()) ?? []
  if (set !== undefined && values.every((each) => patterns.value.test(each)))
    return expression(set['key'], set['word'] === 'in' ? 'In' : 'NotIn', values)
  const presence = patterns.presence.exec(one)?.groups
  if (presence !== undefined)
    return expression(presence['key'], presence['not'] === undefined ? 'Exists' : 'DoesNotExist', [])
  throw new MigrateError(`${JSON.stringify(whole)} is not a label selector: ${JSON.stringify(one)}`, {
    exitCode: exitCode.usage,
    hint: 'write it as kubectl takes it, for example: app=web,tier!=db,env in (a,b)',
  })
}

function expression(
  name: string | undefined,
  operator: string,
  values: string[],
): LabelSelector['matchExpressions'][number] {
  return { key: name ?? '', operator, values }
}

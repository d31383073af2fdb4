// What a scalar is: gopkg.in/yaml.v2 resolve.go, as vendored by rancher/k3os.

export type Resolved =
  | { readonly type: 'null' }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** `whole`: Go holds an integer; `unsigned`: one beyond int64, which cannot be a map key. */
  | {
      readonly type: 'number'
      readonly value: number
      readonly whole: boolean
      readonly text: string
      readonly unsigned: boolean
    }
  | { readonly type: 'string'; readonly value: string }

const words = new Map<string, Resolved>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, { type: 'boolean', value: true }] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, { type: 'boolean', value: false }] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { type: 'null' }] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, float(Number.NaN)] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, float(Infinity)] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, float(-Infinity)] as const),
])

const integer = /^([+-]?)(?:0[xX]([0-9A-Fa-f]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

function float(value: number): Resolved {
  return { type: 'number', value, whole: false, text: '', unsigned: false }
}

/** An unquoted scalar without a tag. */
export function resolvePlain(text: string): Resolved {
  const word = words.get(text)
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  const startsNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e
  return (startsNumber ? resolveNumber(text) : null) ?? { type: 'string', value: text }
}

function resolveNumber(text: string): Resolved | null {
  if (text.startsWith('.')) return resolveDecimal(text)
  const digits = text.replaceAll('_', '')
  return resolveInteger(digits) ?? resolveDecimal(digits)
}

/** Go's ParseInt and ParseUint with base 0: `0644`, `0o17` and `0b101` too; `08` is none. */
function resolveInteger(digits: string): Resolved | null {
  const match = integer.exec(digits)
  if (match === null) return null
  const [, sign = '', hex, binary, octal, plain = '0'] = match
  const magnitude =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : octal !== undefined
          ? BigInt(`0o${octal}`)
          : BigInt(plain)
  const value = sign === '-' ? -magnitude : magnitude
  if (value > uint64Max || value < -int64Max - 1n || (value > int64Max && sign === '+')) return null
  return {
    type: 'number',
    value: Number(value),
    whole: true,
    text: value.toString(),
    unsigned: value > int64Max,
  }
}

function resolveDecimal(digits: string): Resolved | null {
  if (!decimal.test(digits)) return null
  const value = Number(digits)
  // Beyond the range of a float64 Go fails to parse, and the text stays a text.
  return Number.isFinite(value) ? float(value) : null
}

const standard = 'tag:yaml.org,2002:'

/** A scalar with a tag; null when the text cannot be what the tag says. Unknown tags leave the text as it is. */
export function resolveTagged(tag: string, text: string): Resolved | null {
  if (!tag.startsWith(standard)) return { type: 'string', value: text }
  const seen = resolvePlain(text)
  switch (tag.slice(standard.length)) {
    case 'null':
      return seen.type === 'null' ? seen : null
    case 'bool':
      return seen.type === 'boolean' ? seen : null
    case 'int':
      return seen.type === 'number' && seen.whole ? seen : null
    case 'float':
      if (seen.type !== 'number' || seen.unsigned) return null
      return float(seen.value)
    case 'timestamp':
      return /^\d{4}-\d{1,2}-\d{1,2}/.test(text) ? { type: 'string', value: text } : null
    default:
      return { type: 'string', value: text }
  }
}

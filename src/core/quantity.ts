import { exitCode, MigrateError } from './errors.ts'

/**
 * Kubernetes quantities (`250m`, `1.5Gi`, `2e3`), counted in thousandths so that CPU shares stay whole numbers.
 * Format: kubernetes/apimachinery pkg/api/resource/quantity.go.
 */

const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** The same few dozen texts stand in all pods of a cluster. */
const known = new Map<string, number>()
const mostKnown = 1000

/** Thousandths of the unit (milli-cores, milli-bytes), rounded up as the scheduler does. */
export function parseQuantity(text: string): number {
  const before = known.get(text)
  if (before !== undefined) return before
  const amount = readQuantity(text)
  if (known.size < mostKnown) known.set(text, amount)
  return amount
}

function readQuantity(text: string): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(text)
  const factor = suffixes[match?.[2] ?? '']
  if (match === null || factor === undefined)
    throw new MigrateError(`${JSON.stringify(text)} is not a Kubernetes quantity`, {
      exitCode: exitCode.badInput,
    })
  // 0.1 * 1000 must not become 101 for a rounding error in the last binary digit.
  return Math.ceil(Number((Number(match[1]) * factor * 1000).toPrecision(15)))
}

/** Shortest text without a fraction: `250m`, `2`, `64Mi`. */
export function formatQuantity(thousandths: number): string {
  if (thousandths % 1000 !== 0) return `${thousandths}m`
  const whole = thousandths / 1000
  for (const suffix of ['Gi', 'Mi', 'Ki']) {
    const factor = suffixes[suffix] ?? 1
    if (whole !== 0 && whole % factor === 0) return `${whole / factor}${suffix}`
  }
  return String(whole)
}

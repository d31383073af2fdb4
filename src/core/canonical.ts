/**
 * RFC 8785 (JCS) text of a JSON value: keys in UTF-16 order, no white space, ECMAScript numbers. What is hashed or signed
 * goes through here, so that the same data has the same digest everywhere. `undefined` members are left out, as JSON does;
 * what no other program would read back as the same value (a lone surrogate, Infinity, a function) is refused.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([key, item]) => `${text(key)}:${canonicalJson(item)}`).join(',')}}`
  }
  if (typeof value === 'string') return text(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  // ECMAScript's own shortest form is the one the RFC asks for (3.2.2.3); -0 is written 0.
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  throw new RangeError(`JSON has no such value (${typeof value})`)
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new RangeError('a text with half a character has no canonical form')
  return JSON.stringify(value)
}

import { parse } from 'yaml'
import type { Evidence } from './evidence.ts'

const file = '/etc/rancher/k3s/config.yaml'

/** k3s's own configuration file: its top-level keys; empty when there is none, null when it cannot be read. */
export function readK3sConfig(evidence: Evidence): ReadonlyMap<string, unknown> | null {
  const text = evidence.text(file)
  if (text === null) return null
  try {
    const values: unknown = parse(text ?? '')
    return new Map(typeof values === 'object' && values !== null ? Object.entries(values) : [])
  } catch {
    // Its text may hold secrets, so the parser's message is not repeated.
    return evidence.fail(file, 'it is not YAML')
  }
}

import { readFileSync } from 'node:fs'

// The same distance from `src/adapters` and `dist/src/adapters`, beside which the build puts a copy.
const folder = new URL('../../templates/collector/', import.meta.url)

let script: string | undefined

/** The script that reads a node: what `inventory` sends and `inventory script` prints. All nodes of a run get the same. */
export function collectorScript(): string {
  return (script ??= readFileSync(new URL('collect.sh', folder), 'utf8'))
}

/** The script that fingerprints directories given as arguments, one `DIGEST PATH` line each. */
export function fingerprintScript(): string {
  return readFileSync(new URL('fingerprint.sh', folder), 'utf8')
}

/** What a move in place does on a node; see there for its commands. */
export function nodeScript(): string {
  return readFileSync(new URL('../in-place/node.sh', folder), 'utf8')
}

import type { Bundle } from '../bundle.ts'
import type { NodeFacts } from '../inventory.ts'
import {
  type Lookup,
  lookupFile,
  lookupLink,
  lookupMatches,
  lookupNames,
  lookupOutput,
  lookupPresence,
} from './lookup.ts'

/**
 * Reads a bundle for facts. Whatever cannot be told becomes a failure, so that no reader can forget to say it.
 * `undefined` = it does not exist; `null` = nobody could tell, and a failure says why.
 */
export interface Evidence {
  readonly bundle: Bundle
  readonly failures: NodeFacts['failures']
  text(path: string): string | undefined | null
  exists(path: string): boolean | null
  link(path: string): string | undefined | null
  names(directory: string): string[] | undefined | null
  /** Paths of files that match a pattern the collector was asked for; empty also when nobody could tell. */
  matches(pattern: string): string[]
  /** Output of a command line; null when it did not end well. */
  output(commandLine: string): string | null
  fail(what: string, reason: string): null
}

export function evidenceOf(bundle: Bundle): Evidence {
  const failures: NodeFacts['failures'] = []
  const fail = (what: string, reason: string): null => {
    if (!failures.some((known) => known.what === what)) failures.push({ what, reason })
    return null
  }
  const told = <T>(what: string, lookup: Lookup<T>): T | undefined | null => {
    if (lookup.status === 'found') return lookup.value
    return lookup.status === 'absent' ? undefined : fail(what, lookup.reason)
  }
  return {
    bundle,
    failures,
    text(path) {
      const file = told(path, lookupFile(bundle, path))
      return file === undefined || file === null ? file : decode(file.bytes)
    },
    exists: (path) => {
      const found = told(path, lookupPresence(bundle, path))
      return found === undefined ? false : found
    },
    link: (path) => told(path, lookupLink(bundle, path)),
    names: (directory) => told(directory, lookupNames(bundle, directory)),
    matches: (pattern) => told(pattern, lookupMatches(bundle, pattern)) ?? [],
    output: (commandLine) => told(commandLine, lookupOutput(bundle, commandLine)) ?? null,
    fail,
  }
}

/** The kernel ends some of its texts with NUL (device tree). */
function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll('\0', '')
}

/** A JSON answer, or a failure; `what` names the source. */
export function jsonOf(evidence: Evidence, what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return evidence.fail(what, 'the answer is not JSON')
  }
}

export function firstLine(text: string | undefined | null): string | null {
  const line = text?.trim().split('\n', 1)[0] ?? ''
  return line === '' ? null : line
}

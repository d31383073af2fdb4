import type { Finding } from '../findings.ts'
import type { ConfigPath } from '../path.ts'
import type { K3osConfig } from './config.ts'

/** The six sources of rancher/k3os pkg/config/read.go, lowest precedence first; `default` is what k3OS itself fills in. */
export const sourceKinds = ['system', 'cmdline', 'local', 'metadata', 'userdata', 'config.d'] as const
export type SourceKind = (typeof sourceKinds)[number]

/** A stretch of a source text; lines and columns count from 1, the end is exclusive. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}

/** Where one value of the merged configuration was written. */
export interface Origin {
  readonly source: SourceKind | 'default'
  /** Null only for `default`: the empty `install` block and fields nobody wrote. */
  readonly place: Place | null
  /** False when the value is not what stands at `place`: changed by coercion, made by k3OS, or an empty default. */
  readonly verbatim: boolean
  /** Values of lower precedence this one took the place of, oldest first. */
  readonly overrode: readonly Overridden[]
}

export interface Overridden {
  readonly source: SourceKind
  readonly place: Place
}

export interface MergedReading {
  readonly status: 'merged'
  readonly config: K3osConfig
  /** One entry for each of `leaves(config)`. */
  readonly origins: ReadonlyMap<ConfigPath, Origin>
  readonly findings: readonly Finding[]
}

/**
 * k3OS discards everything when one source cannot be read or one value has the wrong type: the node then runs with
 * defaults and without k3s. rancher/k3os pkg/cli/config/config.go logs one line and ends with status 0.
 */
export interface RejectedReading {
  readonly status: 'rejected'
  /** False when a source could not be read by us: then nobody knows what k3OS makes of it. */
  readonly certain: boolean
  /** The first thing wrong, on one line; `findings` holds all of them. */
  readonly reason: string
  readonly position: Place
  /** Settings somebody wrote and k3OS does not apply because of this, in canonical spelling: `hostname`, `k3os.token`. */
  readonly without: readonly ConfigPath[]
  readonly findings: readonly Finding[]
}

export type ConfigReading = MergedReading | RejectedReading

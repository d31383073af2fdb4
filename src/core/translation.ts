import type { Finding, RuleId } from './findings.ts'
import { entryOf, leaves, type ConfigPath } from './path.ts'
import type { HostModel } from './host/model.ts'
import type { K3osConfig } from './k3os/config.ts'
import type { NodeFacts } from './inventory.ts'
import type { Requirements } from './requirements.ts'

export type { Requirements }

export interface OutputFile {
  /** Relative to the output folder of the node, with slashes. */
  readonly path: string
  /** Bytes where it is no text. */
  readonly content: string | Uint8Array
  /** 0600 for everything that holds a secret. */
  readonly mode: 0o600 | 0o644 | 0o755
}

/** Where one value of the source configuration arrived. */
export interface TraceEntry {
  readonly from: ConfigPath
  readonly to: { readonly file: string; readonly path?: string }
}

/** How the result reaches the machine (DESIGN 5). Movers know deliveries, not distributions. */
export type Delivery =
  | {
      readonly kind: 'seed'
      readonly label: string
      /** A small file system of its own, or one of this label that the image brings along. */
      readonly place: 'new' | 'image'
      readonly files: readonly string[]
      readonly image: string
      /** Arguments the new system's kernel needs, whoever boots it. */
      readonly kernelArguments: readonly string[]
      /** Files of the k3OS node that belong on the new system; not part of the seed. */
      readonly payload: readonly Payload[]
      /** k3s waits for `release` to exist; `opens` says who makes it, and when. Null when no k3s runs there. */
      readonly gate: { readonly release: string; readonly opens: string } | null
    }
  | {
      /** The image boots by itself; an API takes the files afterwards. */
      readonly kind: 'push'
      readonly files: readonly string[]
      readonly image: string
      /** The command that hands them over. */
      readonly push: string
    }
  | {
      /** Laid over a root tree beside k3OS: a tar archive, with owners as numbers. */
      readonly kind: 'tree'
      readonly file: string
    }
  | { readonly kind: 'none'; readonly reason: string }

interface Payload {
  /** Path on the k3OS node. */
  readonly from: string
  readonly to: string
  readonly mode: 0o600 | 0o644 | 0o755
}

export interface Translation {
  readonly files: readonly OutputFile[]
  readonly delivery: Delivery
  readonly findings: readonly Finding[]
  readonly trace: readonly TraceEntry[]
}

export interface TranslationSource {
  /** Node name for file names and findings. */
  readonly name: string
  readonly config: K3osConfig
  readonly host: HostModel
  /** Absent when only a configuration file was given. */
  readonly facts: NodeFacts | null
  /** Proof of this attempt, carried in the result (`/etc/k3os-migrate/nonce`); null when nothing is planned yet. */
  readonly nonce: string | null
}

/** Given in, so that translators stay pure. Template names are paths below `templates/`. */
export interface TranslateTools {
  render(template: string, data: object): string
}

/** A pure function in one folder: same input, same bytes. */
export interface Translator {
  readonly id: string
  readonly title: string
  readonly requires: Requirements
  /** Rules of the host model whose findings are not true of this target; it says itself what becomes of the values. */
  readonly untrueOf?: readonly RuleId[] | 'all'
  translate(source: TranslationSource, tools: TranslateTools): Translation
}

/**
 * The values of the source that neither arrived anywhere nor have a finding. Law L1 says: none. Leaves are counted one by
 * one; only entries that make sense as a whole (a file, a wifi network, the installer's block) may be named as one.
 */
export function uncovered(
  config: K3osConfig,
  translation: Pick<Translation, 'trace' | 'findings'>,
): ConfigPath[] {
  const covered = new Set<string>(translation.trace.map((entry) => entry.from))
  for (const { location } of translation.findings) if (location?.path) covered.add(location.path)
  return sourceLeaves(config).filter((path) => !covered.has(path) && !covered.has(entryOf(path)))
}

/** What somebody wrote, value by value, in the order of the configuration. */
export function sourceLeaves(config: K3osConfig): ConfigPath[] {
  return leaves(config)
    .filter(([path, value]) => !isOwnDefault(path, value))
    .map(([path]) => path)
}

/** `k3os` and `k3os.install` are in every merged configuration; empty, they are k3OS's doing and say nothing. */
function isOwnDefault(path: ConfigPath, value: unknown): boolean {
  return (path === 'k3os' || path === 'k3os.install') && typeof value === 'object'
}

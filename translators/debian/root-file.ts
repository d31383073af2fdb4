import { utf8Encode } from '../../src/core/k3os/bytes.ts'
import type { ConfigPath } from '../../src/core/path.ts'

/** A file of the new system's root. All of them end in one place (the seed), so that each is described once. */
export interface RootFile {
  readonly path: string
  readonly content: Uint8Array
  readonly mode: number
  /** `user:group` or numbers. */
  readonly owner: string
  readonly from: readonly ConfigPath[]
}

export function rootFile(
  path: string,
  content: string | Uint8Array,
  options: { mode?: number; owner?: string; from?: readonly ConfigPath[] } = {},
): RootFile {
  return {
    path,
    content: typeof content === 'string' ? utf8Encode(content) : content,
    mode: options.mode ?? 0o644,
    owner: options.owner ?? 'root:root',
    from: options.from ?? [],
  }
}

/** Our own folder on the node. */
export const ownFolder = '/etc/k3os-migrate'

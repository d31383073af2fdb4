import type { Finding } from '../../src/core/findings.ts'
import { firstInvalidUtf8, utf8Encode } from '../../src/core/k3os/bytes.ts'
import { entriesOf, type ConfigPath } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TraceEntry } from '../../src/core/translation.ts'

/** A file of the new system's root. All of them end in one place (a seed, a script), so that each is described once. */
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

/**
 * Whether it can stand in a text document as it is: UTF-8 without control characters, those of two bytes (U+0080 to U+009F) and
 * the byte order mark among them. Readers of YAML refuse a whole document for one.
 */
export function isPlainText(bytes: Uint8Array): boolean {
  if (firstInvalidUtf8(bytes) !== -1) return false
  for (const [index, byte] of bytes.entries())
    if ((byte < 0x20 || byte >= 0x7f) && !isWritable(byte, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0))
      return false
  return true
}

function isWritable(byte: number, second: number, third: number): boolean {
  if (byte === 0xc2) return second >= 0xa0
  if (byte === 0xef) return !(second === 0xbb && third === 0xbf) && !(second === 0xbf && third >= 0xbe)
  return byte > 0x7f || byte === 0x0a || byte === 0x09
}

/** Our own folder on the node. */
export const ownFolder = '/etc/k3os-migrate'

/** Two files of one path would silently become one: ours is needed, so the user's is reported. */
export function withoutCollisions(
  node: string,
  written: readonly RootFile[],
  own: readonly RootFile[],
): { readonly kept: readonly RootFile[]; readonly findings: readonly Finding[] } {
  const taken = new Set(own.map((file) => file.path))
  return {
    kept: written.filter((file) => !taken.has(file.path)),
    findings: written
      .filter((file) => taken.has(file.path))
      .flatMap((file) =>
        entriesOf(file.from).map((path) =>
          translateFinding('TRN-FILE-COLLIDES', { file: file.path }, { node, path }),
        ),
      ),
  }
}

/** Every value of these files arrived in one file of the result, at the path it has on the node. */
export function traceInto(file: string, files: readonly RootFile[]): TraceEntry[] {
  return files.flatMap(({ path, from }) => from.map((source) => ({ from: source, to: { file, path } })))
}

/** One place in a file of the result, for what is not a file on the node. */
export function traceTo(file: string, path: string, from: readonly ConfigPath[]): TraceEntry[] {
  return from.map((source) => ({ from: source, to: { file, path } }))
}

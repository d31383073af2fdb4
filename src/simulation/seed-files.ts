import { gunzipSync } from 'fflate'
import { parseDocument } from 'yaml'
import { fromBase64 } from '../core/base64.ts'

/** One file of a seed. */
export type SeedFile = string | Uint8Array

/**
 * The files that a new system makes of its seed, by path. Every form that a target takes is read: cloud-config and yip,
 * Ignition, combustion scripts, Alpine's overlay.
 */
export function filesOfSeed(seed: readonly SeedFile[]): Map<string, string> {
  return new Map(seed.flatMap((file) => (typeof file === 'string' ? ofText(file) : ofArchive(file))))
}

type Files = [path: string, content: string][]

function ofText(text: string): Files {
  if (text.startsWith('#!')) return ofScript(text)
  const document = parseDocument(text, { version: '1.1', logLevel: 'error' })
  return document.errors.length > 0 ? [] : ofDocument(document.toJS())
}

/** Whatever has a path and a content is a file: `write_files`, `stages.*.files`, `storage.files`. */
function ofDocument(value: unknown): Files {
  if (typeof value !== 'object' || value === null) return []
  const entry = value as Readonly<Record<string, unknown>>
  const content = contentOf(entry)
  if (typeof entry['path'] === 'string' && content !== null) return [[entry['path'], content]]
  return Object.values(entry).flatMap(ofDocument)
}

function contentOf({ content, encoding, contents }: Readonly<Record<string, unknown>>): string | null {
  if (typeof content === 'string')
    return encoding === 'b64' || encoding === 'base64' ? decoded(content) : content
  const source =
    typeof contents === 'object' && contents !== null && 'source' in contents ? contents.source : null
  const prefix = 'data:;base64,'
  return typeof source === 'string' && source.startsWith(prefix) ? decoded(source.slice(prefix.length)) : null
}

/** `put MODE OWNER PATH <<'END'` and the lines up to END. */
function ofScript(text: string): Files {
  return [...text.matchAll(/^\s*put \S+ \S+ (\S+) <<'(\w+)'\n([^]*?)^\2$/gm)].map(
    ([, path = '', , content = '']) => [path, content],
  )
}

function ofArchive(bytes: Uint8Array): Files {
  const tar = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  const text = (from: number, length: number): string =>
    new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0[^]*$/, '')
  const files: Files = []
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const path = `/${text(at, 100)}`
    const size = Number.parseInt(text(at + 124, 12), 8)
    const content = tar.subarray(at + 512, at + 512 + size)
    // The overlay's own archive is what gets onto the disk.
    if (path.endsWith('.tar')) files.push(...ofArchive(content))
    else files.push([path, new TextDecoder().decode(content)])
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

function decoded(text: string): string {
  return new TextDecoder().decode(fromBase64(text))
}

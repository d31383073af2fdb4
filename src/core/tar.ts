import { exitCode, MigrateError } from './errors.ts'
import { compareText } from './findings.ts'

/**
 * The part of POSIX ustar that an archive of small files needs, so that any `tar` can unpack it: regular files, no owner, no
 * time. The same files give the same bytes.
 */

const blockSize = 512
const nameSize = 100

export type ArchiveFiles = ReadonlyMap<string, Uint8Array>

/** Files by path, sorted; mode 0644, time 0. Paths have at most 100 bytes. */
export function writeTar(files: ArchiveFiles): Uint8Array {
  const parts = [...files]
    .toSorted(([a], [b]) => compareText(a, b))
    .flatMap(([path, bytes]) => [header(path, bytes.length), bytes, padding(bytes.length)])
  return concat([...parts, new Uint8Array(2 * blockSize)])
}

/** What `writeTar` wrote, and nothing else: links, folders, long names, paths that leave the folder are refused (exit 65). */
export function readTar(bytes: Uint8Array, file: string): ArchiveFiles {
  const files = new Map<string, Uint8Array>()
  const refuse = (why: string): MigrateError =>
    new MigrateError(`this is no archive of ours: ${why}`, {
      exitCode: exitCode.badInput,
      position: { file },
      hint: 'name the file that "k3os-migrate evidence create" wrote; was it transferred as binary, and whole?',
    })
  for (let at = 0; ;) {
    const head = bytes.subarray(at, at + blockSize)
    if (head.length < blockSize) throw refuse('it ends in the middle')
    if (head.every((byte) => byte === 0)) {
      if (bytes.length !== at + 2 * blockSize || !bytes.subarray(at).every((byte) => byte === 0))
        throw refuse('something stands behind its end')
      return files
    }
    if (field(head, 257, 6) !== 'ustar' || octal(head, 148, 8) !== checksum(head))
      throw refuse(`there is no header at byte ${at}`)
    const path = field(head, 0, nameSize)
    const size = octal(head, 124, 12)
    if (head[156] !== '0'.charCodeAt(0) || size === undefined || !isInside(path))
      throw refuse(`the entry at byte ${at} is no plain file`)
    if (files.has(path)) throw refuse(`it has ${path} twice`)
    const start = at + blockSize
    const end = start + size
    at = start + Math.ceil(size / blockSize) * blockSize
    if (at > bytes.length) throw refuse('it ends in the middle')
    files.set(path, bytes.subarray(start, end))
  }
}

function isInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function header(path: string, size: number): Uint8Array {
  const block = new Uint8Array(blockSize)
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at)
  const name = new TextEncoder().encode(path)
  if (name.length > nameSize || !isInside(path)) throw new RangeError(`not a name for an archive: ${path}`)
  block.set(name)
  put(100, octalText(0o644, 7))
  put(108, octalText(0, 7))
  put(116, octalText(0, 7))
  put(124, octalText(size, 11))
  put(136, octalText(0, 11))
  put(156, '0')
  put(257, 'ustar\0')
  put(263, '00')
  put(148, `${octalText(checksum(block), 6)}\0 `)
  return block
}

/** The sum over all bytes, those of the checksum itself taken for spaces. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0)
}

function octalText(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function octal(block: Uint8Array, at: number, length: number): number | undefined {
  const text = field(block, at, length).trim()
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
}

function field(block: Uint8Array, at: number, length: number): string {
  const bytes = block.subarray(at, at + length)
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end))
}

function padding(size: number): Uint8Array {
  return new Uint8Array((blockSize - (size % blockSize)) % blockSize)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

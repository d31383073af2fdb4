import { exitCode, MigrateError } from './errors.ts'
import { compareText } from './findings.ts'
import { blockSize, tar } from './tar.ts'

/**
 * The part of a tar that an archive of small files needs: regular files, no owner, no time. The same files give the same
 * bytes, and any `tar` unpacks them.
 */

const nameSize = 100

export type ArchiveFiles = ReadonlyMap<string, Uint8Array>

/** Files by path, sorted; mode 0644, time 0. Paths have at most 100 bytes. */
export function writeTar(files: ArchiveFiles): Uint8Array {
  return tar(
    [...files]
      .toSorted(([a], [b]) => compareText(a, b))
      .map(([path, content]) => {
        if (new TextEncoder().encode(path).length > nameSize || !isInside(path))
          throw new RangeError(`not a name for an archive: ${path}`)
        return { path, mode: 0o644, owner: '0:0', content }
      }),
  )
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

/** The sum over all bytes, those of the checksum itself taken for spaces. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0)
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

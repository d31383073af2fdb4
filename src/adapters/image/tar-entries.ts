import { createHash, type Hash } from 'node:crypto'
import { exitCode, MigrateError } from '../../core/errors.ts'

/** Reads a tar archive (ustar, pax, GNU long names) that goes by: what is in it, with a digest of each regular file. */

const blockSize = 512

export interface TreeFile {
  readonly path: string
  /** `0644` */
  readonly mode: string
  readonly bytes: number
  readonly sha256: string
}

export interface TarContents {
  /** Every name in it, without a leading `./` and trailing slash. */
  readonly paths: ReadonlySet<string>
  /** In the archive's order; a hard link counts as the file it is a name of. */
  readonly files: readonly TreeFile[]
  /** What the files that `keep` names hold. */
  readonly kept: ReadonlyMap<string, string>
  readonly unpackedBytes: number
}

/** Feed it chunks of any size; `end` fails with exit 65 when the archive is cut off. */
export function tarReader(
  file: string,
  keep: (path: string) => boolean,
): { write(chunk: Uint8Array): void; end(): TarContents } {
  const paths = new Set<string>()
  const files = new Map<string, Omit<TreeFile, 'path'>>()
  const kept = new Map<string, string>()
  let unpackedBytes = 0
  let pending = Buffer.alloc(0)
  let ended = false
  /** Of the next entry, by an extension before it. */
  let longName: string | undefined
  let longLink: string | undefined
  let entry: { left: number; padding: number; take(part: Buffer): void; finish(): void } | undefined

  const broken = (why: string): MigrateError =>
    new MigrateError(`the archive cannot be read: ${why}`, {
      exitCode: exitCode.badInput,
      position: { file },
      hint: 'make it again; a root tree is a tar archive',
    })

  function begin(head: Buffer): void {
    const type = String.fromCharCode(head[156] ?? 0)
    const bytes = sizeOf(head)
    if (text(head, 257, 5) !== 'ustar' || bytes === undefined)
      throw broken('there is no header where one belongs')
    const padding = (blockSize - (bytes % blockSize)) % blockSize
    const prefix = text(head, 345, 155)
    const own = `${prefix === '' || text(head, 257, 8).startsWith('ustar ') ? '' : `${prefix}/`}${text(head, 0, 100)}`
    if ('xgLK'.includes(type) && type !== '\0') {
      const parts: Buffer[] = []
      entry = {
        left: bytes,
        padding,
        take: (part) => parts.push(Buffer.from(part)),
        finish: () => {
          extension(type, Buffer.concat(parts))
        },
      }
      return
    }
    const path = plainPath(longName ?? own)
    const link = plainPath(longLink ?? text(head, 157, 100))
    longName = undefined
    longLink = undefined
    if (path.split('/').includes('..')) throw broken(`${path} leaves the tree`)
    if (path !== '') paths.add(path)
    const hash: Hash | undefined = type === '0' || type === '\0' ? createHash('sha256') : undefined
    const mode = text(head, 100, 8).trim().slice(-4).padStart(4, '0')
    const parts: Buffer[] | undefined = keep(path) ? [] : undefined
    if (type === '1') {
      const target = files.get(link)
      if (target === undefined) throw broken(`${path} is a link to ${link}, which is not there`)
      files.set(path, target)
    }
    // Blocks of 4 KiB, as the file system will give them.
    unpackedBytes += hash === undefined ? 4096 : Math.ceil(bytes / 4096) * 4096
    entry = {
      left: bytes,
      padding,
      take: (part) => {
        hash?.update(part)
        parts?.push(Buffer.from(part))
      },
      finish: () => {
        if (hash !== undefined) files.set(path, { mode, bytes, sha256: hash.digest('hex') })
        if (parts !== undefined) kept.set(path, Buffer.concat(parts).toString())
      },
    }
  }

  function extension(type: string, content: Buffer): void {
    if (type === 'L') longName = content.toString().replace(/\0+$/, '')
    if (type === 'K') longLink = content.toString().replace(/\0+$/, '')
    if (type !== 'x') return
    for (let at = 0; at < content.length;) {
      const space = content.indexOf(' ', at)
      const length = Number(content.subarray(at, space).toString())
      if (space < 0 || !(length > 0)) throw broken('an extended header has an unknown form')
      const [, name, value = ''] =
        /^([^=]+)=([\s\S]*)\n$/.exec(content.subarray(space + 1, at + length).toString()) ?? []
      if (name === 'path') longName = value
      if (name === 'linkpath') longLink = value
      at += length
    }
  }

  return {
    write(chunk) {
      pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk])
      while (!ended) {
        if (entry !== undefined) {
          const part = pending.subarray(0, entry.left)
          if (part.length > 0) entry.take(part)
          entry.left -= part.length
          pending = pending.subarray(part.length)
          if (entry.left > 0 || pending.length < entry.padding) return
          pending = pending.subarray(entry.padding)
          const whole = entry
          entry = undefined
          whole.finish()
        }
        if (pending.length < blockSize) return
        const head = pending.subarray(0, blockSize)
        pending = pending.subarray(blockSize)
        if (head.every((byte) => byte === 0)) ended = true
        else begin(head)
      }
    },
    end() {
      if (!ended) throw broken('it ends in the middle')
      return { paths, files: [...files].map(([path, rest]) => ({ path, ...rest })), kept, unpackedBytes }
    },
  }
}

function plainPath(path: string): string {
  return path
    .replace(/^(\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '')
}

function text(head: Buffer, at: number, length: number): string {
  const field = head.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end === -1 ? length : end).toString()
}

/** Octal digits; GNU writes files of 8 GiB and more in binary. */
function sizeOf(head: Buffer): number | undefined {
  const digits = text(head, 124, 12).trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

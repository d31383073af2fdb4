import { gzipSync } from 'fflate'

/** Bytes of a header, and of what is filled up to. */
export const blockSize = 512

/** One entry of an archive. `owner` is `user:group`, names or numbers. */
export interface TarEntry {
  /** Without the leading slash. */
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly content: Uint8Array
  /** A symbolic link to this instead of a file. */
  readonly link?: string
}

const encoder = new TextEncoder()

/**
 * A POSIX ustar that busybox and GNU tar unpack: the same entries give the same bytes, as nothing in it tells the time. `numbers`
 * are those of the users and groups; of others only the name is written down.
 */
export function tar(
  entries: readonly TarEntry[],
  numbers: Readonly<Record<string, number>> = {},
): Uint8Array {
  const parts = entries.flatMap((entry) => [
    ...longText('L', entry.path),
    ...longText('K', entry.link ?? ''),
    header(entry, numbers),
    padded(entry.content),
  ])
  return concat([...parts, new Uint8Array(2 * blockSize)])
}

/** Level 1: these archives are small, and there may be a thousand of them. */
export function gzip(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { mtime: 0, level: 1 })
}

/** GNU's way to a name (L) or link (K) of more than 100 bytes: an entry before it that holds the text. */
function longText(type: 'L' | 'K', text: string): Uint8Array[] {
  const bytes = encoder.encode(text)
  if (bytes.length <= 100) return []
  const content = concat([bytes, new Uint8Array(1)])
  return [record({ name: '././@LongLink', mode: 0, size: content.length, type }), padded(content)]
}

function header(
  { path, mode, owner, content, link }: TarEntry,
  numbers: Readonly<Record<string, number>>,
): Uint8Array {
  const [user = 'root', group = 'root'] = owner.split(':')
  const id = (name: string): number => (/^\d+$/.test(name) ? Number(name) : (numbers[name] ?? 0))
  return record({
    name: path,
    mode,
    size: content.length,
    type: link === undefined ? '0' : '2',
    link: link ?? '',
    uid: id(user),
    gid: id(group),
    user: /^\d+$/.test(user) ? '' : user,
    group: /^\d+$/.test(group) ? '' : group,
  })
}

interface Fields {
  readonly name: string
  readonly mode: number
  readonly size: number
  readonly type: string
  readonly link?: string
  readonly uid?: number
  readonly gid?: number
  readonly user?: string
  readonly group?: string
}

function record({
  name,
  mode,
  size,
  type,
  link = '',
  uid = 0,
  gid = 0,
  user = '',
  group = '',
}: Fields): Uint8Array {
  const bytes = new Uint8Array(blockSize)
  const put = (at: number, length: number, text: string): void => {
    // Nearly all of it is ASCII; the encoder costs more than all the rest.
    let byte = 0
    for (; byte < text.length && byte < length; byte += 1) {
      const code = text.charCodeAt(byte)
      if (code > 0x7f) break
      bytes[at + byte] = code
    }
    if (byte < text.length && byte < length) bytes.set(encoder.encode(text).subarray(0, length), at)
  }
  const octal = (at: number, length: number, value: number): void =>
    put(at, length, `${value.toString(8).padStart(length - 1, '0')}\0`)
  put(0, 100, name)
  octal(100, 8, mode)
  octal(108, 8, uid % 0o10000000)
  octal(116, 8, gid % 0o10000000)
  octal(124, 12, size)
  octal(136, 12, 0)
  put(148, 8, '        ')
  put(156, 1, type)
  put(157, 100, link)
  put(257, 8, 'ustar\x0000')
  put(265, 31, user)
  put(297, 31, group)
  let sum = 0
  for (const byte of bytes) sum += byte
  put(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `)
  return bytes
}

function padded(content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(content.length / blockSize) * blockSize)
  whole.set(content)
  return whole
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

import { gunzipSync } from 'fflate'
import { base64Decode, utf8Decode, utf8Encode } from './bytes.ts'
import type { K3osFile } from './config.ts'

export interface PlannedFile {
  /** Absolute and without `..`. */
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly content: Uint8Array
}

/** Why k3OS skips a file. `stage` tells which of its two messages it logs. */
export interface SkippedFile {
  readonly stage: 'decode' | 'write'
  readonly problem: string
}

/** What k3OS writes for one entry of `write_files`: rancher/k3os pkg/writefile, pkg/util/decode.go, pkg/config File. */
export function planFile(file: K3osFile): PlannedFile | SkippedFile {
  const content = decodeContent(file.content, file.encoding)
  if ('stage' in content) return content
  const mode = parsePermissions(file.permissions)
  if (mode === null)
    return {
      stage: 'write',
      problem: `its permissions ${JSON.stringify(file.permissions)} are no octal digits`,
    }
  const path = cleanPath(file.path)
  if (path === '/') return { stage: 'write', problem: 'its path names no file' }
  return { path, mode, owner: file.owner, content: content.bytes }
}

type Content = { readonly bytes: Uint8Array } | SkippedFile

function decodeContent(content: string, encoding: string): Content {
  switch (encoding) {
    case '':
      return { bytes: utf8Encode(content) }
    case 'b64':
    case 'base64':
      return fromBase64(content)
    case 'gz':
    case 'gzip':
      return unzip(utf8Encode(content))
    case 'gz+base64':
    case 'gzip+base64':
    case 'gz+b64':
    case 'gzip+b64': {
      const packed = fromBase64(content)
      // k3OS hands the bytes on as a string, which keeps them as they are.
      return 'stage' in packed ? packed : unzip(packed.bytes)
    }
    default:
      return { stage: 'decode', problem: `unsupported encoding ${JSON.stringify(encoding)}` }
  }
}

function fromBase64(content: string): Content {
  const decoded = base64Decode(content)
  if ('bytes' in decoded) return decoded
  return {
    stage: 'decode',
    problem: `unable to decode base64: "illegal base64 data at input byte ${decoded.badByte}"`,
  }
}

function unzip(bytes: Uint8Array): Content {
  try {
    const content = gunzipSync(bytes)
    // Go compares the checksum, the library does not.
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 8, 8)
    if (trailer.getUint32(0, true) !== crc32(content))
      return { stage: 'decode', problem: 'unable to read gzip: "gzip: invalid checksum"' }
    return { bytes: content }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return { stage: 'decode', problem: `unable to decode gzip: ${JSON.stringify(reason)}` }
  }
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (crcTable[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}

/** Octal digits, `0644` when there are none. setuid, setgid and sticky bits have other numbers in Go and get lost. */
function parsePermissions(text: string): number | null {
  if (text === '') return 0o644
  if (!/^[+-]?[0-7]+$/.test(text)) return null
  const value = Number.parseInt(text, 8)
  return value > 0x7fffffff || value < -0x80000000 ? null : value & 0o777
}

/** Go's `path.Join("/", path)`. */
export function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** The bytes of a planned file for people; null when they are no text. */
export function textOf(file: PlannedFile): string | null {
  const text = utf8Decode(file.content)
  return text.includes('\ufffd') || text.includes('\0') ? null : text
}

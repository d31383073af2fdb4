// Text and bytes as Go sees them: it replaces each bad byte on its own where TextDecoder replaces whole stretches.

const chunk = 8192

/** Go's `string(bytes)` made valid the way encoding/json does it: every byte that is not UTF-8 becomes U+FFFD. */
export function utf8Decode(bytes: Uint8Array): string {
  const parts: string[] = []
  let units: number[] = []
  for (let index = 0; index < bytes.length;) {
    const first = bytes[index] ?? 0
    if (first < 0x80) {
      units.push(first)
      index += 1
    } else {
      const decoded = utf8At(bytes, index)
      if (decoded === null) {
        units.push(0xfffd)
        index += 1
      } else {
        const point = decoded.point
        if (point > 0xffff)
          units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff))
        else units.push(point)
        index += decoded.width
      }
    }
    if (units.length >= chunk) {
      parts.push(String.fromCharCode(...units))
      units = []
    }
  }
  parts.push(String.fromCharCode(...units))
  return parts.join('')
}

/** The first byte that is not part of valid UTF-8, or -1. */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length;) {
    if ((bytes[index] ?? 0) < 0x80) index += 1
    else {
      const decoded = utf8At(bytes, index)
      if (decoded === null) return index
      index += decoded.width
    }
  }
  return -1
}

function utf8At(bytes: Uint8Array, index: number): { point: number; width: number } | null {
  const first = bytes[index] ?? 0
  const width =
    first >= 0xc2 && first < 0xe0
      ? 2
      : first >= 0xe0 && first < 0xf0
        ? 3
        : first >= 0xf0 && first < 0xf5
          ? 4
          : 0
  if (width === 0 || index + width > bytes.length) return null
  let point = first & (0xff >> (width + 1))
  for (let offset = 1; offset < width; offset += 1) {
    const next = bytes[index + offset] ?? 0
    if ((next & 0xc0) !== 0x80) return null
    point = (point << 6) | (next & 0x3f)
  }
  if (width === 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return null
  if (width === 4 && (point < 0x10000 || point > 0x10ffff)) return null
  return { point, width }
}

const encoder = new TextEncoder()

/** Half a surrogate pair becomes U+FFFD, as in Go. */
export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export type Decoded = { readonly bytes: Uint8Array } | { readonly badByte: number }

/**
 * Go's `base64.StdEncoding.DecodeString`: line breaks are skipped, padding is required, nothing may follow it.
 * `badByte` is the offset Go names in its error.
 */
export function base64Decode(text: string): Decoded {
  const bytes: number[] = []
  let group = 0
  let digits = 0
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index)
    if (character === '\n' || character === '\r') continue
    if (character === '=') return finishBase64(text, index, digits, group, bytes)
    const digit = alphabet.indexOf(character)
    if (digit < 0) return { badByte: index }
    group = (group << 6) | digit
    digits += 1
    if (digits === 4) {
      bytes.push(group >> 16, (group >> 8) & 0xff, group & 0xff)
      group = 0
      digits = 0
    }
  }
  return digits === 0 ? { bytes: Uint8Array.from(bytes) } : { badByte: text.length - digits }
}

function finishBase64(text: string, index: number, digits: number, group: number, bytes: number[]): Decoded {
  if (digits < 2) return { badByte: index }
  const rest = text.slice(index + 1).replace(/[\r\n]/g, '')
  if (rest !== (digits === 2 ? '=' : '')) return { badByte: index + 1 }
  if (digits === 2) bytes.push((group >> 4) & 0xff)
  else bytes.push((group >> 10) & 0xff, (group >> 2) & 0xff)
  return { bytes: Uint8Array.from(bytes) }
}

/** Standard base64 of bytes, without line breaks. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  // In slices: the argument list of one call is bounded.
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
}

/** Undefined when the text is not base64. White space is ignored. */
export function fromBase64(text: string): Uint8Array | undefined {
  const compact = text.replaceAll(/[ \t\r\n]/g, '')
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined
  const binary = atob(compact)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index)
  return bytes
}

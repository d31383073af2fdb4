/** SHA-256 (FIPS 180-4) of bytes. Core must fingerprint keys without the host's crypto module. */
export function sha256(message: Uint8Array): Uint8Array {
  const state = Uint32Array.from(initial)
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 0x20000000))
  view.setUint32(padded.length - 4, (message.length << 3) >>> 0)
  for (let at = 0; at < padded.length; at += 64) block(state, view, at)
  const digest = new Uint8Array(32)
  const out = new DataView(digest.buffer)
  state.forEach((word, index) => {
    out.setUint32(index * 4, word)
  })
  return digest
}

/** Lower case. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function block(state: Uint32Array, view: DataView, at: number): void {
  const w = new Uint32Array(64)
  const word = (index: number): number => w[index] ?? 0
  for (let t = 0; t < 16; t += 1) w[t] = view.getUint32(at + t * 4)
  for (let t = 16; t < 64; t += 1) {
    const x = word(t - 15)
    const y = word(t - 2)
    w[t] =
      word(t - 16) +
      word(t - 7) +
      (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) +
      (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10))
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t += 1) {
    const one =
      (h +
        (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
        ((e & f) ^ (~e & g)) +
        (round[t] ?? 0) +
        word(t)) |
      0
    const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((value, index) => {
    state[index] = (state[index] ?? 0) + value
  })
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits))
}

const primes = firstPrimes(64)
const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
const round = primes.map((prime) => fraction(Math.cbrt(prime)))

/** The first 32 bits behind the point; the standard defines its constants so, and a double holds enough digits. */
function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 0x100000000) >>> 0
}

function firstPrimes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n)
  return found
}

import { fromBase64, toBase64 } from './base64.ts'
import { compareText } from './findings.ts'
import { keyFingerprint } from './facts/ssh-keys.ts'

/** One usable line of a `known_hosts` file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly marker: 'none' | 'revoked' | 'cert-authority'
  /** The first field: `n1,10.0.0.5`, `[n1]:2222`, `|1|salt|hash`. */
  readonly hosts: string
  readonly type: string
  /** The key itself, in base64. */
  readonly key: string
}

export interface OfferedKey {
  readonly host: string
  readonly port: number
  /** The key blob as the server sent it. */
  readonly key: Uint8Array
}

export interface PinnedKey {
  readonly type: string
  readonly fingerprint: string
  readonly file: string
  readonly line: number
}

/** `certificate`: only a certificate authority is known for the host, which is not supported. */
export type HostKeyVerdict =
  | { readonly status: 'known' }
  | { readonly status: 'unknown'; readonly certificate: boolean }
  | { readonly status: 'changed'; readonly pinned: readonly PinnedKey[] }
  | { readonly status: 'revoked'; readonly at: PinnedKey }

/** HMAC-SHA1, which OpenSSH hides host names with; core has none of its own. */
export type HmacSha1 = (key: Uint8Array, text: string) => Uint8Array

/** Lines that OpenSSH would not understand either are skipped, as it does: an unknown host is refused anyway. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((raw, index) => {
    const words = raw.trim().split(/[ \t]+/)
    const marker =
      words[0] === '@revoked' ? 'revoked' : words[0] === '@cert-authority' ? 'cert-authority' : 'none'
    if (marker !== 'none') words.shift()
    const [hosts = '', type = '', key = ''] = words
    if (hosts === '' || hosts.startsWith('#') || hosts.startsWith('@')) return []
    const blob = fromBase64(key)
    if (blob === undefined || blob.length === 0) return []
    return [{ file, line: index + 1, marker, hosts, type, key }]
  })
}

/**
 * A host is pinned to the keys in the file. Unlike OpenSSH a key of another type is not "new": where one key is known,
 * only that key will do.
 */
export function checkHostKey(
  known: readonly KnownHost[],
  offered: OfferedKey,
  hmac: HmacSha1,
): HostKeyVerdict {
  const name = knownHostName(offered)
  const key = toBase64(offered.key)
  const ours = known.filter((entry) => matchesHost(entry.hosts, name, hmac))
  const revoked = ours.find((entry) => entry.marker === 'revoked' && entry.key === key)
  if (revoked !== undefined) return { status: 'revoked', at: pinned(revoked) }
  const plain = ours.filter((entry) => entry.marker === 'none')
  if (plain.some((entry) => entry.key === key)) return { status: 'known' }
  if (plain.length > 0) return { status: 'changed', pinned: plain.map(pinned) }
  return { status: 'unknown', certificate: ours.some((entry) => entry.marker === 'cert-authority') }
}

/** Types of the keys known for a host, so that the server can be asked for one of those. */
export function knownKeyTypes(
  known: readonly KnownHost[],
  address: Pick<OfferedKey, 'host' | 'port'>,
  hmac: HmacSha1,
): string[] {
  const name = knownHostName(address)
  const ours = known.filter((entry) => entry.marker === 'none' && matchesHost(entry.hosts, name, hmac))
  return [...new Set(ours.map((entry) => entry.type))].toSorted(compareText)
}

/** `n1` on port 22, else `[n1]:2222`. */
function knownHostName({ host, port }: Pick<OfferedKey, 'host' | 'port'>): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** The line to append when a person accepts a key. */
export function knownHostLine(offered: OfferedKey): string {
  return `${knownHostName(offered)} ${keyType(offered.key)} ${toBase64(offered.key)}\n`
}

/** The type at the start of a key blob: a 32-bit length and the name. */
export function keyType(key: Uint8Array): string {
  if (key.length < 4) return 'unknown'
  const length = new DataView(key.buffer, key.byteOffset).getUint32(0)
  return new TextDecoder().decode(key.subarray(4, 4 + length))
}

function pinned(entry: KnownHost): PinnedKey {
  const blob = fromBase64(entry.key) ?? new Uint8Array()
  return { type: entry.type, fingerprint: keyFingerprint(blob), file: entry.file, line: entry.line }
}

function matchesHost(hosts: string, name: string, hmac: HmacSha1): boolean {
  if (hosts.startsWith('|1|')) {
    const [salt, hash] = hosts.slice(3).split('|').map(fromBase64)
    return salt !== undefined && hash !== undefined && toBase64(hmac(salt, name)) === toBase64(hash)
  }
  const patterns = hosts.toLowerCase().split(',')
  // A negated pattern that matches wins over all others.
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name)))
    return false
  return patterns.some((pattern) => matchesPattern(pattern, name))
}

/** `*` is any run of characters, `?` any one. */
function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name
  const source = pattern
    .replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(name)
}

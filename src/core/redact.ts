import { base64Encode, utf8Encode } from './k3os/bytes.ts'
import type { K3osConfig } from './k3os/config.ts'
import { childPath, type ConfigPath, leaves } from './path.ts'

/** One secret inside a configuration: the leaf it stands in and the part of that leaf nobody may read. */
export interface SecretLeaf {
  readonly path: ConfigPath
  readonly secret: string
}

export interface Redactor {
  /** The configuration with every secret replaced by `<redacted:hmac8>`; equal secrets stay visibly equal. */
  redactConfig(config: K3osConfig): K3osConfig
  /** Last-line filter for anything printed: the known values, also as base64, URL-encoded and JSON-escaped text. */
  scrub(text: string): string
}

const secretFlags = [
  'token',
  'agent-token',
  'cluster-secret',
  'agent-cluster-secret',
  'datastore-endpoint',
] as const
const flagPattern = `(?:${secretFlags.join('|')}|t)`
/** `--token=x` and `--token x` inside a longer text; quotes around the value stay outside the match. */
const flagInText = new RegExp(`(--${flagPattern.replace('|t)', ')')}(?:=|\\s+)["']?)([^\\s"']+)`, 'g')
const flagWithValue = new RegExp(`^--?${flagPattern}=`)
const flagAlone = new RegExp(`^--?${flagPattern}$`)
const credentialName = /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|KEY|DATASTORE_ENDPOINT/i
const assignmentInText = /\b([A-Za-z_][A-Za-z0-9_]*)=(["']?)([^\s"';&|]+)/g
const userInfoInText = /(\b[A-Za-z][A-Za-z0-9+.-]*:\/\/)([^\s/@"']+)@/g

/** True for names such as `K3S_TOKEN` or `AWS_SECRET_ACCESS_KEY`. */
export function looksLikeCredential(name: string): boolean {
  return credentialName.test(name) && !/^(?:SSH_)?(?:KEYMAP|KEYBOARD)/i.test(name)
}

/** Whether the value at this path is secret as a whole, whatever it says. */
export function isSecretPath(path: ConfigPath): boolean {
  if (path === 'k3os.token' || path === 'k3os.password') return true
  if (/^k3os\.wifi\[\d+\]\.passphrase$/.test(path)) return true
  if (/^writeFiles\[\d+\]\.content$/.test(path)) return true
  return path.startsWith('k3os.environment') && looksLikeCredential(path.slice('k3os.environment'.length))
}

/** Every secret of a configuration. A leaf may hold several, a k3s argument or command holds it only in part. */
export function secretLeaves(config: K3osConfig): SecretLeaf[] {
  const found: SecretLeaf[] = []
  const all = leaves(config)
  for (const [index, [path, value]] of all.entries()) {
    if (typeof value !== 'string' || value === '') continue
    const before = all[index - 1]
    for (const secret of secretsOf(path, value, before)) if (secret !== '') found.push({ path, secret })
  }
  return found
}

function secretsOf(
  path: ConfigPath,
  value: string,
  before: readonly [ConfigPath, unknown] | undefined,
): string[] {
  if (isSecretPath(path)) return [value]
  const argument = /^k3os\.k3sArgs\[\d+\]$/.test(path)
  if (argument && before !== undefined && /^k3os\.k3sArgs\[\d+\]$/.test(before[0]))
    if (typeof before[1] === 'string' && flagAlone.test(before[1])) return [value]
  if (argument && flagWithValue.test(value)) return [value.slice(value.indexOf('=') + 1)]
  if (path.startsWith('k3os.environment') || path === 'k3os.serverUrl' || path.startsWith('k3os.install'))
    return userInfoInText.test(resetPattern(userInfoInText, value)) ? [value] : []
  if (argument || /^(?:init|boot|run)Cmd\[\d+\]$/.test(path)) return secretsInText(value)
  return []
}

function resetPattern(pattern: RegExp, value: string): string {
  pattern.lastIndex = 0
  return value
}

function secretsInText(text: string): string[] {
  const flags = Array.from(text.matchAll(flagInText), (match) => match[2] ?? '')
  const users = Array.from(text.matchAll(userInfoInText), (match) => match[2] ?? '')
  const assigned = Array.from(text.matchAll(assignmentInText))
    .filter((match) => looksLikeCredential(match[1] ?? ''))
    .map((match) => match[3] ?? '')
  return [...flags, ...users, ...assigned]
}

/** Shorter values would blank out half of every sentence; they are still replaced where they stand in a configuration. */
const shortestScrubbed = 4

/**
 * `hmac8` gives the first 8 hex digits of HMAC-SHA-256 under a key that never leaves this run: equal values show as
 * equal, and nobody can guess them offline.
 */
export function createRedactor(hmac8: (value: string) => string, secrets: readonly string[]): Redactor {
  const mask = (value: string): string => `<redacted:${hmac8(value)}>`
  const forms = new Map<string, string>()
  for (const secret of secrets) {
    if (secret.length < shortestScrubbed) continue
    for (const form of formsOf(secret)) if (!forms.has(form)) forms.set(form, mask(secret))
  }
  // The longest first: a secret that contains another one must go as a whole.
  const ordered = [...forms.keys()].toSorted((a, b) => b.length - a.length)
  const pattern = ordered.length === 0 ? null : new RegExp(ordered.map(escapePattern).join('|'), 'g')
  return {
    redactConfig: (config) => redactConfig(config, mask),
    scrub: (text) =>
      pattern === null ? text : text.replace(pattern, (form) => forms.get(form) ?? mask(form)),
  }
}

function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const url = encodeURIComponent(secret.toWellFormed())
  const base64 = base64Encode(utf8Encode(secret))
  return [secret, json, url, base64, base64.replace(/=+$/, '')].filter(
    (form) => form.length >= shortestScrubbed,
  )
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function redactConfig(config: K3osConfig, mask: (value: string) => string): K3osConfig {
  const bySpot = Map.groupBy(secretLeaves(config), (leaf) => leaf.path)
  const walk = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') {
      const secrets = (bySpot.get(path) ?? [])
        .map((leaf) => leaf.secret)
        .toSorted((a, b) => b.length - a.length)
      return secrets.reduce((text, secret) => text.split(secret).join(mask(secret)), value)
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, childPath(path, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, walk(item, childPath(path, key))]),
    )
  }
  return walk(config, '') as K3osConfig
}

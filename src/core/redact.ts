import { toBase64 } from './base64.ts'
import { utf8Encode } from './k3os/bytes.ts'
import type { K3osConfig } from './k3os/config.ts'
import { childPath, type ConfigPath, leaves } from './path.ts'

/** One secret inside a configuration: the leaf it stands in and the part of that leaf nobody may read. */
export interface SecretLeaf {
  readonly path: ConfigPath
  readonly secret: string
}

export interface Redactor {
  /** The configuration with every secret replaced by `<redacted:hmac8>`; equal secrets stay visibly equal. */
  readonly redactConfig: (config: K3osConfig) => K3osConfig
  /** Last-line filter for anything printed: the known values, also as base64, URL-encoded and JSON-escaped text. */
  readonly scrub: (text: string) => string
}

const secretFlag =
  '--(?:token|agent-token|cluster-secret|agent-cluster-secret|datastore-endpoint|etcd-s3-access-key|etcd-s3-secret-key|vpn-auth)'
/** A value in a command line: in double quotes, in single quotes, or up to the next blank or operator. */
const shellValue = `(?:"([^"]*)"|'([^']*)'|([^\\s"';&|]+))`
const flagInText = new RegExp(`${secretFlag}(?:=|\\s+)${shellValue}`, 'g')
const shortFlagInText = new RegExp(`\\s-t(?:=|\\s+)${shellValue}`, 'g')
const assignmentInText = new RegExp(`\\b([A-Za-z_][A-Za-z0-9_]*)=${shellValue}`, 'g')
const userInfoInText = /\b[A-Za-z][A-Za-z0-9+.-]*:\/\/([^\s/@"']+)@/g
const flagWithValue = new RegExp(`^(?:${secretFlag}|-t)=(.*)$`, 's')
const flagAlone = new RegExp(`^(?:${secretFlag}|-t)$`)

/** True for names such as `K3S_TOKEN`, `AWS_SECRET_ACCESS_KEY` or `K3S_DATASTORE_ENDPOINT`. */
export function looksLikeCredential(name: string): boolean {
  return /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|KEY|DATASTORE_ENDPOINT/i.test(name)
}

/** Whether the value at this path is secret as a whole, whatever it says. */
export function isSecretPath(path: ConfigPath): boolean {
  if (path === 'k3os.token' || path === 'k3os.password') return true
  if (/^k3os\.wifi\[\d+\]\.passphrase$/.test(path) || /^writeFiles\[\d+\]\.content$/.test(path)) return true
  const variable = 'k3os.environment'
  return path.startsWith(variable) && looksLikeCredential(path.slice(variable.length))
}

/** Every secret of a configuration. A leaf may hold several, a k3s argument or command holds it only in part. */
export function secretLeaves(config: K3osConfig): SecretLeaf[] {
  let before: string | null = null
  return leaves(config).flatMap(([path, value]) => {
    if (typeof value !== 'string') return []
    const isArgument = /^k3os\.k3sArgs\[\d+\]$/.test(path)
    const secrets = isArgument ? secretsOfArgument(value, before) : secretsOf(path, value)
    before = isArgument ? value : null
    return secrets.filter((secret) => secret !== '').map((secret) => ({ path, secret }))
  })
}

function secretsOf(path: ConfigPath, value: string): string[] {
  if (isSecretPath(path)) return [value]
  if (/^(?:init|boot|run)Cmd\[\d+\]$/.test(path)) return secretsOfCommand(value)
  // Keys and values of labels and taints are public in the cluster, and look like assignments.
  if (path.startsWith('k3os.labels') || path.startsWith('k3os.taints')) return []
  const users = matches(userInfoInText, value)
  // A proxy with a password in it is of no use to a reader without, so all of it goes.
  return users.length > 0 && path.startsWith('k3os.environment') ? [value] : users
}

function secretsOfArgument(value: string, before: string | null): string[] {
  if (before !== null && flagAlone.test(before)) return [value]
  const given = flagWithValue.exec(value)?.[1]
  // Several arguments in one text: k3s cannot read it, and the secret is there all the same.
  return given === undefined ? [...matches(flagInText, value), ...matches(userInfoInText, value)] : [given]
}

function secretsOfCommand(command: string): string[] {
  const assigned = Array.from(command.matchAll(assignmentInText))
    .filter(([, name = '']) => isAssignedCredential(name))
    .map(([, , ...values]) => firstGiven(values))
  const short = /\bk3s\b/.test(command) ? matches(shortFlagInText, command) : []
  return [...matches(flagInText, command), ...short, ...assigned, ...matches(userInfoInText, command)]
}

/** In lower case `key=value` is more often a label or taint than a credential. */
function isAssignedCredential(name: string): boolean {
  return name === name.toUpperCase()
    ? looksLikeCredential(name)
    : /token|secret|passw|passphrase|credential/i.test(name)
}

function matches(pattern: RegExp, text: string): string[] {
  return Array.from(text.matchAll(pattern), ([, ...values]) => firstGiven(values))
}

function firstGiven(values: readonly (string | undefined)[]): string {
  return values.find((value) => value !== undefined) ?? ''
}

/** The text with every occurrence of these secrets replaced, in one pass: a mask is never looked at again. */
export function replaceSecrets(
  text: string,
  secrets: readonly string[],
  mask: (secret: string) => string,
): string {
  const pattern = anyOf(secrets)
  return pattern === null ? text : text.replace(pattern, mask)
}

/** The longest first: a secret that contains another one goes as a whole. */
function anyOf(texts: readonly string[]): RegExp | null {
  const ordered = texts.filter((text) => text !== '').toSorted((a, b) => b.length - a.length)
  return ordered.length === 0 ? null : new RegExp(ordered.map(escapePattern).join('|'), 'g')
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
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
  for (const secret of secrets)
    if (secret.length >= shortestScrubbed)
      for (const form of formsOf(secret)) if (!forms.has(form)) forms.set(form, mask(secret))
  const pattern = anyOf([...forms.keys()])
  return {
    redactConfig: (config) => redactConfig(config, mask),
    scrub: (text) =>
      pattern === null ? text : text.replace(pattern, (form) => forms.get(form) ?? mask(form)),
  }
}

function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const url = encodeURIComponent(secret.toWellFormed())
  const base64 = toBase64(utf8Encode(secret))
  return [secret, json, url, base64, base64.replace(/=+$/, '')].filter(
    (form) => form.length >= shortestScrubbed,
  )
}

function redactConfig(config: K3osConfig, mask: (value: string) => string): K3osConfig {
  const secrets = Map.groupBy(secretLeaves(config), ({ path }) => path)
  const walk = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string')
      return replaceSecrets(
        value,
        (secrets.get(path) ?? []).map(({ secret }) => secret),
        mask,
      )
    if (Array.isArray(value)) return value.map((item, index) => walk(item, childPath(path, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, walk(item, childPath(path, key))]),
    )
  }
  return walk(config, '') as K3osConfig
}

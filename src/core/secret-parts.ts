import { looksLikeCredential } from './redact.ts'

/** Shorter texts occur by chance: taking them out of a log would hide more than it protects. */
const shortest = 6

/**
 * A secret and the parts of it that are secret by themselves: a line of a file, the password of a URL, the end of a k3s
 * token, the value behind `password:` in a registry file. Programs print parts, and a filter only finds what it knows.
 */
export function secretParts(secret: string): string[] {
  const lines = secret.split('\n').map((line) => line.trim())
  const parts = [
    secret,
    ...lines,
    // `K10<hash>::server:<password>` (k3s-io/k3s pkg/clientaccess/token.go)
    ...[...secret.matchAll(/::[a-z]+:(\S+)/g)].map(([, part]) => part),
    ...[...secret.matchAll(/:\/\/[^\s/:@]*:([^\s/@]+)@/g)].map(([, part]) => part),
    ...[...secret.matchAll(/([\w-]+)["']?\s*[:=]\s*["']?([^\s"',}\]]+)/g)]
      .filter(([, name = '']) => name === 'auth' || looksLikeCredential(name))
      .map(([, , part]) => part),
  ]
  return [...new Set(parts.filter((part) => part !== undefined && part.length >= shortest))] as string[]
}

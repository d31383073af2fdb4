import { fromBase64, toBase64 } from '../base64.ts'
import type { Bundle } from '../bundle.ts'
import type { NodeFacts } from '../inventory.ts'
import { sha256 } from '../sha256.ts'
import type { Evidence } from './evidence.ts'
import { lookupNames } from './lookup.ts'

/** `/etc/ssh` is a link to the second on k3OS; a mounted disk has only the second. */
const directories = ['/etc/ssh', '/var/lib/rancher/k3os/ssh'] as const

/** Paths of the host's public keys, from the directory sshd uses. */
export function publicHostKeyPaths(bundle: Bundle): string[] {
  for (const directory of directories) {
    const names = lookupNames(bundle, directory)
    const keys =
      names.status === 'found' ? names.value.filter((name) => /^ssh_host_.*_key\.pub$/.test(name)) : []
    if (keys.length > 0) return keys.map((name) => `${directory}/${name}`)
  }
  return []
}

export function readSshHostKeys(evidence: Evidence): NodeFacts['sshHostKeys'] {
  const keys = publicHostKeyPaths(evidence.bundle).flatMap((path) => {
    const key = publicKey(evidence.text(path) ?? '')
    return key === undefined
      ? []
      : [{ type: key.type, sha256: keyFingerprint(key.blob), publicKey: key.publicKey }]
  })
  if (keys.length === 0) evidence.fail('SSH host keys', `none found in ${directories.join(' or ')}`)
  return keys
}

/** The first line of a `.pub` file or of `ssh-keyscan` without its comment. */
export function publicKey(text: string): { type: string; blob: Uint8Array; publicKey: string } | undefined {
  const [, type = '', blob = ''] = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)/.exec(text.trim()) ?? []
  const bytes = fromBase64(blob)
  if (type === '' || bytes === undefined || bytes.length === 0) return undefined
  return { type, blob: bytes, publicKey: `${type} ${blob}` }
}

/** `SHA256:` and base64 without padding, as OpenSSH prints it. */
export function keyFingerprint(blob: Uint8Array): string {
  return `SHA256:${toBase64(sha256(blob)).replace(/=+$/, '')}`
}

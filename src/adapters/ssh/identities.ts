import { join } from 'node:path'
import ssh2 from 'ssh2'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { readIfPresent } from '../files.ts'

export interface IdentityOptions {
  /** Key files the user named; empty = the usual ones of `~/.ssh`. */
  readonly identityFiles: readonly string[]
  /** `SSH_AUTH_SOCK`. */
  readonly agentSocket: string | undefined
  readonly home: string
}

/** What to offer a server, in order, and what to tell the user when it accepts none of it. */
export interface Identities {
  readonly offers: readonly Offer[]
  /** `id_rsa (needs a passphrase)`: what was left out and why. */
  readonly leftOut: readonly string[]
}

type Offer =
  | { readonly type: 'agent'; readonly agent: string; readonly from: string }
  | { readonly type: 'publickey'; readonly key: ssh2.ParsedKey; readonly from: string }

const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/**
 * Keys from files and agent. A file that was named and cannot be used is an error (exit 77), a usual one is only left
 * out. Passphrases are the agent's business.
 */
export async function loadIdentities(options: IdentityOptions): Promise<Identities> {
  const named = options.identityFiles.length > 0
  const paths = named ? options.identityFiles : usual.map((name) => join(options.home, '.ssh', name))
  const { agentSocket: agent } = options
  const agents: Offer[] = agent === undefined ? [] : [{ type: 'agent', agent, from: 'ssh-agent' }]
  const files: Offer[] = []
  const leftOut: string[] = []
  for (const path of paths) {
    const bytes = await readIfPresent(path)
    const key = bytes === undefined ? 'it does not exist' : parseKey(bytes)
    if (typeof key !== 'string') files.push({ type: 'publickey', key, from: path })
    else if (named && !(key === needsPassphrase && agents.length > 0)) throw unusable(path, key)
    else if (bytes !== undefined) leftOut.push(`${path} (${key})`)
  }
  // What the user named goes first: servers allow only a few tries.
  return { offers: named ? [...files, ...agents] : [...agents, ...files], leftOut }
}

const needsPassphrase = 'it needs a passphrase'

function parseKey(bytes: Uint8Array): ssh2.ParsedKey | string {
  const parsed = ssh2.utils.parseKey(Buffer.from(bytes))
  // A file may hold several keys by its format; OpenSSH writes one.
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error || key === undefined)
    return /encrypted|passphrase/i.test(key?.message ?? '') ? needsPassphrase : 'its format is not supported'
  return key.isPrivateKey() ? key : 'it is a public key'
}

function unusable(path: string, reason: string): MigrateError {
  return new MigrateError(`cannot use the SSH key ${path}: ${reason}`, {
    exitCode: exitCode.permission,
    hint:
      reason === needsPassphrase
        ? `let ssh-agent hold it: eval "$(ssh-agent)" && ssh-add ${path}`
        : 'name a private key file: --identity ~/.ssh/id_ed25519',
  })
}

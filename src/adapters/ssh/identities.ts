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
  /** Asks a person, once for each try; absent = nobody can be asked. Undefined or empty = no passphrase. */
  readonly askPassphrase?: (file: string) => Promise<string | undefined>
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

const usualNames = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/**
 * Keys from files and agent. A file that was named and cannot be used is an error (exit 77), a usual one is only left out.
 * `more` are files of the SSH configuration: wished for, not required.
 */
export async function loadIdentities(
  options: IdentityOptions,
  more: readonly string[] = [],
): Promise<Identities> {
  const named = options.identityFiles.length > 0
  const usual = usualNames.map((name) => join(options.home, '.ssh', name))
  const paths = named ? options.identityFiles : more.length > 0 ? more : usual
  const { agentSocket: agent } = options
  const agents: Offer[] = agent === undefined ? [] : [{ type: 'agent', agent, from: 'ssh-agent' }]
  const files: Offer[] = []
  const leftOut: string[] = []
  for (const path of paths) {
    const bytes = await readIfPresent(path)
    // A usual key that needs a passphrase is asked for only when somebody names it: there may be several of them.
    const key =
      bytes === undefined
        ? 'it does not exist'
        : await openKey(path, bytes, named || more.length > 0 ? options.askPassphrase : undefined)
    if (typeof key !== 'string') files.push({ type: 'publickey', key, from: path })
    else if (named && !(key === needsPassphrase && agents.length > 0)) throw unusable(path, key)
    else if (bytes !== undefined || more.length > 0) leftOut.push(`${path} (${key})`)
  }
  // What the user named goes first: servers allow only a few tries.
  return { offers: named || more.length > 0 ? [...files, ...agents] : [...agents, ...files], leftOut }
}

const needsPassphrase = 'it needs a passphrase'
const tries = 3

async function openKey(
  path: string,
  bytes: Uint8Array,
  ask: IdentityOptions['askPassphrase'],
): Promise<ssh2.ParsedKey | string> {
  let key = parseKey(bytes)
  for (let attempt = 1; key === needsPassphrase && ask !== undefined; attempt += 1) {
    const passphrase = attempt > tries ? undefined : await ask(path)
    if (passphrase === undefined || passphrase === '') return needsPassphrase
    key = parseKey(bytes, passphrase)
    if (key === wrongPassphrase && attempt < tries) key = needsPassphrase
  }
  return key
}

const wrongPassphrase = 'the passphrase is wrong'

function parseKey(bytes: Uint8Array, passphrase?: string): ssh2.ParsedKey | string {
  const parsed = ssh2.utils.parseKey(Buffer.from(bytes), passphrase)
  // A file may hold several keys by its format; OpenSSH writes one.
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error || key === undefined) {
    const encrypted = /encrypted|passphrase|decrypt|integrity/i.test(key?.message ?? '')
    if (!encrypted) return 'its format is not supported'
    return passphrase === undefined ? needsPassphrase : wrongPassphrase
  }
  return key.isPrivateKey() ? key : 'it is a public key'
}

function unusable(path: string, reason: string): MigrateError {
  return new MigrateError(`cannot use the SSH key ${path}: ${reason}`, {
    exitCode: exitCode.permission,
    hint:
      reason === needsPassphrase || reason === wrongPassphrase
        ? `let ssh-agent hold it: eval "$(ssh-agent)" && ssh-add ${path}`
        : 'name a private key file: --identity ~/.ssh/id_ed25519',
  })
}

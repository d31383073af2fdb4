import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import ssh2 from 'ssh2'
import { exitCode, MigrateError } from '../../core/errors.ts'
import {
  checkHostKey,
  type HostKeyVerdict,
  type KnownHost,
  knownKeyTypes,
  type OfferedKey,
} from '../../core/known-hosts.ts'
import type { HostAddress } from '../../migrate/ports.ts'
import type { Identities } from './identities.ts'
import { hmacSha1 } from './known-hosts-file.ts'
import { keysRefused, notReached, placeOf } from './refusals.ts'

export interface Peer {
  readonly address: HostAddress
  readonly known: readonly KnownHost[]
  readonly identities: Identities
  readonly connectTimeoutMs: number
  /** The way through another host; absent = a connection of our own. */
  readonly sock?: Readable
}

export interface Request {
  /** For sentences: "reading the node". */
  readonly what: string
  readonly command: string
  readonly stdin: string | Uint8Array | AsyncIterable<Uint8Array>
  /** From login to its end; undefined = only the signal ends it. */
  readonly timeoutMs: number | undefined
  readonly maxBytes: number
}

/** How a conversation ended when it did not fail. `exit` is always a number that the server sent. */
export type Ending =
  | {
      readonly status: 'answered'
      readonly exit: number
      readonly stdout: Uint8Array
      readonly stderr: string
    }
  | {
      readonly status: 'host-key'
      /** Whose key it is: the host itself, or one on the way to it. */
      readonly at: HostAddress
      readonly offered: OfferedKey
      readonly verdict: Exclude<HostKeyVerdict, { status: 'known' }>
    }

/**
 * One connection, one command, one ending. ssh2 reports through many events, some after the end and some twice; all of
 * them meet here and the first that decides wins. A connection that dies without an exit status is a failure, never an
 * answer.
 */
export async function converse(peer: Peer, request: Request, signal: AbortSignal): Promise<Ending> {
  signal.throwIfAborted()
  const { address } = peer
  const client = new ssh2.Client()
  const { promise, resolve, reject } = Promise.withResolvers<Ending>()
  let hostKey: (Ending & { status: 'host-key' }) | undefined
  let running = false
  let timer: NodeJS.Timeout | undefined

  const expire = (): void => {
    reject(
      new MigrateError(
        `${placeOf(address)} did not finish within ${seconds(request.timeoutMs)}: ${request.what}`,
        {
          exitCode: exitCode.io,
          hint: 'give it more time: --timeout 5m',
        },
      ),
    )
  }

  const lost = (): MigrateError =>
    new MigrateError(`the connection to ${placeOf(address)} was lost while ${request.what}`, {
      exitCode: exitCode.io,
      hint: 'what was started there may have ended or not; run the command again',
    })

  // Stays until the process ends: ssh2 may report more than one error, and one without a listener would end us.
  client.on('error', (error) => {
    const level = 'level' in error ? error.level : undefined
    // An agent that does not answer is one way less to log in; ssh2 goes on to the next.
    if (level === 'agent') return
    if (hostKey !== undefined) resolve(hostKey)
    else if (level === 'client-authentication') reject(keysRefused(address, peer.identities))
    else reject(running ? lost() : notReached(address, error, peer.connectTimeoutMs))
  })
  client.on('close', () => {
    if (hostKey !== undefined) resolve(hostKey)
    else
      reject(
        running ? lost() : notReached(address, new Error('the connection was closed'), peer.connectTimeoutMs),
      )
  })
  // A login is many small packets; waiting to fill them costs more than the login itself.
  client.on('connect', () => client.setNoDelay(true))
  client.on('ready', () => {
    running = true
    if (request.timeoutMs !== undefined) timer = setTimeout(expire, request.timeoutMs)
    client.exec(request.command, (error, stream) => {
      if (error === undefined) listen(stream)
      else reject(lost())
    })
  })

  const listen = (stream: ssh2.ClientChannel): void => {
    const stdout: Buffer[] = []
    let bytes = 0
    let stderr = ''
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      stdout.push(chunk)
      if (bytes > request.maxBytes)
        reject(
          new MigrateError(
            `${placeOf(address)} sent more than ${request.maxBytes} bytes while ${request.what}`,
            {
              exitCode: exitCode.io,
            },
          ),
        )
    })
    // Both streams must be read, or `close` never comes.
    stream.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4096)
    })
    // A command that ends before it has read its input; what counts is its exit status.
    stream.on('error', () => undefined)
    stream.on('close', (exit: unknown, killedBy: unknown) => {
      if (typeof exit === 'number')
        resolve({ status: 'answered', exit, stdout: Buffer.concat(stdout), stderr })
      else if (typeof killedBy === 'string')
        reject(
          new MigrateError(
            `on ${placeOf(address)} the command was killed (${killedBy}) while ${request.what}`,
            {
              exitCode: exitCode.io,
              hint: 'run the command again',
            },
          ),
        )
      else reject(lost())
    })
    const { stdin } = request
    if (typeof stdin === 'string' || stdin instanceof Uint8Array) stream.end(stdin)
    else
      pipeline(stdin, stream).catch((error: unknown) => {
        // A source that fails, as a file that is damaged, is our failure; a command that ended early has an exit status.
        if (error instanceof MigrateError) reject(error)
      })
  }

  const onAbort = (): void => {
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    client.connect(
      connectOptions(peer, (ending) => {
        hostKey = ending
      }),
    )
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    client.end()
    // A server that does not close its side must not keep us running.
    setTimeout(() => client.destroy(), 1000).unref()
  }
}

/** What ssh2 is told for one login. A host key that is not pinned ends it, and is handed over. */
export function connectOptions(
  peer: Peer,
  onHostKey: (ending: Ending & { status: 'host-key' }) => void,
): ssh2.ConnectConfig {
  const { address } = peer
  return {
    ...(peer.sock === undefined ? { host: address.host, port: address.port } : { sock: peer.sock }),
    username: address.user,
    readyTimeout: peer.connectTimeoutMs,
    keepaliveInterval: 10_000,
    keepaliveCountMax: 3,
    authHandler: peer.identities.offers.map((offer) => ({ ...offer, username: address.user })),
    algorithms: { serverHostKey: keyAlgorithms(peer) },
    hostVerifier: (key: Buffer) => {
      const offered = { host: address.host, port: address.port, key }
      const verdict = checkHostKey(peer.known, offered, hmacSha1)
      if (verdict.status === 'known') return true
      onHostKey({ status: 'host-key', at: address, offered, verdict })
      return false
    },
  }
}

const hostKeyAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const

/** Those of the pinned keys first, so that a server with several keys shows one we know. */
function keyAlgorithms({ known, address }: Peer): ssh2.ServerHostKeyAlgorithm[] {
  const types = knownKeyTypes(known, address, hmacSha1)
  const isKnown = (name: string): boolean => types.includes(name.startsWith('rsa-sha2-') ? 'ssh-rsa' : name)
  return [...hostKeyAlgorithms.filter(isKnown), ...hostKeyAlgorithms.filter((name) => !isKnown(name))]
}

function seconds(ms: number | undefined): string {
  return `${(ms ?? 0) / 1000} s`
}

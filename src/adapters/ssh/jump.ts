import type { Readable } from 'node:stream'
import ssh2 from 'ssh2'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { HostAddress } from '../../migrate/ports.ts'
import { connectOptions, type Ending, type Peer } from './conversation.ts'
import { keysRefused, notReached, placeOf } from './refusals.ts'

export type Jump =
  | { readonly status: 'open'; readonly sock: Readable; close(): void }
  | (Ending & { readonly status: 'host-key' })

/**
 * Logs in to a host on the way and opens a connection from there to the next one (`ssh -J`). Its key is checked as that of
 * any host. Whoever gets the connection closes it.
 */
export async function openJump(peer: Peer, to: HostAddress, signal: AbortSignal): Promise<Jump> {
  signal.throwIfAborted()
  const { address } = peer
  const client = new ssh2.Client()
  const { promise, resolve, reject } = Promise.withResolvers<Jump>()
  let hostKey: (Ending & { status: 'host-key' }) | undefined
  const close = (): void => {
    client.end()
    setTimeout(() => client.destroy(), 1000).unref()
  }
  // Stays until the process ends: once the way is open, its loss shows in the connection that goes through it.
  client.on('error', (error) => {
    const level = 'level' in error ? error.level : undefined
    if (level === 'agent') return
    if (hostKey !== undefined) resolve(hostKey)
    else if (level === 'client-authentication') reject(keysRefused(address, peer.identities))
    else reject(notReached(address, error, peer.connectTimeoutMs))
  })
  client.on('close', () => {
    if (hostKey !== undefined) resolve(hostKey)
    else reject(notReached(address, new Error('the connection was closed'), peer.connectTimeoutMs))
  })
  client.on('ready', () => {
    client.forwardOut('127.0.0.1', 0, to.host, to.port, (error, sock) => {
      if (error === undefined) resolve({ status: 'open', sock, close })
      else reject(notForwarded(address, to, error))
    })
  })
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    client.connect(
      connectOptions(peer, (ending) => {
        hostKey = ending
      }),
    )
    return await promise
  } catch (error) {
    close()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** RFC 4254, 5.1: why a channel was not opened. */
const prohibited = 1

function notForwarded(jump: HostAddress, to: HostAddress, error: Error): MigrateError {
  const reason = 'reason' in error ? error.reason : undefined
  const refused = reason === prohibited || /prohibited/i.test(error.message)
  return new MigrateError(
    refused
      ? `${placeOf(jump)} lets nobody through to ${placeOf(to)}: its sshd forwards nothing`
      : `${placeOf(jump)} cannot reach ${placeOf(to)}`,
    {
      exitCode: refused ? exitCode.permission : exitCode.io,
      hint: refused
        ? 'k3OS nodes have AllowTcpForwarding no, so none of them can be a jump host: go through another machine, or collect by hand (k3os-migrate inventory script)'
        : 'check address and port as seen from the jump host',
      cause: error,
    },
  )
}

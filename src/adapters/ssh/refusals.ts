import { exitCode, MigrateError } from '../../core/errors.ts'
import { keyFingerprint } from '../../core/facts/ssh-keys.ts'
import { type HostKeyVerdict, keyType, type OfferedKey } from '../../core/known-hosts.ts'
import { sh } from '../../core/shell.ts'
import type { HostAddress } from '../../migrate/ports.ts'
import { systemCode } from '../files.ts'
import type { Identities } from './identities.ts'

/** The sentences for everything that can go wrong before a command ran. All exit 77 (not allowed) or 74 (not reached). */

/** `n1 (10.0.0.5)`, with the port where it is not 22. */
export function placeOf(address: HostAddress): string {
  const host = address.port === 22 ? address.host : `${address.host}:${address.port}`
  return address.name === address.host ? host : `${address.name} (${host})`
}

export function hostKeyRefused(
  address: HostAddress,
  offered: OfferedKey,
  verdict: Exclude<HostKeyVerdict, { status: 'known' }>,
  knownHostsFile: string,
): MigrateError {
  const where = placeOf(address)
  const theirs = `${keyType(offered.key)} ${keyFingerprint(offered.key)}`
  const refuse = (message: string, hint: string) =>
    new MigrateError(message, { exitCode: exitCode.permission, hint })
  switch (verdict.status) {
    case 'unknown': {
      const scan = ['ssh-keyscan', ...(address.port === 22 ? [] : ['-p', String(address.port)]), address.host]
      const authority = verdict.certificate ? ' (the file names an authority, which is not supported)' : ''
      return refuse(
        `the SSH host key of ${where} is not known${authority}: ${theirs}`,
        `compare it at the machine (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: ${scan.map(plainWord).join(' ')} >> ${plainWord(knownHostsFile)}`,
      )
    }
    case 'changed': {
      const ours = verdict.pinned.map((key) => `${key.type} ${key.fingerprint} (${key.file}:${key.line})`)
      return refuse(
        `the SSH host key of ${where} has changed: it offers ${theirs}, known is ${ours.join(', ')}`,
        'find out why before you trust it: another machine may answer at this address',
      )
    }
    case 'revoked':
      return refuse(
        `the SSH host key of ${where} is revoked: ${theirs} (${verdict.at.file}:${verdict.at.line})`,
        'this key must not be trusted any more; give the machine a new one',
      )
  }
}

export function keysRefused(address: HostAddress, identities: Identities): MigrateError {
  const tried = identities.offers.map((offer) => offer.from)
  const leftOut = identities.leftOut.length === 0 ? '' : `; left out: ${identities.leftOut.join(', ')}`
  const login = [
    'ssh',
    ...(address.port === 22 ? [] : ['-p', String(address.port)]),
    `${address.user}@${address.host}`,
  ]
  return new MigrateError(
    tried.length === 0
      ? `there is no SSH key to log in to ${placeOf(address)} with${leftOut}`
      : `${placeOf(address)} accepts no key of ours for the user ${address.user} (tried: ${tried.join(', ')}${leftOut})`,
    {
      exitCode: exitCode.permission,
      hint: `name a key with --identity, or load one with ssh-add; see what ssh itself says: ${login.map(plainWord).join(' ')}`,
    },
  )
}

const socketReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses the connection',
  ENOTFOUND: 'there is no such host name',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
}

/** What ssh2 and the socket report; their own texts name algorithms and protocol steps, never secrets. */
export function notReached(address: HostAddress, error: Error, connectTimeoutMs: number): MigrateError {
  const level = 'level' in error ? error.level : undefined
  const reason =
    level === 'client-timeout'
      ? `it does not answer within ${connectTimeoutMs / 1000} s`
      : (socketReasons[systemCode(error) ?? ''] ?? `SSH says: ${error.message}`)
  return new MigrateError(`cannot reach ${placeOf(address)} over SSH: ${reason}`, {
    exitCode: exitCode.io,
    hint: 'check address, port and that the machine is up, then run the command again',
    cause: error,
  })
}

function plainWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,~-]+$/.test(text) ? text : sh(text)
}

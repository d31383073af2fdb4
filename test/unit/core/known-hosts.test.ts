import { execFileSync, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requirePart } from '../../support/require-part.ts'
import { toBase64 } from '../../../src/core/base64.ts'
import {
  checkHostKey,
  type HmacSha1,
  type HostKeyVerdict,
  keyType,
  knownHostLine,
  knownKeyTypes,
  parseKnownHosts,
} from '../../../src/core/known-hosts.ts'

const hmac: HmacSha1 = (key, text) => createHmac('sha1', key).update(text).digest()

/** A key blob of the given type; `n` tells keys apart. */
function key(n: number, type = 'ssh-ed25519'): Uint8Array {
  const name = Buffer.from(type)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return Uint8Array.from(Buffer.concat([length, name, Buffer.alloc(36, n)]))
}
const line = (hosts: string, n: number, type = 'ssh-ed25519'): string =>
  `${hosts} ${type} ${toBase64(key(n, type))}\n`

function verdict(text: string, host: string, port = 22, offered = key(1)): HostKeyVerdict {
  return checkHostKey(parseKnownHosts(text, 'known_hosts'), { host, port, key: offered }, hmac)
}

describe('a host key is known when', () => {
  test.each([
    ['the name is listed', line('n1', 1), 'n1', 22],
    ['the case differs', line('N1', 1), 'n1', 22],
    ['it is one of several names', line('n1,10.0.0.5', 1), '10.0.0.5', 22],
    ['a pattern matches', line('n?.lan,*.example.org', 1), 'a.b.example.org', 22],
    ['the port is part of the name', line('[n1]:2222', 1), 'n1', 2222],
    ['one of several lines has it', line('n1', 2) + line('n1', 1), 'n1', 22],
    ['comments and broken lines surround it', `# n1\n\nn1 ssh-ed25519 ***\n${line('n1', 1)}`, 'n1', 22],
  ])('%s', (_name, text, host, port) => {
    expect(verdict(text, host, port)).toEqual({ status: 'known' })
  })
})

describe('a host key is unknown when', () => {
  test.each([
    ['the file is empty', '', 'n1', 22],
    ['another host has it', line('n2', 1), 'n1', 22],
    ['it is listed for another port', line('n1', 1), 'n1', 2222],
    ['the pattern is negated', line('*.lan,!n1.lan', 1), 'n1.lan', 22],
    ['a dot of the pattern is a letter of the name', line('n.1', 1), 'nx1', 22],
  ])('%s', (_name, text, host, port) => {
    expect(verdict(text, host, port)).toEqual({ status: 'unknown', certificate: false })
  })

  test('only an authority is known, and that is said', () => {
    expect(verdict(`@cert-authority ${line('*.lan', 1)}`, 'n1.lan')).toEqual({
      status: 'unknown',
      certificate: true,
    })
  })
})

test('another key than the pinned one is a change, named with place and fingerprint', () => {
  expect(verdict(`\n${line('n1', 2)}`, 'n1')).toMatchObject({
    status: 'changed',
    pinned: [
      { type: 'ssh-ed25519', line: 2, file: 'known_hosts', fingerprint: expect.stringMatching(/^SHA256:/) },
    ],
  })
})

test('a key of another type is a change too', () => {
  expect(verdict(line('n1', 1, 'ssh-rsa'), 'n1').status).toBe('changed')
})

test('a revoked key is refused although it is listed as known', () => {
  expect(verdict(`${line('n1', 1)}@revoked ${line('*', 1)}`, 'n1')).toMatchObject({
    status: 'revoked',
    at: { line: 2 },
  })
})

const noSshKeygen =
  spawnSync('ssh-keygen', ['-?']).error === undefined
    ? undefined
    : 'there is no ssh-keygen to hash names with (openssh-client)'

test.skipIf(requirePart('SSH_KEYGEN', noSshKeygen))('names hashed by OpenSSH are found', () => {
  const directory = mkdtempSync(join(tmpdir(), 'known-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  const file = join(directory, 'known_hosts')
  writeFileSync(file, line('n1', 1) + line('[n2]:2222', 2))
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
  const hashed = readFileSync(file, 'utf8')
  expect(hashed).toMatch(/^\|1\|.*\n\|1\|.*\n$/)
  expect(verdict(hashed, 'n1')).toEqual({ status: 'known' })
  expect(verdict(hashed, 'n2', 2222, key(2))).toEqual({ status: 'known' })
  expect(verdict(hashed, 'n3').status).toBe('unknown')
})

test('the line of an accepted key makes it known', () => {
  const offered = { host: 'N1.lan', port: 2222, key: key(1) }
  expect(verdict(knownHostLine(offered), 'n1.lan', 2222)).toEqual({ status: 'known' })
})

test('the types known for a host are those of its own lines', () => {
  const text = line('n1', 1) + line('n1', 2, 'ssh-rsa') + line('n2', 3, 'ecdsa-sha2-nistp256')
  expect(knownKeyTypes(parseKnownHosts(text, 'f'), { host: 'n1', port: 22 }, hmac)).toEqual([
    'ssh-ed25519',
    'ssh-rsa',
  ])
  expect(keyType(key(1, 'ssh-rsa'))).toBe('ssh-rsa')
})

import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { sshHost, type SshOptions } from '../../../src/adapters/ssh.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import type { HostAddress } from '../../../src/migrate/ports.ts'

/** Failures that a real sshd does not stage on demand, against ssh2's own server. */

let hostKey: string
let clientKey: string
let home: string

beforeAll(async () => {
  hostKey = ssh2.utils.generateKeyPairSync('ed25519').private
  clientKey = ssh2.utils.generateKeyPairSync('ed25519').private
  home = await mkdtemp(join(tmpdir(), 'ssh-'))
  await writeFile(join(home, 'key'), clientKey, { mode: 0o600 })
  return async () => {
    await rm(home, { recursive: true })
  }
})

interface Session {
  readonly channel: ssh2.ServerChannel
  readonly connection: ssh2.Connection
}

/** A server that accepts anybody and answers each command with `answer`; resolves to how to reach it. */
async function serve(answer: (session: Session) => void): Promise<HostAddress> {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on('error', () => undefined)
    connection.on('authentication', (context) => {
      context.accept()
    })
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec()
        channel.on('error', () => undefined)
        channel.resume()
        answer({ channel, connection })
      })
    })
  })
  return listen(server)
}

async function listen(server: Server | ssh2.Server): Promise<HostAddress> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { name: 'n1', host: '127.0.0.1', port, user: 'rancher' }
}

async function options(address: HostAddress, changes: Partial<SshOptions> = {}): Promise<SshOptions> {
  const knownHostsFile = join(home, `known-${address.port}`)
  const parsed = ssh2.utils.parseKey(hostKey)
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error('one key expected')
  const key = parsed.getPublicSSH().toString('base64')
  await writeFile(knownHostsFile, `[${address.host}]:${address.port} ssh-ed25519 ${key}\n`)
  return {
    knownHostsFile,
    identityFiles: [join(home, 'key')],
    agentSocket: undefined,
    home,
    connectTimeoutMs: 5000,
    commandTimeoutMs: 5000,
    ...changes,
  }
}

async function failureOf(promise: Promise<unknown>): Promise<MigrateError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MigrateError) return error
    throw error
  }
  throw new Error('it succeeded')
}

const never = new AbortController().signal

async function collectFailure(
  answer: (session: Session) => void,
  changes?: Partial<SshOptions>,
): Promise<MigrateError> {
  const address = await serve(answer)
  return failureOf(sshHost(await options(address, changes)).collect(address, never))
}

describe('a command has an answer only when the server says how it ended', () => {
  test('exit status 0: what it printed', async () => {
    const address = await serve(({ channel }) => {
      channel.write('some ')
      channel.write('bytes')
      channel.exit(0)
      channel.end()
    })
    const bytes = await sshHost(await options(address)).collect(address, never)
    expect(new TextDecoder().decode(bytes)).toBe('some bytes')
  })

  test('the connection drops in the middle: a failure, although there was output', async () => {
    const error = await collectFailure(({ channel, connection }) => {
      channel.write('half of it', () => {
        // The socket itself, without a goodbye.
        setImmediate(() => connection.end())
      })
    })
    expect(error).toMatchObject({ exitCode: 74 })
    expect(error.message).toMatch(
      /^the connection to n1 \(127\.0\.0\.1:\d+\) was lost while reading the node$/,
    )
  })

  test('the channel closes without a status: a failure', async () => {
    const error = await collectFailure(({ channel }) => {
      channel.end('all of it, as it seems')
      channel.close()
    })
    expect(error.message).toContain('was lost while reading the node')
  })

  test('a signal: a failure that names it', async () => {
    const error = await collectFailure(({ channel }) => {
      channel.exit('KILL')
      channel.end()
    })
    expect(error.message).toContain('the command was killed (SIGKILL) while reading the node')
  })

  test('another status: a failure with the last line of its complaint', async () => {
    const error = await collectFailure(({ channel }) => {
      channel.stderr.write('first\nsudo: a password is required\n')
      channel.exit(1)
      channel.end()
    })
    expect(error).toMatchObject({ exitCode: 77 })
    expect(error.message).toContain('reading the node failed: sudo: a password is required')
    expect(error.hint).toContain('sudo without a password')
  })
})

test('control characters of the other side are not repeated', async () => {
  const error = await collectFailure(({ channel }) => {
    channel.stderr.write('\u001b[2Jgone\n')
    channel.exit(1)
    channel.end()
  })
  expect(error.message).toContain('?[2Jgone')
})

test('a server that never ends a command is left after the time for it', async () => {
  const error = await collectFailure(() => undefined, { commandTimeoutMs: 100 })
  expect(error).toMatchObject({ exitCode: 74, hint: 'give it more time: --timeout 5m' })
  expect(error.message).toContain('did not finish within 0.1 s: reading the node')
})

test('a port that says nothing is left after the time to connect', async () => {
  const address = await listen(createServer())
  const error = await failureOf(
    sshHost(await options(address, { connectTimeoutMs: 100 })).collect(address, never),
  )
  expect(error.message).toContain('it does not answer within 0.1 s')
})

test('stopping ends the wait with the reason that was given', async () => {
  const stop = new AbortController()
  const reason = new Error('Ctrl-C')
  const address = await serve(() => {
    stop.abort(reason)
  })
  await expect(sshHost(await options(address)).collect(address, stop.signal)).rejects.toBe(reason)
})

test('more output than allowed ends the reading', async () => {
  const error = await failureOf(
    (async () => {
      const address = await serve(({ channel }) => {
        channel.write(Buffer.alloc(2 * 1024 * 1024))
      })
      return sshHost(await options(address)).readFile(address, '/etc/hostname', never)
    })(),
  )
  expect(error.message).toContain('sent more than 1048576 bytes while reading /etc/hostname')
})

describe('host keys', () => {
  const answered = (session: Session): void => {
    session.channel.write('text')
    session.channel.exit(0)
    session.channel.end()
  }

  test('an unknown one is refused where nobody can be asked, with what to type', async () => {
    const address = await serve(answered)
    const settings = { ...(await options(address)), knownHostsFile: join(home, 'none') }
    const error = await failureOf(sshHost(settings).collect(address, never))
    expect(error.exitCode).toBe(77)
    expect(error.message).toMatch(
      /the SSH host key of n1 \(.*\) is not known: ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}$/,
    )
    expect(error.hint).toContain(`ssh-keyscan -p ${address.port} 127.0.0.1 >> ${join(home, 'none')}`)
  })

  test('one that a person accepts is remembered and used', async () => {
    const address = await serve(answered)
    const asked: string[] = []
    const settings: SshOptions = {
      ...(await options(address)),
      knownHostsFile: join(home, 'new', 'known_hosts'),
      confirmHostKey: (key) => {
        asked.push(`${key.place} ${key.type}`)
        return Promise.resolve(true)
      },
    }
    const host = sshHost(settings)
    await host.collect(address, never)
    await host.collect(address, never)
    expect(asked).toEqual([`n1 (127.0.0.1:${address.port}) ssh-ed25519`])
    expect(await readFile(settings.knownHostsFile, 'utf8')).toMatch(
      /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 \S+\n$/,
    )
  })

  test('one that a person does not accept is refused and not remembered', async () => {
    const address = await serve(answered)
    const settings: SshOptions = {
      ...(await options(address)),
      knownHostsFile: join(home, 'refused'),
      confirmHostKey: () => Promise.resolve(false),
    }
    const error = await failureOf(sshHost(settings).collect(address, never))
    expect(error.exitCode).toBe(77)
    await expect(readFile(settings.knownHostsFile)).rejects.toThrow('ENOENT')
  })

  test('a changed one is refused with both fingerprints, and nobody is asked', async () => {
    const address = await serve(answered)
    const settings: SshOptions = {
      ...(await options(address)),
      confirmHostKey: () => Promise.reject(new Error('asked')),
    }
    const other = ssh2.utils.generateKeyPairSync('ed25519').public.split(' ').slice(0, 2).join(' ')
    await writeFile(settings.knownHostsFile, `# pinned\n[127.0.0.1]:${address.port} ${other}\n`)
    const error = await failureOf(sshHost(settings).collect(address, never))
    expect(error.exitCode).toBe(77)
    expect(error.message).toMatch(
      /has changed: it offers ssh-ed25519 SHA256:\S+, known is ssh-ed25519 SHA256:\S+ /,
    )
    expect(error.message).toContain(`(${settings.knownHostsFile}:2)`)
  })
})

describe('our own keys', () => {
  const collect = async (changes: Partial<SshOptions>): Promise<MigrateError> => {
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
      connection.on('error', () => undefined)
      connection.on('authentication', (context) => {
        context.reject()
      })
    })
    const address = await listen(server)
    return failureOf(sshHost(await options(address, changes)).collect(address, never))
  }

  test('refused by the server: what was tried is said', async () => {
    const error = await collect({})
    expect(error.exitCode).toBe(77)
    expect(error.message).toContain(
      `accepts no key of ours for the user rancher (tried: ${join(home, 'key')})`,
    )
  })

  test('none at all', async () => {
    const error = await collect({ identityFiles: [] })
    expect(error.message).toContain('there is no SSH key to log in to n1')
  })

  test('a named file that needs a passphrase: ssh-agent is the way', async () => {
    const file = join(home, 'encrypted')
    const key = ssh2.utils.generateKeyPairSync('ed25519', {
      passphrase: 'CANARY-passphrase',
      cipher: 'aes256-ctr',
      rounds: 1,
    })
    await writeFile(file, key.private)
    const error = await collect({ identityFiles: [file] })
    expect(error.message).toBe(`cannot use the SSH key ${file}: it needs a passphrase`)
    expect(error.hint).toContain(`ssh-add ${file}`)
  })

  test.each([
    [
      'is a public key',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICq/HIzukGEITFC7XU4TPNwp0n+wx/QrgVPGsRUxNccE me',
    ],
    ['its format is not supported', 'not a key'],
  ])('a named file that is none: %s', async (reason, content) => {
    const file = join(home, 'odd')
    await writeFile(file, content)
    expect((await collect({ identityFiles: [file] })).message).toContain(reason)
  })

  test('an agent that does not answer is one way less, not the end', async () => {
    const address = await serve(({ channel }) => {
      channel.write('text')
      channel.exit(0)
      channel.end()
    })
    const settings = await options(address, { agentSocket: join(home, 'no-agent') })
    expect(new TextDecoder().decode(await sshHost(settings).collect(address, never))).toBe('text')
  })
})

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { sshHost, type SshOptions } from '../../../src/adapters/ssh.ts'
import type { HostAddress } from '../../../src/migrate/ports.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingForK3osRoot, type SshLab, type SshNode, startSshLab } from '../../support/sshd.ts'

const skip = requirePart('SSHD', missingForK3osRoot())

describe.skipIf(skip)('a node over a real sshd', () => {
  let lab: SshLab
  let node: SshNode
  let address: HostAddress
  const signal = new AbortController().signal
  beforeAll(async () => {
    lab = startSshLab()
    node = await lab.startNode('n1', bundleOf(k3osNode()))
    address = { name: 'n1', host: node.host, port: node.port, user: 'rancher' }
  })
  afterAll(async () => {
    await lab.stop()
  })
  const host = (changes: Partial<SshOptions> = {}) =>
    sshHost({
      knownHostsFile: lab.knownHostsFile,
      identityFiles: [lab.identityFile],
      agentSocket: undefined,
      home: lab.home,
      connectTimeoutMs: 10_000,
      commandTimeoutMs: 60_000,
      ...changes,
    })

  test('a file only root may read is read, a missing one is undefined', async () => {
    expect(await host().readFile(address, '/etc/rancher/node/password', signal)).toBe(
      `${canaries.nodePassword}\n`,
    )
    expect(await host().readFile(address, "/etc/it's not $(there)", signal)).toBeUndefined()
  })

  test('what exists and is no readable file is a failure, not undefined', async () => {
    await expect(host().readFile(address, '/etc', signal)).rejects.toMatchObject({ exitCode: 74 })
    symlinkSync('nowhere', join(node.root, 'etc/dangling'))
    await expect(host().readFile(address, '/etc/dangling', signal)).rejects.toMatchObject({ exitCode: 74 })
  })

  test('without sudo reading as root is refused, with what to do', async () => {
    const plain = await lab.startNode('plain', bundleOf(k3osNode()), { sudo: false })
    const refused = host().readFile({ ...address, name: 'plain', port: plain.port }, '/etc/hostname', signal)
    await expect(refused).rejects.toMatchObject({
      exitCode: 77,
      message: expect.stringContaining('sudo: a password is required'),
      hint: expect.stringContaining('sudo without a password'),
    })
  })

  test('a file is written with its directories, for root only, in place of an older one', async () => {
    const path = "/etc/k3os-migrate/a b/it's"
    await host().writeFile(address, path, 'one\n', signal)
    await host().writeFile(address, path, 'two $HOME \\ ümlaut\n', signal)
    expect(readFileSync(join(node.root, path), 'utf8')).toBe('two $HOME \\ ümlaut\n')
    expect(statSync(join(node.root, path)).mode & 0o777).toBe(0o600)
    expect(execFileSync('ls', ['-A', join(node.root, '/etc/k3os-migrate/a b')], { encoding: 'utf8' })).toBe(
      "it's\n",
    )
  })

  test('fingerprints are equal for quiet data and differ for every kind of change', async () => {
    const data = join(node.root, 'var/data')
    mkdirSync(join(data, 'sub dir'), { recursive: true })
    writeFileSync(join(data, 'sub dir', 'file'), 'content')
    symlinkSync('file', join(data, 'sub dir', 'link'))
    const take = async (): Promise<string | undefined> =>
      (await host().fingerprint(address, ['/var/data'], signal))['/var/data']
    const seen = [await take()]
    expect(seen[0]).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await take()).toBe(seen[0])
    const stamp = statSync(join(data, 'sub dir', 'file')).mtime
    const keepTime = (path: string): void => {
      execFileSync('touch', ['-d', stamp.toISOString(), path])
    }
    const changes = [
      () => {
        writeFileSync(join(data, 'sub dir', 'file'), 'CONTENT')
        keepTime(join(data, 'sub dir', 'file'))
      },
      () => chmodSync(join(data, 'sub dir', 'file'), 0o600),
      () => execFileSync('touch', ['-d', '2001-01-01', join(data, 'sub dir', 'file')]),
      () => execFileSync('ln', ['-sfn', 'other', join(data, 'sub dir', 'link')]),
      () => execFileSync('chown', ['5:6', join(data, 'sub dir')]),
    ]
    for (const change of changes) {
      change()
      const now = await take()
      expect(seen).not.toContain(now)
      seen.push(now)
    }
  })

  test('a directory that does not exist is absent, one that cannot be read whole is a failure', async () => {
    expect(await host().fingerprint(address, ['/var/none', '/home'], signal)).toMatchObject({
      '/var/none': 'absent',
    })
    await expect(host().fingerprint(address, ['/etc/hostname'], signal)).rejects.toMatchObject({
      exitCode: 74,
    })
  })

  test('another key than the pinned one is refused before anything is sent', async () => {
    const file = join(lab.home, 'wrong-known-hosts')
    const wrong = readFileSync(`${lab.identityFile}.pub`, 'utf8')
    writeFileSync(file, `[127.0.0.1]:${node.port} ${wrong}`)
    await expect(
      host({ knownHostsFile: file }).readFile(address, '/etc/hostname', signal),
    ).rejects.toMatchObject({
      exitCode: 77,
      message: expect.stringContaining('has changed'),
    })
  })

  test('names hashed by OpenSSH are pins too', async () => {
    const file = join(lab.home, 'hashed-known-hosts')
    writeFileSync(file, readFileSync(lab.knownHostsFile))
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
    expect(await host({ knownHostsFile: file }).readFile(address, '/etc/hostname', signal)).toBe('n1\n')
  })

  test('ssh-agent logs in without any file', async () => {
    const socket = join(lab.home, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => {
      agent.kill()
    })
    await once(agent.stdout, 'data')
    execFileSync('ssh-add', ['-q', lab.identityFile], {
      env: { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket },
    })
    const home = join(lab.home, 'empty')
    expect(existsSync(home)).toBe(false)
    const byAgent = host({ identityFiles: [], agentSocket: socket, home })
    expect(await byAgent.readFile(address, '/etc/hostname', signal)).toBe('n1\n')
  })

  test('a key with a passphrase is opened by who knows it, and nobody else', async () => {
    const file = join(lab.home, 'locked')
    copyFileSync(lab.identityFile, file)
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'CANARY-phrase', '-f', file])
    const asked: string[] = []
    const answers = ['wrong', 'CANARY-phrase']
    const askPassphrase = async (name: string) => {
      asked.push(name)
      return answers.shift()
    }
    const open = host({ identityFiles: [file], askPassphrase })
    await open.openNamedKeys()
    expect(await open.readFile(address, '/etc/hostname', signal)).toBe('n1\n')
    expect(asked).toEqual([file, file])
    await expect(
      host({ identityFiles: [file] }).readFile(address, '/etc/hostname', signal),
    ).rejects.toMatchObject({
      exitCode: 77,
      message: `cannot use the SSH key ${file}: it needs a passphrase`,
      hint: expect.stringContaining(`ssh-add ${file}`),
    })
    const never = host({ identityFiles: [file], askPassphrase: async () => 'no' })
    await expect(never.openNamedKeys()).rejects.toThrow('the passphrase is wrong')
  })

  describe('with ~/.ssh/config', () => {
    const config = (text: string): string => {
      const file = join(lab.home, `config-${text.length}`)
      writeFileSync(file, text)
      return file
    }

    test('a name stands for an address, with its own key', async () => {
      const key = join(lab.home, 'own-key')
      copyFileSync(lab.identityFile, key)
      const configFile = config(`Host till-*\n  HostName 127.0.0.1\n  IdentityFile ~/own-key\n`)
      const named = host({ configFile, identityFiles: [], home: lab.home })
      expect(await named.readFile({ ...address, host: 'till-7' }, '/etc/hostname', signal)).toBe('n1\n')
    })

    test('a host behind another one is reached through it, and both keys are checked', async () => {
      const jump = await jumpServer(lab)
      const configFile = config(
        `Host behind\n  HostName 127.0.0.1\n  ProxyJump me@gate:${jump.port}\nHost gate\n  HostName 127.0.0.1\n`,
      )
      const behind = { ...address, host: 'behind' }
      const pinned = join(lab.home, 'known-with-gate')
      writeFileSync(
        pinned,
        `${readFileSync(lab.knownHostsFile, 'utf8')}[127.0.0.1]:${jump.port} ${jump.publicKey}\n`,
      )
      const through = host({ configFile, knownHostsFile: pinned })
      expect(await through.readFile(behind, '/etc/hostname', signal)).toBe('n1\n')
      expect(jump.forwarded()).toEqual([`127.0.0.1:${address.port}`])

      await expect(host({ configFile }).readFile(behind, '/etc/hostname', signal)).rejects.toMatchObject({
        exitCode: 77,
        message: expect.stringContaining(`the SSH host key of gate (127.0.0.1:${jump.port}) is not known`),
      })
    })

    test('no way leads through a k3OS node, and that is said', async () => {
      const configFile = config(
        `Host other\n  HostName 127.0.0.1\n  ProxyJump rancher@127.0.0.1:${address.port}\n`,
      )
      const refused = host({ configFile }).readFile({ ...address, host: 'other' }, '/etc/hostname', signal)
      await expect(refused).rejects.toMatchObject({
        exitCode: 77,
        message: expect.stringMatching(/lets nobody through to .*: its sshd forwards nothing$/),
        hint: expect.stringContaining('AllowTcpForwarding no'),
      })
    })

    test('a setting that is needed and not supported is named with its line', async () => {
      const configFile = config(`Host odd\n  ProxyCommand nc %h %p\n`)
      await expect(
        host({ configFile }).readFile({ ...address, host: 'odd' }, '/etc/hostname', signal),
      ).rejects.toMatchObject({
        exitCode: 64,
        message: expect.stringContaining(`not supported: ${configFile}:2: ProxyCommand`),
      })
    })
  })
})

/** A host that forwards what it is asked to. */
async function jumpServer(
  lab: SshLab,
): Promise<{ port: number; publicKey: string; forwarded: () => string[] }> {
  const forwarded: string[] = []
  const server = new ssh2.Server({ hostKeys: [readFileSync(lab.identityFile)] }, (connection) => {
    connection.on('error', () => undefined)
    connection.on('authentication', (context) => context.accept())
    connection.on('tcpip', (accept, _reject, { destIP, destPort }) => {
      forwarded.push(`${destIP}:${destPort}`)
      const channel = accept()
      const socket = connect(destPort, destIP)
      for (const end of [channel, socket]) end.on('error', () => undefined)
      channel.pipe(socket).pipe(channel)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  const [type, key] = readFileSync(`${lab.identityFile}.pub`, 'utf8').split(' ')
  const { port } = server.address() as AddressInfo
  return { port, publicKey: `${type} ${key}`, forwarded: () => forwarded }
}

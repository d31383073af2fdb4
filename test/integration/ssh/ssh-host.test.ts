import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
})

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bundle } from '../../src/core/bundle.ts'
import { buildK3osRoot, labFile } from './k3os-root.ts'
import { freePorts, startProcesses, until } from './lab-processes.ts'

export { missingForK3osRoot } from './k3os-root.ts'

/** Nodes behind real sshds, and the home of the person who reaches them. */
export interface SshLab {
  /** `HOME` of the person: nothing of the real one is used. */
  readonly home: string
  /** Private key that every node accepts. */
  readonly identityFile: string
  /** A `known_hosts` that trusts the nodes started so far. */
  readonly knownHostsFile: string
  startNode(name: string, node: Bundle, options?: { readonly sudo?: boolean }): Promise<SshNode>
  stop(): Promise<void>
}

export interface SshNode {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Its root, to look at or change from outside. */
  readonly root: string
  readonly publicKey: string
  /** Ends sshd; the port refuses from then on. */
  stop(): Promise<void>
}

export function startSshLab(): SshLab {
  const directory = mkdtempSync(join(tmpdir(), 'k3os-ssh-'))
  const processes = startProcesses(directory)
  const home = join(directory, 'home')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  const identityFile = join(home, '.ssh', 'id_ed25519')
  generateKey(identityFile)
  const knownHostsFile = join(home, '.ssh', 'known_hosts')
  writeFileSync(knownHostsFile, '', { mode: 0o600 })

  return {
    home,
    identityFile,
    knownHostsFile,
    stop: async () => processes.stop(),
    async startNode(name, node, options = {}) {
      const root = join(directory, name)
      mkdirSync(root, { mode: 0o755 })
      buildK3osRoot(root, node, { sudo: options.sudo ?? true })

      const keys = join(root, 'var/lib/rancher/k3os/ssh')
      mkdirSync(keys, { recursive: true })
      // The data may name a key of its own; sshd needs a real one.
      execFileSync('rm', ['-f', join(keys, 'ssh_host_ed25519_key'), join(keys, 'ssh_host_ed25519_key.pub')])
      generateKey(join(keys, 'ssh_host_ed25519_key'))
      const publicKey = readFileSync(join(keys, 'ssh_host_ed25519_key.pub'), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' ')
      const authorized = join(root, 'home/rancher/.ssh/authorized_keys')
      // The data's last line may be open.
      writeFileSync(authorized, `\n${readFileSync(`${identityFile}.pub`, 'utf8')}`, {
        flag: 'a',
        mode: 0o600,
      })
      execFileSync('chown', ['1000:1000', authorized])

      const { port } = await freePorts('port')
      const config = join(root, 'lab-sshd_config')
      writeFileSync(config, readFileSync(labFile('sshd_config')))
      const listen = ['-o', `ListenAddress=127.0.0.1`, '-p', String(port)]
      const args = [root, '/usr/sbin/sshd', '-D', '-e', '-f', '/lab-sshd_config', ...listen]
      const child = processes.start(name, 'chroot', args)
      const log = join(directory, `${name}.log`)
      await until(`sshd of ${name} listens`, AbortSignal.timeout(20_000), async () => {
        processes.check()
        return readFileSync(log, 'utf8').includes('Server listening')
      })
      const host = '127.0.0.1'
      writeFileSync(knownHostsFile, `[${host}]:${port} ${publicKey}\n`, { flag: 'a' })
      return { name, host, port, root, publicKey, stop: async () => processes.kill(child) }
    },
  }
}

function generateKey(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file])
  chmodSync(file, 0o600)
}

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  /**
   * Many nodes of one kind, each with its own sshd, host key, host name and identities; the programs are shared. Names are
   * `n1`, `n2`, …. `prepare` adds to what they share.
   */
  startFleet(count: number, node: Bundle, prepare?: (root: string) => void): Promise<readonly SshNode[]>
  startNode(name: string, node: Bundle, options?: { readonly sudo?: boolean }): Promise<SshNode>
  stop(): Promise<void>
}

export interface SshNode {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Its root, to look at or change from outside. */
  readonly root: string
  /** What its sshd says: each connection and each session among it. */
  readonly log: string
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

  async function startSshd(name: string, root: string, publicKey: string): Promise<SshNode> {
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
    return { name, host, port, root, log, publicKey, stop: async () => processes.kill(child) }
  }

  return {
    home,
    identityFile,
    knownHostsFile,
    stop: async () => processes.stop(),
    async startNode(name, node, options = {}) {
      const root = join(directory, name)
      mkdirSync(root, { mode: 0o755 })
      buildK3osRoot(root, node, { sudo: options.sudo ?? true })

      const publicKey = newHostKey(root)
      const authorized = join(root, 'home/rancher/.ssh/authorized_keys')
      // The data's last line may be open.
      writeFileSync(authorized, `\n${readFileSync(`${identityFile}.pub`, 'utf8')}`, {
        flag: 'a',
        mode: 0o600,
      })
      execFileSync('chown', ['1000:1000', authorized])

      return startSshd(name, root, publicKey)
    },
    async startFleet(count, node, prepare) {
      const base = join(directory, 'base')
      mkdirSync(base, { mode: 0o755 })
      buildK3osRoot(base, node, { sudo: true })
      prepare?.(base)
      const authorized = join(base, 'home/rancher/.ssh/authorized_keys')
      writeFileSync(authorized, readFileSync(`${identityFile}.pub`), { mode: 0o600 })
      execFileSync('chown', ['1000:1000', authorized])
      const nodes: SshNode[] = []
      for (let number = 1; number <= count; number += 1) {
        const name = `n${number}`
        const root = join(directory, name)
        execFileSync('cp', ['-al', base, root])
        const own = {
          'proc/sys/kernel/hostname': `${name}\n`,
          'proc/sys/kernel/random/boot_id': `boot-of-${name}\n`,
          'sys/class/dmi/id/product_uuid': `uuid-of-${name}\n`,
        }
        for (const [path, text] of Object.entries(own)) {
          // A new file in place of the link that all nodes share.
          rmSync(join(root, path), { force: true })
          writeFileSync(join(root, path), text)
        }
        nodes.push(await startSshd(name, root, newHostKey(root)))
      }
      return nodes
    },
  }
}

/** The data may name a key of its own; sshd needs a real one. */
function newHostKey(root: string): string {
  const keys = join(root, 'var/lib/rancher/k3os/ssh')
  mkdirSync(keys, { recursive: true })
  const file = join(keys, 'ssh_host_ed25519_key')
  for (const path of [file, `${file}.pub`]) rmSync(path, { force: true })
  generateKey(file)
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
}

function generateKey(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', file])
  chmodSync(file, 0o600)
}

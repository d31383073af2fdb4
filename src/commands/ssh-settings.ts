import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { SshOptions } from '../adapters/ssh.ts'
import { sshQuestions } from './ssh-questions.ts'
import type { CommandIo } from './io.ts'

export interface SshFlags {
  readonly identity?: string | undefined
  readonly knownHosts?: string | undefined
  /** Milliseconds for one command on a node. */
  readonly timeout?: number
}

/** Where keys and known hosts are, from flags and environment; a new host key is asked about on a terminal only. */
export function sshSettings(flags: SshFlags, io: CommandIo): SshOptions {
  const home = io.env['HOME'] ?? homedir()
  const commandTimeoutMs = flags.timeout ?? 60_000
  return {
    knownHostsFile:
      flags.knownHosts === undefined ? join(home, '.ssh', 'known_hosts') : resolve(io.cwd, flags.knownHosts),
    identityFiles: flags.identity === undefined ? [] : [resolve(io.cwd, flags.identity)],
    agentSocket: io.env['SSH_AUTH_SOCK'],
    home,
    connectTimeoutMs: Math.min(10_000, commandTimeoutMs),
    commandTimeoutMs,
    configFile: join(home, '.ssh', 'config'),
    ...(io.interactive ? sshQuestions(io) : {}),
  }
}

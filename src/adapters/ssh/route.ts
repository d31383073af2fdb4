import { userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { parseHost } from '../../core/hosts-file.ts'
import { parseSshConfig, type SshConfig, sshWay } from '../../core/ssh-config.ts'
import type { HostAddress } from '../../migrate/ports.ts'
import { readIfPresent } from '../files.ts'
import { converse, type Ending, type Peer, type Request } from './conversation.ts'
import { type Identities, type IdentityOptions, loadIdentities } from './identities.ts'
import { openJump } from './jump.ts'
import { knownHostsReader } from './known-hosts-file.ts'
import { placeOf } from './refusals.ts'

export interface RouteOptions extends IdentityOptions {
  readonly knownHostsFile: string
  /** OpenSSH's own; a missing one says nothing. */
  readonly configFile?: string
  /** To be logged in, on each host of the way. */
  readonly connectTimeoutMs: number
}

export interface Routes {
  converse(address: HostAddress, request: Request, signal: AbortSignal): Promise<Ending>
  /** Opens the key files that the user named. One that cannot be used is one mistake, not one of each host (exit 77). */
  openNamedKeys(): Promise<void>
}

/** Has a conversation with a host by the way that the SSH configuration says: other name, other keys, through other hosts. */
export function routes(options: RouteOptions): Routes {
  let read: Promise<SshConfig | undefined> | undefined
  const readKnownHosts = knownHostsReader(options.knownHostsFile)
  const opened = new Map<string, Promise<Identities>>()
  const identitiesOf = async (files: readonly string[]): Promise<Identities> => {
    const key = options.identityFiles.length > 0 ? '' : files.join('\n')
    const identities = opened.get(key) ?? loadIdentities(options, files)
    opened.set(key, identities)
    return identities
  }

  const talk: Routes['converse'] = async (address, request, signal) => {
    read ??= readSshConfig(options.configFile)
    const config = await read
    const known = await readKnownHosts()
    const peerOf = async (to: HostAddress): Promise<Peer> => {
      const way = sshWay(config, to.host)
      const [unsupported] = way.unsupported
      if (unsupported !== undefined) throw notSupported(to, unsupported)
      return {
        address: { ...to, host: way.hostName ?? to.host },
        identities: await identitiesOf(way.identityFiles.map((file) => absolute(file, options.home))),
        known,
        connectTimeoutMs: options.connectTimeoutMs,
      }
    }

    const hops = await Promise.all([
      ...sshWay(config, address.host).jumps.map(async (jump) => peerOf(jumpAddress(jump, config))),
      peerOf(address),
    ])
    const closers: (() => void)[] = []
    try {
      let sock: Peer['sock']
      for (const [index, hop] of hops.entries()) {
        const peer = sock === undefined ? hop : { ...hop, sock }
        const next = hops[index + 1]
        if (next === undefined) return await converse(peer, request, signal)
        const jump = await openJump(peer, next.address, signal)
        if (jump.status === 'host-key') return jump
        closers.push(() => jump.close())
        sock = jump.sock
      }
      throw new TypeError('a way has a host at its end')
    } finally {
      for (const close of closers.toReversed()) close()
    }
  }
  return {
    converse: talk,
    async openNamedKeys() {
      if (options.identityFiles.length > 0) await identitiesOf([])
    },
  }
}

/** Undefined when there is no such file. */
export async function readSshConfig(file: string | undefined): Promise<SshConfig | undefined> {
  const bytes = file === undefined ? undefined : await readIfPresent(file)
  return bytes === undefined || file === undefined
    ? undefined
    : parseSshConfig(new TextDecoder().decode(bytes), file)
}

/** A jump host has settings of its own; only its own ProxyJump does not count, as the list names the whole way. */
function jumpAddress(text: string, config: SshConfig | undefined): HostAddress {
  const { user, host, port } = parseHost(text)
  const way = sshWay(config, host)
  return { name: host, host, port: port ?? way.port ?? 22, user: user ?? way.user ?? userInfo().username }
}

function absolute(file: string, home: string): string {
  const path = file.replace(/^~(?=\/|$)/, home).replaceAll('%d', home)
  return isAbsolute(path) ? path : join(home, '.ssh', path)
}

function notSupported(to: HostAddress, setting: string): MigrateError {
  return new MigrateError(`${placeOf(to)} is reached by a setting that is not supported: ${setting}`, {
    exitCode: exitCode.usage,
    hint: 'HostName, User, Port, IdentityFile and ProxyJump are; name the host by its address to leave the file out',
  })
}

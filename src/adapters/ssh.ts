import { exitCode, MigrateError } from '../core/errors.ts'
import { keyFingerprint } from '../core/facts/ssh-keys.ts'
import { maxBundleBytes } from '../core/bundle.ts'
import { keyType } from '../core/known-hosts.ts'
import { sh } from '../core/shell.ts'
import type { Host, HostAddress, HostControl } from '../migrate/ports.ts'
import { collectorScript, fingerprintScript, nodeScript } from './collector.ts'
import type { Ending, Request } from './ssh/conversation.ts'
import { rememberHostKey } from './ssh/known-hosts-file.ts'
import { hostKeyRefused, placeOf } from './ssh/refusals.ts'
import { type RouteOptions, type Routes, routes } from './ssh/route.ts'

export interface SshOptions extends RouteOptions {
  /** For one command that only reads. */
  readonly commandTimeoutMs: number
  /** Asks a person whether to trust a key never seen before; absent = nobody can be asked, so it is refused. */
  readonly confirmHostKey?: (key: NewHostKey) => Promise<boolean>
}

export interface NewHostKey {
  /** `n1 (10.0.0.5)`. */
  readonly place: string
  readonly type: string
  readonly fingerprint: string
  readonly knownHostsFile: string
}

export type SshHost = Host & HostControl & Pick<Routes, 'openNamedKeys'>

const maxFileBytes = 1024 * 1024
const absentExit = 44

/**
 * Nodes over SSH: one connection for each call, so that nothing is left open between steps. Host keys are pinned by
 * `known_hosts`. Failures are MigrateErrors: 77 for keys and sudo, 74 for the way there and connections that died.
 */
export function sshHost(options: SshOptions): SshHost {
  const route = routes(options)
  const run = async (address: HostAddress, request: Request, signal: AbortSignal): Promise<Answer> => {
    // One key may have to be confirmed for each host on the way.
    for (;;) {
      const ending = await route.converse(address, request, signal)
      if (ending.status === 'answered') return ending
      if (!(await isTrusted(ending)))
        throw hostKeyRefused(ending.at, ending.offered, ending.verdict, options.knownHostsFile)
      await rememberHostKey(options.knownHostsFile, ending.offered)
    }
  }
  const isTrusted = async (ending: Ending & { status: 'host-key' }): Promise<boolean> => {
    if (ending.verdict.status !== 'unknown' || options.confirmHostKey === undefined) return false
    return options.confirmHostKey({
      place: placeOf(ending.at),
      type: keyType(ending.offered.key),
      fingerprint: keyFingerprint(ending.offered.key),
      knownHostsFile: options.knownHostsFile,
    })
  }

  const inPlace = async (
    address: HostAddress,
    words: readonly string[],
    input: Request['stdin'],
    /** undefined: as long as a disk and the network take, bounded by the caller's signal. */
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): Promise<string> => {
    const request = {
      what: `${words[0]} of a move in place`,
      command: asRoot(['sh', '-c', nodeScript(), 'sh', ...words]),
      stdin: input,
      timeoutMs,
      maxBytes: maxFileBytes,
    }
    const { stdout } = expectSuccess(address, request, await run(address, request, signal))
    return new TextDecoder().decode(stdout)
  }

  return {
    openNamedKeys: async () => route.openNamedKeys(),

    async collect(address, signal) {
      const request = {
        what: 'reading the node',
        command: 'sh -s',
        stdin: collectorScript(),
        timeoutMs: options.commandTimeoutMs,
        maxBytes: maxBundleBytes,
      }
      if (address.user !== 'root') {
        const { exit, stdout } = await run(address, { ...request, command: 'sudo -n sh -s' }, signal)
        if (exit === 0) return stdout
      }
      // Reading without root is better than not reading: the collector says what it could not see.
      return expectSuccess(address, request, await run(address, request, signal)).stdout
    },

    async readFile(address, path, signal) {
      const request = {
        what: `reading ${path}`,
        command: asRoot(['sh', '-c', readScript, 'sh', path]),
        stdin: '',
        timeoutMs: options.commandTimeoutMs,
        maxBytes: maxFileBytes,
      }
      const answer = await run(address, request, signal)
      if (answer.exit === absentExit) return undefined
      return new TextDecoder().decode(expectSuccess(address, request, answer).stdout)
    },

    async writeFile(address, path, content, signal) {
      const length = new TextEncoder().encode(content).length
      const request = {
        what: `writing ${path}`,
        command: asRoot(['sh', '-c', writeScript, 'sh', path, String(length)]),
        stdin: content,
        timeoutMs: options.commandTimeoutMs,
        maxBytes: maxFileBytes,
      }
      expectSuccess(address, request, await run(address, request, signal))
    },

    async fingerprint(address, directories, signal) {
      const request = {
        what: 'fingerprinting data',
        command: asRoot(['sh', '-s', '--', ...directories]),
        stdin: fingerprintScript(),
        // As long as the data takes; the caller's signal bounds it.
        timeoutMs: undefined,
        maxBytes: maxFileBytes,
      }
      const { stdout } = expectSuccess(address, request, await run(address, request, signal))
      const lines = new TextDecoder().decode(stdout).split('\n')
      const digests = directories.map((directory) => {
        const line = lines.find((text) => text.slice(text.indexOf(' ') + 1) === directory)
        const [, digest] = /^(absent|sha256:[0-9a-f]{64}) /.exec(line ?? '') ?? []
        if (digest === undefined) throw failed(address, request, `no answer for ${directory}`)
        return [directory, digest] as const
      })
      return Object.fromEntries(digests)
    },

    askInPlace: async (address, words, signal) =>
      inPlace(address, words, '', options.commandTimeoutMs, signal),
    actInPlace: async (address, words, input, signal) => inPlace(address, words, input, undefined, signal),
  }
}

type Answer = Ending & { status: 'answered' }

const readScript = `[ -e "$1" ] || [ -L "$1" ] || exit ${absentExit}; cat <"$1"`

// The length guards against a connection that dies on the way: half a file must never take the place of a whole one.
const writeScript = [
  'set -e',
  'directory=$(dirname "$1")',
  'mkdir -p "$directory"',
  'umask 077',
  'new=$(mktemp "$directory/.k3os-migrate.XXXXXX")',
  `trap 'rm -f "$new"' EXIT`,
  'cat >"$new"',
  '[ "$(wc -c <"$new")" -eq "$2" ] || { echo "the text arrived incomplete" >&2; exit 1; }',
  'mv -f "$new" "$1"',
  'sync',
].join('\n')

function asRoot(words: readonly string[]): string {
  return commandLine('[ "$(id -u)" = 0 ] || exec sudo -n "$@"; exec "$@"', words)
}

function commandLine(script: string, words: readonly string[]): string {
  return ['sh', '-c', script, 'sh', ...words].map(sh).join(' ')
}

function expectSuccess(address: HostAddress, request: Request, answer: Answer): Answer {
  if (answer.exit === 0) return answer
  const last =
    answer.stderr
      .trimEnd()
      .split('\n')
      .at(-1)
      ?.replaceAll(/[^ -~]/g, '?')
      .slice(0, 200) ?? ''
  throw failed(address, request, last === '' ? `exit status ${answer.exit}` : last)
}

function failed(address: HostAddress, request: Request, reason: string): MigrateError {
  const noSudo = reason.startsWith('sudo:')
  return new MigrateError(`${placeOf(address)}: ${request.what} failed: ${reason}`, {
    exitCode: noSudo ? exitCode.permission : exitCode.io,
    hint: noSudo
      ? `let ${address.user} use sudo without a password, or log in as root with --user root`
      : 'look at the machine, then run the command again',
  })
}

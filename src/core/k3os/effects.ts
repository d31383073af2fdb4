import { childPath, configPath, leaves } from '../path.ts'
import type { K3osConfig, K3osFile } from './config.ts'
import { compareBytes } from './compare.ts'
import { k3sInstallation } from './k3s-installation.ts'
import { cleanPath, planFile } from './planned-file.ts'
import { fetchedFrom } from './ssh-key.ts'

/**
 * What k3OS does with a merged configuration in one phase, as data. The order of `effects` is the order in which k3OS
 * acts (rancher/k3os pkg/cc/apply.go). Translators read them, an applier executes them; nobody derives them again.
 */
export type Phase = 'initrd' | 'boot' | 'runtime' | 'install'

/** Every effect names the configuration values it comes from, so that a translator can account for each leaf. */
interface Origin {
  readonly from: readonly string[]
}

export type Effect = Origin &
  /**
   * Skipped when a module named exactly `name` and `parameters` with blanks between is loaded, so never one with
   * parameters. The first that fails ends the modules.
   */
  (
    | { readonly kind: 'module'; readonly name: string; readonly parameters: readonly string[] }
    /** `file` is below `/proc/sys`, with slashes: `net/ipv4/ip_forward`. The first that fails ends the sysctls. */
    | { readonly kind: 'sysctl'; readonly key: string; readonly file: string; readonly value: string }
    /** Sets the kernel's name and `/etc/hostname`, and changes `/etc/hosts` by `renameInHosts`. */
    | { readonly kind: 'hostname'; readonly name: string }
    /** `mode` is 0-0o777; `owner` is what `chown` gets, '' for none. `content` are bytes after decoding. */
    | {
        readonly kind: 'file'
        readonly path: string
        readonly mode: number
        readonly owner: string
        readonly content: Uint8Array
      }
    /** Merged into `/etc/environment` by `mergeEnvironment`. */
    | { readonly kind: 'environment'; readonly variables: Readonly<Record<string, string>> }
    /** For `sh -c`; the first that fails ends its list. */
    | {
        readonly kind: 'command'
        readonly list: 'init_cmd' | 'boot_cmd' | 'run_cmd'
        readonly command: string
      }
    /** `/etc/connman/main.conf`; servers are fallbacks only, used when DHCP or a static service gives none. */
    | {
        readonly kind: 'fallback-servers'
        readonly nameservers: readonly string[]
        readonly timeservers: readonly string[]
      }
    | {
        readonly kind: 'wifi'
        readonly networks: readonly { readonly name: string; readonly passphrase: string }[]
      }
    | {
        readonly kind: 'password'
        readonly user: string
        readonly password: string
        readonly encrypted: boolean
      }
    /** `url` is set when the entry must be fetched at runtime (`github:`, `gitlab:`, http). */
    | { readonly kind: 'ssh-key'; readonly user: string; readonly key: string; readonly url: string | null }
    | { readonly kind: 'data-sources'; readonly names: readonly string[] }
    | {
        readonly kind: 'k3s'
        readonly program: string
        readonly args: readonly string[]
        readonly environment: Readonly<Record<string, string>>
      }
    | { readonly kind: 'installer' }
    /** k3OS logs this message and goes on: a file it skips, a key it cannot fetch. */
    | { readonly kind: 'error'; readonly message: string }
  )

export interface EffectsContext {
  readonly phase: Phase
  /** Content of `/run/k3os/mode`; '' when unknown. */
  readonly mode: string
  /** `v0.22.2-k3s2r0`: value of the label `k3os.io/version`. */
  readonly k3osVersion: string
  /** Whether `/sbin/k3s` exists; without it the k3s service is not written at boot. */
  readonly hasK3s: boolean
}

/** The only account k3OS has; SSH keys and the password are set for it. */
export const k3osUser = 'rancher'
/** The name server k3OS falls back to when none is configured. */
const defaultNameserver = '8.8.8.8'

type Applier = (config: K3osConfig, context: EffectsContext) => Effect[]

/** rancher/k3os pkg/cc/apply.go: which appliers run in a phase, and in which order. */
const appliers: Readonly<Record<Phase, readonly Applier[]>> = {
  initrd: [modules, sysctls, hostname, writeFiles, environment, commands('init_cmd', 'initCmd')],
  boot: [
    dataSources,
    modules,
    sysctls,
    hostname,
    fallbackServers,
    wifi,
    password,
    sshKeys,
    k3s,
    writeFiles,
    environment,
    commands('boot_cmd', 'bootCmd'),
  ],
  runtime: [
    modules,
    sysctls,
    hostname,
    fallbackServers,
    wifi,
    password,
    sshKeys,
    writeFiles,
    environment,
    commands('run_cmd', 'runCmd'),
    installer,
    k3s,
  ],
  install: [k3s],
}

/** What k3OS does with a merged configuration in one phase, in its order. Pure and total. */
export function effects(config: K3osConfig, context: EffectsContext): readonly Effect[] {
  return appliers[context.phase].flatMap((applier) => applier(config, context))
}

function modules(config: K3osConfig): Effect[] {
  return (config.k3os.modules ?? []).map((module, index) => {
    const [name = '', ...parameters] = module.split(' ')
    return { kind: 'module', name, parameters, from: [configPath('k3os', 'modules', index)] }
  })
}

/** k3OS goes through them in random order; we take the order of their keys. */
function sysctls(config: K3osConfig): Effect[] {
  return Object.entries(config.k3os.sysctls ?? {})
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([key, value]) => {
      const file = cleanPath(key.split('.').join('/')).slice(1)
      return { kind: 'sysctl', key, file, value, from: [configPath('k3os', 'sysctls', key)] }
    })
}

function hostname(config: K3osConfig): Effect[] {
  return config.hostname === undefined
    ? []
    : [{ kind: 'hostname', name: config.hostname, from: ['hostname'] }]
}

function writeFiles(config: K3osConfig): Effect[] {
  return (config.writeFiles ?? []).map((file, index) => writeFile(file, index))
}

function writeFile(file: K3osFile, index: number): Effect {
  const from = leaves(file, configPath('writeFiles', index)).map(([path]) => path)
  const planned = planFile(file)
  if (!('stage' in planned)) return { kind: 'file', ...planned, from }
  const message =
    planned.stage === 'decode'
      ? `failed to decode content from write_files item [${index}]: ${planned.problem}`
      : 'failed to write file'
  return { kind: 'error', message, from }
}

function environment(config: K3osConfig): Effect[] {
  const variables = config.k3os.environment
  if (variables === undefined) return []
  const from = Object.keys(variables).map((name) => configPath('k3os', 'environment', name))
  return [{ kind: 'environment', variables, from }]
}

function commands(list: 'init_cmd' | 'boot_cmd' | 'run_cmd', key: 'initCmd' | 'bootCmd' | 'runCmd'): Applier {
  return (config) =>
    (config[key] ?? []).map((command, index) => ({
      kind: 'command',
      list,
      command,
      from: [configPath(key, index)],
    }))
}

function dataSources(config: K3osConfig): Effect[] {
  const names = config.k3os.dataSources
  return names === undefined ? [] : [{ kind: 'data-sources', names, from: elements('dataSources', names) }]
}

function elements(key: keyof K3osConfig['k3os'], values: readonly unknown[]): string[] {
  return values.map((_, index) => configPath('k3os', key, index))
}

/** Written in every boot and runtime phase, configured or not. */
function fallbackServers(config: K3osConfig): Effect[] {
  const { dnsNameservers, ntpServers = [] } = config.k3os
  const from = [...elements('dnsNameservers', dnsNameservers ?? []), ...elements('ntpServers', ntpServers)]
  const nameservers = dnsNameservers ?? [defaultNameserver]
  return [{ kind: 'fallback-servers', nameservers, timeservers: ntpServers, from }]
}

function wifi(config: K3osConfig): Effect[] {
  const configured = config.k3os.wifi
  if (configured === undefined) return []
  const networks = configured.map(({ name = '', passphrase = '' }) => ({ name, passphrase }))
  return [{ kind: 'wifi', networks, from: leaves(configured, 'k3os.wifi').map(([path]) => path) }]
}

function password(config: K3osConfig): Effect[] {
  const value = config.k3os.password
  if (value === undefined) return []
  const encrypted = value.startsWith('$')
  return [{ kind: 'password', user: k3osUser, password: value, encrypted, from: ['k3os.password'] }]
}

/** Keys to fetch are passed over until there is a network. */
function sshKeys(config: K3osConfig, context: EffectsContext): Effect[] {
  return (config.sshAuthorizedKeys ?? []).flatMap((key, index): Effect[] => {
    const from = [childPath('sshAuthorizedKeys', index)]
    const source = fetchedFrom(key)
    if (source === null) return key === '' ? [] : [{ kind: 'ssh-key', user: k3osUser, key, url: null, from }]
    if (context.phase === 'boot') return []
    if (source.url === null)
      return [
        { kind: 'error', message: `failed to authorize SSH key ${key}: unsupported protocol scheme`, from },
      ]
    return [{ kind: 'ssh-key', user: k3osUser, key, url: source.url, from }]
  })
}

function installer(config: K3osConfig, context: EffectsContext): Effect[] {
  if (context.mode !== 'install') return []
  const { install } = config.k3os
  const from = install === undefined ? [] : leaves(install, 'k3os.install').map(([path]) => path)
  return [{ kind: 'installer', from }]
}

function k3s(config: K3osConfig, context: EffectsContext): Effect[] {
  const installation = k3sInstallation(config, context)
  return installation === null ? [] : [{ kind: 'k3s', ...installation }]
}

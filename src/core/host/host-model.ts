import type { Finding } from '../findings.ts'
import type { KubeNode, NodeFacts } from '../inventory.ts'
import type { K3osConfig } from '../k3os/config.ts'
import { k3osUser, type Effect } from '../k3os/effects.ts'
import { k3sModel } from '../k3s/model.ts'
import type { NodeSecrets } from '../node-secrets.ts'
import { configPath, entriesOf, leaves, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import { readConnman } from './connman-sources.ts'
import { alpineToolsIn } from './commands.ts'
import { goneSysctls, k3osSysctls } from './defaults.ts'
import { hostEnvironment } from './environment.ts'
import { filePurpose, unwritableReason } from './files.ts'
import type { HostCommand, HostFile, HostModel, Traced } from './model.ts'
import { networkModel } from './network.ts'

export interface HostSource {
  /** For findings. */
  readonly node: string
  readonly config: K3osConfig
  /** What k3OS does before the network is up, and after it. */
  readonly boot: readonly Effect[]
  readonly runtime: readonly Effect[]
  readonly facts: NodeFacts | null
  readonly secrets: NodeSecrets | null
  readonly nodeObject?: KubeNode | null
  /** `/var/lib/connman/*.config` as they lie on the node; null when nobody looked. */
  readonly connmanFiles?: readonly { readonly path: string; readonly text: string }[] | null
}

/** What the node must be on any target: k3OS's effects plus what only the machine knows. Pure; never guesses silently. */
export function hostModel(source: HostSource): HostModel {
  const { node, config, facts, secrets, runtime, boot } = source
  const findings: Finding[] = []
  // Both phases do most things; what only the boot phase does (boot_cmd, data sources) comes first.
  const phases = [...boot.filter((effect) => !runtime.some((later) => sameEffect(effect, later))), ...runtime]

  const files = readFiles(node, phases, findings)
  const commands = readCommands(phases)
  reportDropped(node, config, phases, findings)
  const { environment, findings: environmentFindings } = hostEnvironment(
    node,
    files.findLast((file) => file.purpose === 'environment'),
    phases,
  )
  const hostname = readHostname(source, phases, findings)
  const connman = readConnman(source, files, phases, findings)
  const network = networkModel({ node, ...connman, commands, interfaces: facts?.interfaces ?? null })
  const k3s = k3sModel({
    node,
    config,
    effect: phases.findLast((effect) => effect.kind === 'k3s') ?? null,
    environment,
    files,
    hostname: hostname?.value ?? null,
    version: facts?.k3s.version ?? null,
    nodeObject: source.nodeObject ?? null,
    nodePassword: secrets?.nodePassword ?? null,
    registriesYaml: secrets?.registriesYaml ?? null,
  })
  return {
    hostname,
    user: readUser(source, phases, findings),
    files: files.filter((file) => !k3s.absorbed.includes(file)),
    commands,
    modules: phases.flatMap((effect) =>
      effect.kind === 'module'
        ? [{ value: effect.name, parameters: effect.parameters, from: effect.from }]
        : [],
    ),
    sysctls: readSysctls(node, phases, findings),
    environment,
    fallbackNameservers: connman.nameservers,
    fallbackTimeservers: [...connman.timeservers, ...network.timeservers],
    network: network.network,
    k3s: k3s.k3s,
    sshHostKeys: secrets?.sshHostKeys ?? [],
    findings: [...findings, ...environmentFindings, ...network.findings, ...k3s.findings],
  }
}

function sameEffect(a: Effect, b: Effect): boolean {
  return a.kind === b.kind && a.kind !== 'error' && a.from.join('\n') === b.from.join('\n')
}

function readFiles(node: string, effects: readonly Effect[], findings: Finding[]): HostFile[] {
  // The last entry for a path wins, as it is written last.
  const byPath = new Map<string, HostFile>()
  for (const effect of effects) {
    if (effect.kind !== 'file') continue
    const { path, mode, owner, content, from } = effect
    const message = `${path} is written again by a later entry`
    for (const replaced of entriesOf(byPath.get(path)?.from ?? []))
      findings.push(translateFinding('TRN-SKIPPED-BY-K3OS', { message }, { node, path: replaced }))
    byPath.delete(path)
    byPath.set(path, { path, mode, owner, content, from, purpose: filePurpose(path) })
  }
  const files = [...byPath.values()]
  for (const file of files) {
    if (file.purpose !== 'unwritable') continue
    const facts = { file: file.path, reason: unwritableReason(file.path) ?? '' }
    for (const path of entriesOf(file.from))
      findings.push(translateFinding('TRN-FILE-UNWRITABLE', facts, { node, path }))
  }
  return files.filter((file) => file.purpose !== 'unwritable')
}

function readCommands(effects: readonly Effect[]): HostCommand[] {
  return effects.flatMap((effect) =>
    effect.kind === 'command' && effect.list !== 'init_cmd'
      ? [
          {
            when: effect.list === 'boot_cmd' ? 'boot' : 'run',
            command: effect.command,
            alpineTools: alpineToolsIn(effect.command),
            from: effect.from,
          } as const,
        ]
      : [],
  )
}

/** Keys that end with k3OS, and what k3OS itself does not do. */
function reportDropped(
  node: string,
  config: K3osConfig,
  effects: readonly Effect[],
  findings: Finding[],
): void {
  for (const index of (config.initCmd ?? []).keys())
    findings.push(translateFinding('TRN-INIT-CMD', undefined, { node, path: configPath('initCmd', index) }))
  for (const index of (config.k3os.dataSources ?? []).keys())
    findings.push(
      translateFinding('TRN-DATA-SOURCES', undefined, {
        node,
        path: configPath('k3os', 'dataSources', index),
      }),
    )
  if (Object.keys(config.k3os.install ?? {}).length > 0)
    findings.push(
      translateFinding(
        'TRN-INSTALL',
        { tty: config.k3os.install?.tty ?? null },
        { node, path: 'k3os.install' },
      ),
    )
  const used = new Set(effects.flatMap((effect) => effect.from))
  for (const [path] of leaves(config))
    if (!used.has(path) && !/^(?:initCmd\[|k3os$|k3os\.install\b)/.test(path))
      findings.push(
        translateFinding('TRN-SKIPPED-BY-K3OS', { message: 'k3OS does nothing with it' }, { node, path }),
      )
  for (const effect of effects) {
    if (effect.kind !== 'error') continue
    const paths: readonly (ConfigPath | undefined)[] = effect.from.length === 0 ? [undefined] : effect.from
    for (const path of paths)
      findings.push(translateFinding('TRN-SKIPPED-BY-K3OS', { message: effect.message }, { node, path }))
  }
}

function readHostname(
  source: HostSource,
  effects: readonly Effect[],
  findings: Finding[],
): Traced<string> | null {
  const { node, facts } = source
  const configured = effects.find((effect) => effect.kind === 'hostname')
  const live = facts?.hostname ?? null
  if (configured !== undefined && live !== null && live !== configured.name)
    findings.push(
      translateFinding(
        'TRN-HOSTNAME-LIVE',
        { configured: configured.name, live },
        { node, path: configured.from[0] },
      ),
    )
  const value = live ?? configured?.name
  if (value !== undefined) return { value, from: configured?.from ?? [] }
  findings.push(translateFinding('TRN-HOSTNAME-UNKNOWN', undefined, { node }))
  return null
}

function readUser(source: HostSource, effects: readonly Effect[], findings: Finding[]): HostModel['user'] {
  const { node, secrets } = source
  const onNode = (secrets?.authorizedKeys ?? '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const keys = new Map<string, Traced<string>>()
  const sources: HostModel['user']['keySources'][number][] = []
  for (const effect of effects) {
    if (effect.kind !== 'ssh-key') continue
    if (effect.url === null) {
      const value = effect.key.trim()
      keys.set(value, { value, from: [...(keys.get(value)?.from ?? []), ...effect.from] })
    } else if (onNode.length > 0) {
      findings.push(
        translateFinding('TRN-KEY-SOURCE-KNOWN', { entry: effect.key }, { node, path: effect.from[0] }),
      )
    } else if (!sources.some((known) => known.from.join() === effect.from.join())) {
      sources.push({ value: effect.key, url: effect.url, from: effect.from })
      findings.push(
        translateFinding(
          'TRN-KEY-SOURCE',
          { entry: effect.key, url: effect.url },
          { node, path: effect.from[0] },
        ),
      )
    }
  }
  for (const value of onNode) if (!keys.has(value)) keys.set(value, { value, from: [] })
  const password = effects.findLast((effect) => effect.kind === 'password')
  return {
    name: k3osUser,
    uid: 1000,
    password:
      password === undefined
        ? null
        : { value: password.password, encrypted: password.encrypted, from: password.from },
    authorizedKeys: [...keys.values()],
    keySources: sources,
  }
}

function readSysctls(node: string, effects: readonly Effect[], findings: Finding[]): HostModel['sysctls'] {
  const entries = new Map<string, HostModel['sysctls'][number]>()
  for (const [key, value] of k3osSysctls) {
    const file = key.replaceAll('.', '/')
    entries.set(file, { key, file, value, from: [] })
  }
  for (const effect of effects) {
    if (effect.kind !== 'sysctl') continue
    const { key, file, value, from } = effect
    entries.delete(file)
    entries.set(file, { key, file, value, from })
    const since = goneSysctls[key]
    if (since !== undefined)
      findings.push(translateFinding('TRN-SYSCTL-GONE', { key, since }, { node, path: from[0] }))
  }
  return [...entries.values()]
}

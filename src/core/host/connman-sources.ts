import type { Finding } from '../findings.ts'
import type { K3osConfig } from '../k3os/config.ts'
import type { Effect } from '../k3os/effects.ts'
import { configPath, entriesOf, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import type { HostFile, Traced } from './model.ts'
import type { NetworkSource } from './network.ts'

interface Source {
  readonly node: string
  readonly config: K3osConfig
  readonly connmanFiles?: readonly { readonly path: string; readonly text: string }[] | null
}

interface ConnmanSources extends Pick<NetworkSource, 'files' | 'wifi'> {
  readonly nameservers: readonly Traced<string>[]
  readonly timeservers: readonly Traced<string>[]
}

/** connman's files and fallbacks: `/etc/connman/main.conf` of write_files comes after k3OS's own and wins. */
export function readConnman(
  source: Source,
  files: readonly HostFile[],
  effects: readonly Effect[],
  findings: Finding[],
): ConnmanSources {
  const text = (file: HostFile): string => new TextDecoder().decode(file.content)
  const main = files.find((file) => file.path === '/etc/connman/main.conf')
  const own = files.filter((file) => /^\/var\/lib\/connman\/[^/]+\.config$/.test(file.path))
  for (const file of files) {
    if (file.purpose !== 'connman' || file === main || own.includes(file)) continue
    for (const path of entriesOf(file.from))
      findings.push(
        translateFinding('TRN-NET-SETTINGS-FILE', { file: file.path }, { node: source.node, path }),
      )
  }
  const saved = (source.connmanFiles ?? []).filter(
    // k3OS itself makes cloud-config.config, from `k3os.wifi`.
    ({ path }) => !path.endsWith('/cloud-config.config') && !own.some((file) => file.path === path),
  )
  const fallback = effects.findLast((effect) => effect.kind === 'fallback-servers')
  if (main !== undefined) reportReplacedFallbacks(source, main, findings)
  const from = (key: 'dnsNameservers' | 'ntpServers', index: number): ConfigPath[] =>
    source.config.k3os[key] === undefined ? [] : [configPath('k3os', key, index)]
  const named = main === undefined ? null : text(main)
  const inMain = (key: string): Traced<string>[] =>
    main === undefined
      ? []
      : (new RegExp(`^\\s*${key}\\s*=(.*)$`, 'm').exec(named ?? '')?.[1] ?? '')
          .split(/[,;\s]+/)
          .filter((value) => value !== '')
          .map((value) => ({ value, from: main.from }))
  const nameservers = fallback?.nameservers ?? []
  return {
    files: [
      ...saved.map((file) => ({ ...file, from: [] })),
      ...own.map((file) => ({ path: file.path, text: text(file), from: file.from })),
    ],
    wifi: effects.flatMap((effect) =>
      effect.kind === 'wifi'
        ? effect.networks.map((network, index) => ({ ...network, from: configPath('k3os', 'wifi', index) }))
        : [],
    ),
    nameservers:
      main === undefined
        ? nameservers.map((value, index) => ({ value, from: from('dnsNameservers', index) }))
        : inMain('FallbackNameservers'),
    timeservers:
      main === undefined
        ? (fallback?.timeservers ?? []).map((value, index) => ({ value, from: from('ntpServers', index) }))
        : inMain('FallbackTimeservers'),
  }
}

function reportReplacedFallbacks(source: Source, main: HostFile, findings: Finding[]): void {
  const { node, config } = source
  const message = 'write_files replaces /etc/connman/main.conf'
  for (const key of ['dnsNameservers', 'ntpServers'] as const)
    for (const index of (config.k3os[key] ?? []).keys())
      findings.push(
        translateFinding('TRN-SKIPPED-BY-K3OS', { message }, { node, path: configPath('k3os', key, index) }),
      )
  if (!/^\s*Fallback(?:Nameservers|Timeservers)\s*=/m.test(new TextDecoder().decode(main.content)))
    for (const path of entriesOf(main.from))
      findings.push(translateFinding('TRN-NET-SETTINGS-FILE', { file: main.path }, { node, path }))
}

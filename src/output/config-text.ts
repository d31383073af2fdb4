import { formatPosition } from '../core/errors.ts'
import type { Finding } from '../core/findings.ts'
import type { K3osConfig } from '../core/k3os/config.ts'
import type { PrintedEffect } from '../core/k3os/print-effects.ts'
import type { Origin } from '../core/k3os/reading.ts'
import { leaves, type ConfigPath } from '../core/path.ts'
import { mark } from './style.ts'
import { table, type Cell } from './table.ts'

/** The merged configuration value by value; with origins also where each comes from and what it replaced. */
export function configTable(
  config: K3osConfig,
  origins: ReadonlyMap<ConfigPath, Origin> | null,
  width?: number,
): string {
  const rows = leaves(config).map(([path, value]): Cell[] => {
    const shown = [{ text: path, role: 'name' as const }, cellOf(value)]
    const origin = origins?.get(path)
    return origin === undefined
      ? shown
      : [...shown, placeOf(origin, value), origin.overrode.map(overriddenOf).join(', ')]
  })
  const headers = origins === null ? ['SETTING', 'VALUE'] : ['SETTING', 'VALUE', 'FROM', 'OVERRODE']
  return table(headers, rows, width === undefined ? {} : { width })
}

function cellOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function placeOf(origin: Origin, value: unknown): string {
  if (origin.place === null) return 'k3OS itself'
  // Only fields of files are printed although nobody wrote them.
  if (!origin.verbatim && value === '') return 'not set'
  return origin.verbatim ? formatPosition(origin.place) : `${formatPosition(origin.place)} (changed)`
}

function overriddenOf(lost: Origin['overrode'][number]): string {
  return formatPosition(lost.place)
}

export interface LocatedValue {
  readonly path: ConfigPath
  readonly value: unknown
  readonly source: Origin['source']
  readonly place: Origin['place']
  readonly verbatim: boolean
  readonly overrode: Origin['overrode']
}

/** The same as data, one entry for each value. */
export function locatedValues(config: K3osConfig, origins: ReadonlyMap<ConfigPath, Origin>): LocatedValue[] {
  return leaves(config).flatMap(([path, value]) => {
    const origin = origins.get(path)
    return origin === undefined ? [] : [{ path, value, ...origin }]
  })
}

/** One line for each effect, in the order in which k3OS acts. */
export function effectsTable(effects: readonly PrintedEffect[], width?: number): string {
  if (effects.length === 0) return 'k3OS does nothing in this phase.\n'
  const rows = effects.map((effect): Cell[] => [
    { text: effect.kind, role: effect.kind === 'error' ? 'bad' : 'name' },
    sentence(effect),
  ])
  return table(['EFFECT', 'WHAT K3OS DOES'], rows, width === undefined ? {} : { width })
}

function sentence(effect: PrintedEffect): string {
  switch (effect.kind) {
    case 'module':
      return `loads ${[effect.name, ...effect.parameters].join(' ')}`
    case 'sysctl':
      return `writes ${effect.value} to /proc/sys/${effect.file}`
    case 'hostname':
      return `names the machine ${effect.name}, in /etc/hostname and /etc/hosts too`
    case 'file':
      return `writes ${effect.path}, mode ${effect.mode}${effect.owner === '' ? '' : `, owner ${effect.owner}`}`
    case 'environment':
      return `sets ${Object.keys(effect.variables).join(', ')} in /etc/environment`
    case 'command':
      return `runs ${effect.command}`
    case 'fallback-servers':
      return [
        `falls back to name servers ${effect.nameservers.join(', ')}`,
        ...(effect.timeservers.length === 0 ? [] : [`to time servers ${effect.timeservers.join(', ')}`]),
      ].join(', ')
    case 'wifi':
      return `joins wireless networks ${effect.networks.map(({ name }) => name).join(', ')}`
    case 'password':
      return `sets the ${effect.encrypted ? 'encrypted' : 'clear-text'} password of ${effect.user}`
    case 'ssh-key':
      return effect.url === null
        ? `lets ${effect.key} in as ${effect.user}`
        : `fetches keys of ${effect.user} from ${effect.url}`
    case 'data-sources':
      return `asks ${effect.names.join(', ')} for metadata`
    case 'k3s': {
      const variables = Object.keys(effect.environment).filter((name) => name.startsWith('K3S_'))
      const given = variables.length === 0 ? '' : `, with ${variables.join(', ')}`
      return `configures k3s ${effect.args.join(' ')}${given}`
    }
    case 'installer':
      return 'starts the k3OS installer'
    case 'error':
      return effect.message
  }
}

/** `file:line:column: severity: summary`, as compilers and editors have it. */
export function findingLine({ location, severity, summary }: Finding): string {
  const { file = '', line, column } = location ?? {}
  const place = formatPosition({
    file,
    ...(line == null ? {} : { line }),
    ...(column == null ? {} : { column }),
  })
  const role =
    severity === 'inhibitor' ? 'bad' : severity === 'high' || severity === 'medium' ? 'warn' : 'dim'
  return `${place}: ${mark(role, severity)}: ${summary}\n`
}

import type { Finding } from '../../src/core/findings.ts'
import { goneSysctls } from '../../src/core/host/defaults.ts'
import type { K3osConfig } from '../../src/core/k3os/config.ts'
import { cleanPath } from '../../src/core/k3os/planned-file.ts'
import type { K3sRole } from '../../src/core/k3s/flags.ts'
import { versionAtLeast } from '../../src/core/k3s/version.ts'
import { configPath, type ConfigPath } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { correctArguments } from './arguments.ts'
import { goneModules } from './modules.ts'
import { correctFiles } from './user-config.ts'

/** The k3s that will read the arguments, and for whom the findings are. */
export interface ForK3s {
  readonly node: string
  readonly role: K3sRole
  readonly version: string
}

/** One part of the configuration as it will be. */
export interface Part<T> {
  readonly value: T
  /** Only values that stand elsewhere now, or nowhere (null; a finding says why). */
  readonly moved: ReadonlyMap<ConfigPath, ConfigPath | null>
  readonly findings: readonly Finding[]
}

/** The configuration corrected where the k3s (null: unknown, so left alone) or the kernel of the image needs it. */
export function correct(config: K3osConfig, k3s: ForK3s | null, node: string): Part<K3osConfig> {
  const { k3os } = config
  const args = k3s === null ? null : correctArguments(k3os.k3sArgs ?? [], k3os.serverUrl !== undefined, k3s)
  const files = k3s === null ? null : correctFiles(config.writeFiles ?? [], k3s)
  const environment = correctEnvironment(k3os.environment ?? {}, k3s)
  const sysctls = correctSysctls(k3os.sysctls ?? {}, node)
  const modules = correctModules(k3os.modules ?? [], node)
  const parts = [args, files, environment, sysctls, modules].filter((part) => part !== null)
  return {
    value: {
      ...config,
      ...(config.writeFiles === undefined || files === null ? {} : { writeFiles: files.value }),
      k3os: {
        ...k3os,
        ...replaced('k3sArgs', k3os, args?.value),
        ...replaced('environment', k3os, environment.value),
        ...replaced('sysctls', k3os, sysctls.value),
        ...replaced('modules', k3os, modules.value),
      },
    },
    moved: new Map(parts.flatMap((part) => [...part.moved])),
    findings: parts.flatMap((part) => part.findings),
  }
}

/** k3OS prints no empty lists and maps; an empty list of arguments would choose the role anew, as a missing one does. */
function replaced(
  key: 'k3sArgs' | 'environment' | 'sysctls' | 'modules',
  before: K3osConfig['k3os'],
  value: object | undefined,
): object {
  if (before[key] === undefined || value === undefined) return {}
  return { [key]: Object.keys(value).length === 0 ? undefined : value }
}

/** k3s stops at the old variable as it does at the flag. */
function correctEnvironment(
  variables: Readonly<Record<string, string>>,
  k3s: ForK3s | null,
): Part<Readonly<Record<string, string>>> {
  const [old, now] = ['K3S_CLUSTER_SECRET', 'K3S_TOKEN']
  const applies =
    k3s !== null && Object.hasOwn(variables, old) && versionAtLeast(k3s.version, '1.25.0') === true
  if (!applies) return { value: variables, moved: new Map(), findings: [] }
  const path = configPath('k3os', 'environment', old)
  const taken = Object.hasOwn(variables, now)
  const entries = Object.entries(variables).flatMap(([name, value]) =>
    name === old ? (taken ? [] : [[now, value] as const]) : [[name, value] as const],
  )
  const facts = { gone: [old], version: k3s.version }
  return {
    value: Object.fromEntries(entries),
    moved: new Map([[path, taken ? null : configPath('k3os', 'environment', now)]]),
    findings: [
      taken
        ? translateFinding(
            'TRN-MAINTAINED-REMOVED',
            { ...facts, instead: 'K3S_TOKEN, which is set already' },
            { node: k3s.node, path },
          )
        : translateFinding(
            'TRN-MAINTAINED-CHANGED',
            { ...facts, becomes: [now], instead: null },
            { node: k3s.node, path },
          ),
    ],
  }
}

function correctSysctls(
  sysctls: Readonly<Record<string, string>>,
  node: string,
): Part<Readonly<Record<string, string>>> {
  const sinceOf = (key: string): string | undefined => {
    // k3OS splits at dots, so a key may be written with slashes as well.
    const name = cleanPath(key.split('.').join('/')).slice(1).replaceAll('/', '.')
    return Object.hasOwn(goneSysctls, name) ? goneSysctls[name] : undefined
  }
  const gone = Object.keys(sysctls).flatMap((key) => {
    const since = sinceOf(key)
    return since === undefined ? [] : [{ key, since, path: configPath('k3os', 'sysctls', key) }]
  })
  return {
    value: Object.fromEntries(Object.entries(sysctls).filter(([key]) => sinceOf(key) === undefined)),
    moved: new Map(gone.map(({ path }) => [path, null])),
    findings: gone.map(({ key, since, path }) =>
      translateFinding('TRN-MAINTAINED-SYSCTL', { key, since }, { node, path }),
    ),
  }
}

function correctModules(modules: readonly string[], node: string): Part<readonly string[]> {
  const value: string[] = []
  const moved = new Map<ConfigPath, ConfigPath | null>()
  const findings: Finding[] = []
  for (const [index, line] of modules.entries()) {
    const [module = '', ...parameters] = line.split(' ')
    const path = configPath('k3os', 'modules', index)
    const gone = Object.hasOwn(goneModules, module) ? goneModules[module] : undefined
    if (gone === undefined || gone.becomes !== null)
      moved.set(path, configPath('k3os', 'modules', value.length))
    else moved.set(path, null)
    if (gone === undefined) value.push(line)
    else if (gone.becomes !== null) value.push([gone.becomes, ...parameters].join(' '))
    if (gone !== undefined)
      findings.push(translateFinding('TRN-MAINTAINED-MODULE', { module, ...gone }, { node, path }))
  }
  return { value, moved, findings }
}

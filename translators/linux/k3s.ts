import type { K3sModel } from '../../src/core/host/model.ts'
import { findFlag, isSecretFlag } from '../../src/core/k3s/flags.ts'
import { k3sPaths } from '../../src/core/k3s/paths.ts'
import type { ConfigPath } from '../../src/core/path.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { rootFile, type RootFile } from './root-file.ts'

/** k3s without the service that starts it. */
export interface K3sConfiguration {
  /** `k3s` or `k3s-agent`, as its own installer names the service. */
  readonly service: string
  /** Configuration, token, node password and registries. */
  readonly files: readonly RootFile[]
  /** The command: program, role, and what does not fit into a file. */
  readonly command: readonly string[]
  /** What the command line says instead of a file. */
  readonly commandFrom: readonly ConfigPath[]
  readonly environment: K3sModel['environment']
}

/** k3s of the node's own version; null when k3OS starts none. */
export function k3sConfiguration(k3s: K3sModel, binary: string): K3sConfiguration | null {
  if (k3s.role === 'none') return null
  const { inFile, inEnvironment, inCommand } = placeSettings(k3s)
  return {
    service: k3s.role === 'agent' ? 'k3s-agent' : 'k3s',
    files: [
      ...(inFile === null || Object.keys(inFile).length === 0
        ? []
        : [
            rootFile(k3sPaths.config, yaml(inFile), {
              mode: 0o600,
              from: settingsFrom(k3s),
            }),
          ]),
      ...(k3s.token === null || hasOwnTokenFile(k3s)
        ? []
        : [rootFile(k3sPaths.token, k3s.token.value, { mode: 0o600, from: k3s.token.from })]),
      ...(k3s.nodePassword === null
        ? []
        : [rootFile(k3sPaths.nodePassword, `${k3s.nodePassword}\n`, { mode: 0o600 })]),
      ...(k3s.registries === null
        ? []
        : [rootFile(k3sPaths.registries, k3s.registries.value, { mode: 0o600, from: k3s.registries.from })]),
    ],
    command: [binary, k3s.role, ...inCommand],
    commandFrom: [...k3s.roleFrom, ...(k3s.configFileSupported ? [] : settingsFrom(k3s))],
    environment: [...k3s.environment, ...inEnvironment],
  }
}

interface Placed {
  readonly inFile: Record<string, unknown> | null
  readonly inEnvironment: K3sModel['environment']
  readonly inCommand: readonly string[]
}

/** Where each setting goes: one file, or on k3s that reads none the command line, with secrets in the environment. */
function placeSettings(k3s: K3sModel): Placed {
  const connection = {
    ...(k3s.serverUrl === null ? {} : { server: k3s.serverUrl.value }),
    ...(k3s.token === null || hasOwnTokenFile(k3s) ? {} : { 'token-file': k3sPaths.token }),
  }
  if (k3s.configFileSupported) {
    const settings = Object.fromEntries(k3s.settings.map(({ key, value }) => [key, value]))
    return { inFile: { ...connection, ...settings }, inEnvironment: [], inCommand: [] }
  }
  const inEnvironment: K3sModel['environment'][number][] = []
  const inCommand = Object.entries(connection).map(([key, value]) => `--${key}=${value}`)
  for (const { key, value, from } of k3s.settings) {
    const variable = findFlag(key)?.variable ?? null
    if (isSecretFlag(key) && variable !== null)
      inEnvironment.push({ name: variable, value: String(value), from })
    else if (typeof value === 'object') inCommand.push(...value.map((item) => `--${key}=${item}`))
    else inCommand.push(`--${key}=${value}`)
  }
  return { inFile: null, inEnvironment, inCommand }
}

function hasOwnTokenFile(k3s: K3sModel): boolean {
  return k3s.settings.some(({ key }) => key === 'token-file')
}

function settingsFrom(k3s: K3sModel): string[] {
  return [...(k3s.serverUrl?.from ?? []), ...k3s.settings.flatMap((setting) => setting.from)]
}

import { stringify } from 'yaml'
import type { HostModel, K3sModel } from '../../src/core/host/model.ts'
import { findFlag, isSecretFlag } from '../../src/core/k3s/flags.ts'
import { k3sPaths } from '../../src/core/k3s/paths.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { cgroupArguments } from './cgroup.ts'
import { rootFile, type RootFile } from './root-file.ts'
import { environmentLine, execWord } from './systemd.ts'

export interface K3sParts {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
}

/** k3s of the node's own version: configuration, token, node password, service, and the gate in front of it. */
export function k3sParts(host: HostModel, tools: TranslateTools): K3sParts {
  const { k3s } = host
  if (k3s.role === 'none') return { files: [], units: [] }
  const service = k3s.role === 'agent' ? 'k3s-agent.service' : 'k3s.service'
  const environmentFile = `/etc/systemd/system/${service}.env`
  const { inFile, inEnvironment, inCommand } = placeSettings(k3s)
  const variables = [...k3s.environment, ...inEnvironment]
  const unit = tools.render('debian/k3s.service.hbs', {
    role: k3s.role,
    release: releasePath,
    releaseUnit: releaseUnit,
    kernelArgument: k3s.needsCgroupV1 ? cgroupArguments[0] : null,
    // As k3s's own installer of those years: agents were not started with `notify` (k3s-io/k3s install.sh).
    type: k3s.role === 'server' ? 'notify' : 'exec',
    environmentFile,
    command: [k3sPaths.binary, k3s.role, ...inCommand].map(execWord).join(' '),
  })
  const serviceFrom = [...k3s.roleFrom, ...(k3s.configFileSupported ? [] : settingsFrom(k3s))]
  return {
    files: [
      ...(inFile === null || Object.keys(inFile).length === 0
        ? []
        : [
            rootFile(k3sPaths.config, stringify(inFile, yamlOptions), {
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
      rootFile(`/etc/systemd/system/${service}`, unit, { from: serviceFrom }),
      ...(variables.length === 0
        ? []
        : [
            rootFile(
              environmentFile,
              variables.map(({ name, value }) => `${environmentLine(name, value)}\n`).join(''),
              { mode: 0o600, from: variables.flatMap((variable) => variable.from) },
            ),
          ]),
      rootFile(
        `/etc/systemd/system/${releaseUnit}`,
        tools.render('debian/release.path.hbs', { release: releasePath, unit: service }),
      ),
    ],
    units: [service, releaseUnit],
  }
}

/** YAML for programs that read version 1.1: `yes`, `on` and `1:30` must be quoted. */
export const yamlOptions = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const

const releaseUnit = 'k3os-migrate-release.path'

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

import type { Finding } from '../findings.ts'
import { k3osKubeconfigMode } from '../host/defaults.ts'
import type { HostFile, HostModel, K3sModel, Traced } from '../host/model.ts'
import type { KubeNode } from '../inventory.ts'
import type { K3osConfig } from '../k3os/config.ts'
import type { Effect } from '../k3os/effects.ts'
import { configPath, entriesOf, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import { readArguments } from './arguments.ts'
import { flagRefusal, isRepeatable, type K3sRole } from './flags.ts'
import { k3sPaths } from './paths.ts'
import { Settings } from './settings.ts'
import { registeredTaints } from './taints.ts'
import { readUserConfig } from './user-config.ts'
import { versionAtLeast } from './version.ts'

export interface K3sSource {
  readonly node: string
  readonly config: K3osConfig
  /** What k3OS calls the k3s installer with; null when it starts no k3s. */
  readonly effect: Extract<Effect, { kind: 'k3s' }> | null
  /** Everything in /etc/environment: k3OS's service reads all of it. */
  readonly environment: HostModel['environment']
  readonly files: readonly HostFile[]
  readonly hostname: string | null
  readonly version: string | null
  readonly nodeObject: KubeNode | null
  readonly nodePassword: string | null
  readonly registriesYaml: string | null
}

interface Answer {
  readonly k3s: K3sModel
  readonly findings: readonly Finding[]
  /** Files of write_files that became part of the model. */
  readonly absorbed: readonly HostFile[]
}

export function k3sModel(source: K3sSource): Answer {
  const { node, effect, version, config } = source
  const findings: Finding[] = []
  if (effect === null) {
    findings.push(translateFinding('TRN-K3S-NONE', undefined, { node }))
    return { k3s: noK3s(version), findings, absorbed: [] }
  }
  const words = wordsWithOrigin(effect, config)
  const hasUrl = effect.environment['K3S_URL'] !== undefined
  const read = readArguments(
    words.map((word) => word.text),
    hasUrl,
  )
  const role: K3sRole = read.find((argument) => argument.kind === 'role')?.role ?? 'server'
  if (version === null) findings.push(translateFinding('TRN-K3S-VERSION-UNKNOWN', undefined, { node }))

  const settings = new Settings()
  const taints: Traced<string>[] = []
  const url = effect.environment['K3S_URL']
  let serverUrl: Traced<string> | null = url === undefined ? null : { value: url, from: ['k3os.serverUrl'] }
  const given = effect.environment['K3S_TOKEN'] ?? effect.environment['K3S_CLUSTER_SECRET']
  let token: Traced<string> | null = given === undefined ? null : { value: given, from: ['k3os.token'] }
  let userConfig: { path: string; from: readonly ConfigPath[] } = { path: k3sPaths.config, from: [] }

  for (const argument of read) {
    const from = [...new Set(argument.at.flatMap((at) => words[at]?.from ?? []))]
    const where = { node, path: from[0] }
    switch (argument.kind) {
      case 'role':
        settings.role.push(...from)
        break
      case 'refused':
        for (const path of from)
          findings.push(translateFinding('TRN-K3S-FLAG-REFUSED', argument, { node, path }))
        break
      case 'ignored':
        for (const path of from)
          findings.push(translateFinding('TRN-K3S-ARGUMENT-IGNORED', undefined, { node, path }))
        break
      case 'flag': {
        const { flag, value } = argument
        const text = String(value)
        const refusal = flagRefusal(flag, role, version)
        if (refusal !== null && !flag.roles.includes(role)) {
          for (const path of from)
            findings.push(
              translateFinding(
                'TRN-K3S-FLAG-REFUSED',
                { word: `--${flag.name}`, reason: refusal },
                { node, path },
              ),
            )
          break
        }
        if (refusal !== null && version !== null)
          findings.push(
            translateFinding(
              'TRN-K3S-FLAG-DOUBTFUL',
              { word: `--${flag.name}`, reason: refusal, version },
              where,
            ),
          )
        const label = flag.name === 'node-label' ? text.split('=', 1)[0] : undefined
        if (label?.startsWith('k3os.io/') === true) {
          for (const path of from)
            findings.push(translateFinding('TRN-K3OS-LABEL', { label }, { node, path }))
        } else if (flag.name === 'server')
          serverUrl = { value: text, from: [...(serverUrl?.from ?? []), ...from] }
        else if (flag.name === 'token' || flag.name === 'cluster-secret')
          token = { value: text, from: [...(token?.from ?? []), ...from] }
        else if (flag.name === 'config') userConfig = { path: text, from: [...userConfig.from, ...from] }
        else if (flag.name === 'kubelet-arg' && from[0]?.startsWith('k3os.taints[') === true)
          taints.push({ value: text.replace(/^register-with-taints=/, ''), from })
        else if (isRepeatable(flag, version)) settings.append(flag.name, [text], from)
        else settings.set(flag.name, value, from)
        break
      }
    }
  }

  const registered = registeredTaints(node, taints, source.nodeObject)
  findings.push(...registered.findings)
  for (const taint of registered.taints) settings.append('node-taint', taint.value.split(','), taint.from)

  const configFileSupported = version === null || versionAtLeast(version, '1.19.1') !== false
  const absorbed: HostFile[] = []
  const file = source.files.find((candidate) => candidate.path === userConfig.path)
  if (file !== undefined) {
    absorbed.push(file)
    findings.push(...mergeUserConfig(source, file, { role, configFileSupported }, settings))
    settings.role.push(...userConfig.from)
  } else if (userConfig.from.length > 0) {
    // What is no path may be anything, even the secret of a flag that `--config` swallowed.
    const named = userConfig.path.startsWith('/') ? userConfig.path : 'the file that --config names'
    const reason = 'no write_files entry makes it, so its content is not known'
    for (const path of userConfig.from)
      findings.push(translateFinding('TRN-K3S-CONFIG-UNREAD', { file: named, reason }, { node, path }))
  }

  const environment = serviceEnvironment(source, role, settings, token, findings)
  const ownTokenFile = settings.has('token-file') || settings.has('token')
  if (token === null) token = environment.clusterSecret
  if (
    token === null &&
    serverUrl !== null &&
    !ownTokenFile &&
    !environment.variables.some((v) => v.name === 'K3S_TOKEN')
  )
    findings.push(translateFinding('TRN-TOKEN-MISSING', undefined, { node }))
  if (source.nodePassword === null)
    findings.push(translateFinding('TRN-NODE-PASSWORD-UNKNOWN', undefined, { node }))
  nameNode(source, settings, environment.variables)

  const registriesFile = source.files.find((candidate) => candidate.path === k3sPaths.registries)
  if (registriesFile !== undefined) absorbed.push(registriesFile)
  const registries: Traced<string> | null =
    registriesFile !== undefined
      ? { value: new TextDecoder().decode(registriesFile.content), from: registriesFile.from }
      : source.registriesYaml === null
        ? null
        : { value: source.registriesYaml, from: [] }
  return {
    k3s: {
      role,
      version,
      settings: settings.list(),
      roleFrom: settings.role,
      token,
      serverUrl,
      configFileSupported,
      registries,
      nodePassword: source.nodePassword,
      environment: environment.variables,
      needsCgroupV1: version !== null && versionAtLeast(version, '1.20.4') === false,
    },
    findings,
    absorbed,
  }
}

/** Arguments with the value each word comes from; k3OS puts labels and taints behind `k3s_args`. */
function wordsWithOrigin(
  effect: Extract<Effect, { kind: 'k3s' }>,
  config: K3osConfig,
): { text: string; from: ConfigPath[] }[] {
  const own = config.k3os.k3sArgs?.length ?? 0
  const origin = (index: number): ConfigPath[] => {
    if (index < own) return [configPath('k3os', 'k3sArgs', index)]
    if (index < Math.max(own, 1)) return []
    // Behind them come pairs: a flag, and what it says.
    const start = Math.max(own, 1)
    const value = effect.args[index + (1 - ((index - start) % 2))] ?? ''
    const equals = value.indexOf('=')
    const key = value.slice(0, equals)
    if (effect.args[index - ((index - start) % 2)] === '--node-label') {
      const mine = config.k3os.labels?.[key] === value.slice(equals + 1)
      return mine ? [configPath('k3os', 'labels', key)] : []
    }
    const taints = effect.args.slice(start, index).filter((word) => word === '--kubelet-arg').length
    const position = (index - start) % 2 === 0 ? taints : taints - 1
    return [configPath('k3os', 'taints', position)]
  }
  return effect.args.map((text, index) => ({ text, from: origin(index) }))
}

function mergeUserConfig(
  source: K3sSource,
  file: HostFile,
  k3s: { role: K3sRole; configFileSupported: boolean },
  settings: Settings,
): Finding[] {
  const where = { node: source.node, path: entriesOf(file.from)[0], discriminator: file.path }
  const read = k3s.configFileSupported
    ? readUserConfig(new TextDecoder().decode(file.content), k3s.role, source.version)
    : `k3s ${source.version} reads no configuration file`
  if (typeof read === 'string')
    return [translateFinding('TRN-K3S-CONFIG-UNREAD', { file: file.path, reason: read }, where)]
  for (const { key, value } of read.settings) settings.underlay({ key, value, from: file.from })
  return [
    translateFinding('TRN-K3S-CONFIG-MERGED', { file: file.path }, where),
    ...read.refused.map(({ key, reason }) =>
      translateFinding(
        'TRN-K3S-FLAG-REFUSED',
        { word: `${key} in ${file.path}`, reason },
        { ...where, discriminator: key },
      ),
    ),
  ]
}

function serviceEnvironment(
  source: K3sSource,
  role: K3sRole,
  settings: Settings,
  token: Traced<string> | null,
  findings: Finding[],
): { variables: K3sModel['environment']; clusterSecret: Traced<string> | null } {
  const secret = source.environment.find((variable) => variable.name === 'K3S_CLUSTER_SECRET')
  const variables = source.environment.filter((variable) => variable !== secret)
  const named = variables.some((variable) => variable.name === k3osKubeconfigMode.name)
  const byDefault = role === 'server' && !named && !settings.has('write-kubeconfig-mode')
  if (byDefault) findings.push(translateFinding('TRN-KUBECONFIG-MODE', undefined, { node: source.node }))
  // With a token file of the user's own, the configured token stays where k3OS had it: in the environment.
  const inEnvironment = token !== null && settings.has('token-file')
  return {
    variables: [
      ...(byDefault ? [{ ...k3osKubeconfigMode, from: [] }] : []),
      ...(inEnvironment ? [{ name: 'K3S_TOKEN', ...token }] : []),
      ...variables,
    ],
    clusterSecret: secret === undefined ? null : { value: secret.value, from: secret.from },
  }
}

/** The name the cluster knows must come back, whatever the host is called. */
function nameNode(source: K3sSource, settings: Settings, environment: K3sModel['environment']): void {
  const name = source.nodeObject?.name
  const chosen = settings.has('node-name') || settings.has('with-node-id')
  if (name === undefined || chosen || environment.some((variable) => variable.name === 'K3S_NODE_NAME'))
    return
  if (name !== source.hostname?.toLowerCase()) settings.set('node-name', name, [])
}

function noK3s(version: string | null): K3sModel {
  return {
    role: 'none',
    version,
    settings: [],
    roleFrom: [],
    token: null,
    serverUrl: null,
    configFileSupported: true,
    registries: null,
    nodePassword: null,
    environment: [],
    needsCgroupV1: false,
  }
}

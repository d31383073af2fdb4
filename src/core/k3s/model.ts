import type { Finding } from '../findings.ts'
import { k3osKubeconfigMode } from '../host/defaults.ts'
import type { HostFile, HostModel, K3sModel, Traced } from '../host/model.ts'
import type { KubeNode } from '../inventory.ts'
import type { K3osConfig } from '../k3os/config.ts'
import type { Effect } from '../k3os/effects.ts'
import { entriesOf, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import { readCommandLine, type CommandLine } from './command-line.ts'
import type { K3sRole } from './flags.ts'
import { isDropIn, k3sPaths } from './paths.ts'
import type { Settings } from './settings.ts'
import { registeredTaints } from './taints.ts'
import { readFlagFile, readUserConfig } from './user-config.ts'
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
  if (version === null) findings.push(translateFinding('TRN-K3S-VERSION-UNKNOWN', undefined, { node }))
  const configFileSupported = version === null || versionAtLeast(version, '1.19.1') !== false
  const commandLine = readCommandLine({ node, effect, config, version })
  const { role, settings } = commandLine
  const registered = registeredTaints(node, commandLine.taints, source.nodeObject)
  for (const taint of registered.taints) settings.append('node-taint', taint.value.split(','), taint.from)
  const dropIns = winningDropIns(source, commandLine)
  const user = withUserConfig(source, commandLine, configFileSupported)
  findings.push(...commandLine.findings, ...registered.findings, ...dropIns, ...user.findings)

  const environment = serviceEnvironment(source, role, settings)
  findings.push(...environment.findings)
  const serverUrl = firstGiven(settings.take('server'), commandLine.serverUrl)
  const token = firstGiven(settings.take('token'), commandLine.token, environment.clusterSecret)
  // With a token file of the user's own, a token stays where k3OS had it: in the environment.
  const ownTokenFile = settings.has('token-file')
  const variables = [
    ...(token !== null && ownTokenFile ? [{ name: 'K3S_TOKEN', ...token }] : []),
    ...environment.variables,
  ]
  const hasToken = token !== null || ownTokenFile || variables.some(({ name }) => name === 'K3S_TOKEN')
  if (serverUrl !== null && !hasToken)
    findings.push(translateFinding('TRN-TOKEN-MISSING', undefined, { node }))
  if (source.nodePassword === null)
    findings.push(translateFinding('TRN-NODE-PASSWORD-UNKNOWN', undefined, { node }))
  nameNode(source, settings, variables)

  const registriesFile = source.files.find((candidate) => candidate.path === k3sPaths.registries)
  return {
    k3s: {
      role,
      version,
      settings: settings.list(),
      roleFrom: [...commandLine.roleFrom, ...user.from],
      token,
      serverUrl,
      configFileSupported,
      registries: readRegistries(registriesFile, source.registriesYaml),
      nodePassword: source.nodePassword,
      environment: variables,
      needsCgroupV1: version !== null && versionAtLeast(version, '1.20.4') === false,
    },
    findings,
    absorbed: [user.file, registriesFile].filter((file) => file !== undefined),
  }
}

/** The first one counts; all of them are accounted for. */
function firstGiven(...candidates: readonly (Traced<string> | null)[]): Traced<string> | null {
  const given = candidates.filter((candidate) => candidate !== null)
  const [first] = given
  return first === undefined ? null : { value: first.value, from: given.flatMap(({ from }) => from) }
}

/** The file of write_files, or what the node has now: /etc is made anew at each boot, so somebody wrote it there. */
function readRegistries(file: HostFile | undefined, onNode: string | null): Traced<string> | null {
  if (file !== undefined) return { value: new TextDecoder().decode(file.content), from: file.from }
  return onNode === null ? null : { value: onNode, from: [] }
}

/** Puts a configuration file of the user's own under the arguments. `from` is the flag that named the file. */
function withUserConfig(
  source: K3sSource,
  { role, settings, userConfigFile: { value: path, from } }: CommandLine,
  configFileSupported: boolean,
): { file: HostFile | undefined; from: readonly ConfigPath[]; findings: readonly Finding[] } {
  const file = source.files.find((candidate) => candidate.path === path)
  if (file !== undefined)
    return { file, from, findings: mergeUserConfig(source, file, { role, configFileSupported }, settings) }
  // What is no path may be anything, even the secret of a flag that `--config` swallowed.
  const named = path.startsWith('/') ? path : 'the file that --config names'
  const reason = 'no write_files entry makes it, so its content is not known'
  const findings = from.map((at) =>
    translateFinding('TRN-K3S-CONFIG-UNREAD', { file: named, reason }, { node: source.node, path: at }),
  )
  return { file, from: [], findings }
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

/**
 * Drop-ins stay files of their own. k3s takes them after config.yaml, and a key without `+` in place of what was said before
 * (k3s-io/k3s pkg/configfilearg/parser.go, from v1.21.1): that is where the command line of k3OS goes.
 */
function winningDropIns(
  { node, files, version }: K3sSource,
  { settings, userConfigFile }: CommandLine,
): Finding[] {
  if (version !== null && versionAtLeast(version, '1.21.1') === false) return []
  const dropIns = files.filter(({ path }) => isDropIn(path, userConfigFile.value))
  return dropIns.flatMap((file) => {
    const read = readFlagFile(new TextDecoder().decode(file.content))
    // What k3s cannot read stops it on k3OS as well.
    const keys = typeof read === 'string' ? [] : read
    return keys.flatMap(({ written, flag }) =>
      flag === undefined || written.endsWith('+') || !settings.has(flag.name)
        ? []
        : [
            translateFinding(
              'TRN-K3S-DROP-IN-WINS',
              { key: written, file: file.path },
              { node, path: entriesOf(file.from)[0], discriminator: written },
            ),
          ],
    )
  })
}

/** All of /etc/environment, which k3OS's service reads, and what k3OS puts there by itself. */
function serviceEnvironment(
  source: K3sSource,
  role: K3sRole,
  settings: Settings,
): {
  variables: K3sModel['environment']
  clusterSecret: Traced<string> | null
  findings: readonly Finding[]
} {
  const secret = source.environment.find((variable) => variable.name === 'K3S_CLUSTER_SECRET')
  const variables = source.environment.filter((variable) => variable !== secret)
  const named = variables.some((variable) => variable.name === k3osKubeconfigMode.name)
  const byDefault = role === 'server' && !named && !settings.has('write-kubeconfig-mode')
  return {
    variables: byDefault ? [{ ...k3osKubeconfigMode, from: [] }, ...variables] : variables,
    clusterSecret: secret === undefined ? null : { value: secret.value, from: secret.from },
    findings: byDefault ? [translateFinding('TRN-KUBECONFIG-MODE', undefined, { node: source.node })] : [],
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

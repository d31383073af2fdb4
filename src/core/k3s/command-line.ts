import type { Finding } from '../findings.ts'
import type { Traced } from '../host/model.ts'
import type { K3osConfig } from '../k3os/config.ts'
import type { Effect } from '../k3os/effects.ts'
import { configPath, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import { readArguments } from './arguments.ts'
import { flagRefusal, isRepeatable, type K3sFlag, type K3sRole } from './flags.ts'
import { k3sPaths } from './paths.ts'
import { Settings } from './settings.ts'

/** What the words k3OS starts k3s with say, each with the configuration values it comes from. */
export interface CommandLine {
  readonly role: K3sRole
  readonly roleFrom: readonly ConfigPath[]
  /** `token` and `server` among them, where they were given as flags. */
  readonly settings: Settings
  /** From the environment: k3s takes them when no flag and no file says otherwise. */
  readonly token: Traced<string> | null
  readonly serverUrl: Traced<string> | null
  /** As k3OS hands them on, one flag each; which of them took effect is another question. */
  readonly taints: readonly Traced<string>[]
  /** Where k3s looks for a configuration file of its own. */
  readonly userConfigFile: Traced<string>
  readonly findings: readonly Finding[]
}

type K3sEffect = Extract<Effect, { kind: 'k3s' }>

export function readCommandLine(source: {
  readonly node: string
  readonly effect: K3sEffect
  readonly config: K3osConfig
  readonly version: string | null
}): CommandLine {
  const { node, effect, config, version } = source
  const findings: Finding[] = []
  const url = effect.environment['K3S_URL']
  const given = effect.environment['K3S_TOKEN'] ?? effect.environment['K3S_CLUSTER_SECRET']
  const words = wordsWithOrigin(effect, config)
  const read = readArguments(
    words.map((word) => word.text),
    url !== undefined,
  )
  const role: K3sRole = read.find((argument) => argument.kind === 'role')?.role ?? 'server'

  const roleFrom: ConfigPath[] = []
  const settings = new Settings()
  const taints: Traced<string>[] = []
  let userConfigFile: Traced<string> = { value: k3sPaths.config, from: [] }

  const keep = (flag: K3sFlag, value: string | boolean, from: readonly ConfigPath[]): void => {
    const text = String(value)
    const label = flag.name === 'node-label' ? text.split('=', 1)[0] : undefined
    if (label?.startsWith('k3os.io/') === true)
      for (const path of from) findings.push(translateFinding('TRN-K3OS-LABEL', { label }, { node, path }))
    else if (flag.name === 'cluster-secret') settings.set('token', text, from)
    else if (flag.name === 'config') userConfigFile = { value: text, from: [...userConfigFile.from, ...from] }
    else if (flag.name === 'kubelet-arg' && from[0]?.startsWith('k3os.taints[') === true)
      taints.push({ value: text.replace(/^register-with-taints=/, ''), from })
    else if (isRepeatable(flag, version)) settings.append(flag.name, [text], from)
    else settings.set(flag.name, value, from)
  }

  for (const argument of read) {
    const from = [...new Set(argument.at.flatMap((at) => words[at]?.from ?? []))]
    const refuse = (word: string, reason: string): void => {
      for (const path of from)
        findings.push(translateFinding('TRN-K3S-FLAG-REFUSED', { word, reason }, { node, path }))
    }
    switch (argument.kind) {
      case 'role':
        roleFrom.push(...from)
        break
      case 'refused':
        refuse(argument.word, argument.reason)
        break
      case 'ignored':
        for (const path of from)
          findings.push(translateFinding('TRN-K3S-ARGUMENT-IGNORED', undefined, { node, path }))
        break
      case 'flag': {
        const word = `--${argument.flag.name}`
        const reason = flagRefusal(argument.flag, role, version)
        if (reason !== null && !argument.flag.roles.includes(role)) refuse(word, reason)
        else keep(argument.flag, argument.value, from)
        // The node may well run it: some flags came to older lines as patches.
        if (reason !== null && argument.flag.roles.includes(role) && version !== null)
          findings.push(
            translateFinding('TRN-K3S-FLAG-DOUBTFUL', { word, reason, version }, { node, path: from[0] }),
          )
        break
      }
    }
  }
  return {
    role,
    roleFrom,
    settings,
    token: given === undefined ? null : { value: given, from: ['k3os.token'] },
    serverUrl: url === undefined ? null : { value: url, from: ['k3os.serverUrl'] },
    taints,
    userConfigFile,
    findings,
  }
}

/** Arguments with the value each word comes from; k3OS puts labels and taints behind `k3s_args`. */
export function wordsWithOrigin(
  effect: K3sEffect,
  config: K3osConfig,
): { text: string; from: ConfigPath[] }[] {
  const own = config.k3os.k3sArgs?.length ?? 0
  // By the whole text: a name may hold a "=" of its own, and then two labels may read the same.
  const labels = new Map<string, ConfigPath[]>()
  for (const [key, value] of Object.entries(config.k3os.labels ?? {})) {
    const text = `${key}=${value}`
    labels.set(text, [...(labels.get(text) ?? []), configPath('k3os', 'labels', key)])
  }
  const origin = (index: number): ConfigPath[] => {
    if (index < own) return [configPath('k3os', 'k3sArgs', index)]
    if (index < Math.max(own, 1)) return []
    // Behind them come pairs: a flag, and what it says.
    const start = Math.max(own, 1)
    const value = effect.args[index + (1 - ((index - start) % 2))] ?? ''
    if (effect.args[index - ((index - start) % 2)] === '--node-label') return labels.get(value) ?? []
    const taints = effect.args.slice(start, index).filter((word) => word === '--kubelet-arg').length
    const position = (index - start) % 2 === 0 ? taints : taints - 1
    return [configPath('k3os', 'taints', position)]
  }
  return effect.args.map((text, index) => ({ text, from: origin(index) }))
}

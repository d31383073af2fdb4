import type { Finding } from '../../src/core/findings.ts'
import { alpineToolsIn } from '../../src/core/host/commands.ts'
import { filePurpose } from '../../src/core/host/files.ts'
import type { K3osConfig } from '../../src/core/k3os/config.ts'
import { planFile, textOf, type PlannedFile } from '../../src/core/k3os/planned-file.ts'
import { apiEnd, minorOf } from '../../src/core/k3s/ladder.ts'
import { versionAtLeast } from '../../src/core/k3s/version.ts'
import { manifestObjects } from '../../src/core/manifest-objects.ts'
import { configPath, type ConfigPath } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { ForK3s } from './corrections.ts'

/** What the image has of what only k3OS had: the program that reads this configuration, and connman, whose files it writes. */
const brought = new Set(['k3os', 'connmanctl'])

/** What is carried as it is, and will not do on the image what it does on k3OS. */
export function remarks(config: K3osConfig, k3s: ForK3s | null, node: string): Finding[] {
  return [
    ...(['initCmd', 'bootCmd', 'runCmd'] as const).flatMap((list) =>
      (config[list] ?? []).flatMap((command, index) =>
        toolFinding(`a command of ${list}`, command, node, configPath(list, index)),
      ),
    ),
    ...(config.writeFiles ?? []).flatMap((file, index) => {
      const planned = planFile(file)
      return 'stage' in planned ? [] : fileRemarks(planned, index, k3s, node)
    }),
    ...tokenRemark(config, k3s),
  ]
}

function toolFinding(place: string, text: string, node: string, path: ConfigPath): Finding[] {
  const tools = alpineToolsIn(text).filter((tool) => !brought.has(tool))
  return tools.length === 0 ? [] : [translateFinding('TRN-MAINTAINED-TOOL', { place, tools }, { node, path })]
}

function fileRemarks(file: PlannedFile, index: number, k3s: ForK3s | null, node: string): Finding[] {
  const entry = configPath('writeFiles', index)
  const text = textOf(file)
  const purpose = filePurpose(file.path)
  switch (purpose) {
    case 'openrc':
    case 'local-d':
      return [translateFinding('TRN-MAINTAINED-OPENRC', { file: file.path }, { node, path: entry })]
    case 'k3s-manifest':
      return text === null || k3s === null ? [] : apiFindings(file.path, text, entry, k3s)
    case 'plain':
    case 'ephemeral':
      return text?.startsWith('#!') === true ? toolFinding(file.path, text, node, entry) : []
    case 'k3s-config':
    case 'connman':
    case 'environment':
    case 'unwritable':
      return []
  }
}

/** Agents apply no manifests, whatever is in them. */
function apiFindings(
  file: string,
  text: string,
  path: ConfigPath,
  { version, role, node }: ForK3s,
): Finding[] {
  const minor = minorOf(version)
  if (minor === null || role === 'agent') return []
  const ended = (manifestObjects(text) ?? []).filter(({ apiVersion, kind }) => {
    const end = apiEnd(apiVersion, kind)
    return end !== null && end.minor <= minor
  })
  if (ended.length === 0) return []
  const kinds = [...new Set(ended.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))]
  return [translateFinding('TRN-MAINTAINED-API', { file, kinds, version }, { node, path })]
}

function tokenRemark({ k3os: { token } }: K3osConfig, k3s: ForK3s | null): Finding[] {
  if (k3s === null || token === undefined || token.startsWith('K10')) return []
  if (versionAtLeast(k3s.version, '1.25.0') !== true) return []
  const { version, node } = k3s
  return [translateFinding('TRN-MAINTAINED-TOKEN', { version }, { node, path: 'k3os.token' })]
}

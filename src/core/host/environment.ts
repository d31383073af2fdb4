import type { Finding } from '../findings.ts'
import type { Effect } from '../k3os/effects.ts'
import { configPath, entriesOf } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import type { HostFile, HostModel } from './model.ts'

/**
 * What /etc/environment holds on k3OS: a file of write_files first, `k3os.environment` merged over it
 * (rancher/k3os pkg/cc/funcs.go ApplyEnvironment).
 */
export function hostEnvironment(
  node: string,
  file: HostFile | undefined,
  effects: readonly Effect[],
): { readonly environment: HostModel['environment']; readonly findings: readonly Finding[] } {
  const variables = new Map<string, HostModel['environment'][number]>()
  const findings: Finding[] = []
  const unread: string[] = []
  for (const raw of file === undefined ? [] : new TextDecoder().decode(file.content).split(/\r?\n/)) {
    const line = raw.trim()
    if (file === undefined || line === '' || line.startsWith('#')) continue
    const entry = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line)
    const name = entry?.[1]
    if (name === undefined) unread.push(line.split(/\s/, 1)[0] ?? '')
    else variables.set(name, { name, value: unquoted(entry?.[2] ?? ''), from: file.from })
  }
  if (file !== undefined && variables.size === 0 && unread.length === 0) unread.push('it has none at all')
  if (file !== undefined && unread.length > 0) {
    const where = { node, path: entriesOf(file.from)[0], discriminator: file.path }
    findings.push(translateFinding('TRN-ENVIRONMENT-FILE', { lines: unread.join(', ') }, where))
  }
  for (const effect of effects) {
    if (effect.kind !== 'environment') continue
    for (const [name, value] of Object.entries(effect.variables)) {
      const from = [configPath('k3os', 'environment', name)]
      variables.set(name, { name, value, from: [...(variables.get(name)?.from ?? []), ...from] })
    }
  }
  for (const { name, value, from } of variables.values())
    if (/[$`\r\n]/.test(value))
      findings.push(
        translateFinding(
          'TRN-ENVIRONMENT-EXPANDED',
          { name },
          { node, path: from.at(-1), discriminator: name },
        ),
      )
  return { environment: [...variables.values()], findings }
}

function unquoted(text: string): string {
  const match = /^"((?:[^"\\]|\\.)*)"$|^'([^']*)'$/.exec(text.trim())
  if (match === null) return text.trim()
  return match[2] ?? (match[1] ?? '').replaceAll(/\\(["\\$`])/g, '$1')
}

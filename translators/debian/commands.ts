import { alpineToolsIn } from '../../src/core/host/commands.ts'
import type { HostModel } from '../../src/core/host/model.ts'
import type { Finding } from '../../src/core/findings.ts'
import { utf8Decode } from '../../src/core/k3os/bytes.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'

export interface CommandParts {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
  readonly findings: readonly Finding[]
}

/** boot_cmd, run_cmd and /etc/local.d as units that keep k3OS's order at every boot. */
export function commandParts(
  host: HostModel,
  tools: TranslateTools,
  about: { readonly node: string; readonly target: string },
): CommandParts {
  const files: RootFile[] = []
  const units: string[] = []
  const findings: Finding[] = []
  for (const when of ['boot', 'run'] as const) {
    const list = host.commands.filter((command) => command.when === when)
    if (list.length === 0) continue
    const name = `${when}_cmd`
    const script = `${ownFolder}/${when}-cmd.sh`
    const commands = list.map((command) => ({
      command: command.command,
      carried: command.alpineTools.length === 0,
      tools: command.alpineTools.join(', '),
    }))
    const from = list.filter((command) => command.alpineTools.length === 0).flatMap((command) => command.from)
    files.push(
      rootFile(script, tools.render('debian/commands.sh.hbs', { list: name, commands }), {
        mode: 0o700,
        from,
      }),
      rootFile(
        `/etc/systemd/system/k3os-${when}-cmd.service`,
        tools.render(`debian/${when}-cmd.service.hbs`, { script }),
      ),
    )
    units.push(`k3os-${when}-cmd.service`)
    for (const command of list)
      if (command.alpineTools.length > 0)
        for (const path of command.from)
          findings.push(
            translateFinding(
              'TRN-ALPINE-COMMAND',
              { list: name, tools: command.alpineTools, target: about.target },
              { node: about.node, path },
            ),
          )
  }
  const scripts = host.files.filter((file) => file.purpose === 'local-d')
  if (scripts.length > 0) {
    const script = `${ownFolder}/local-d.sh`
    files.push(
      rootFile(script, tools.render('debian/local-d.sh.hbs', {}), { mode: 0o755 }),
      rootFile(
        '/etc/systemd/system/k3os-local-d.service',
        tools.render('debian/local-d.service.hbs', { script }),
      ),
    )
    units.push('k3os-local-d.service')
  }
  findings.push(...scriptFindings(host, about))
  return { files, units, findings }
}

/** Scripts among the files are carried whole: what they call cannot be taken out of them. */
function scriptFindings(host: HostModel, about: { node: string; target: string }): Finding[] {
  return host.files.flatMap((file) => {
    if (!['plain', 'ephemeral', 'local-d'].includes(file.purpose)) return []
    const text = utf8Decode(file.content)
    if (file.purpose !== 'local-d' && !text.startsWith('#!')) return []
    const tools = alpineToolsIn(text)
    if (tools.length === 0) return []
    return [
      translateFinding(
        'TRN-ALPINE-SCRIPT',
        { file: file.path, tools, target: about.target },
        { node: about.node, path: entriesOf(file.from)[0], discriminator: file.path },
      ),
    ]
  })
}

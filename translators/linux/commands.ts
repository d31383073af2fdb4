import { alpineToolsIn } from '../../src/core/host/commands.ts'
import type { HostModel } from '../../src/core/host/model.ts'
import type { Finding } from '../../src/core/findings.ts'
import { utf8Decode } from '../../src/core/k3os/bytes.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'
import type { About } from './system.ts'

/** One list of commands as a script that keeps k3OS's order at every boot. */
export interface CommandList {
  readonly when: 'boot' | 'run'
  readonly script: RootFile
}

/** boot_cmd and run_cmd, without what starts them; a command that needs what the system lacks is left out and reported. */
export function commandLists(
  host: HostModel,
  tools: TranslateTools,
  { node, system }: About,
): { readonly lists: readonly CommandList[]; readonly findings: readonly Finding[] } {
  const lists: CommandList[] = []
  const findings: Finding[] = []
  for (const when of ['boot', 'run'] as const) {
    const list = host.commands
      .filter((command) => command.when === when)
      .map((command) => ({
        ...command,
        lacking: command.alpineTools.filter((tool) => !system.hasTools.has(tool)),
      }))
    if (list.length === 0) continue
    const name = `${when}_cmd`
    const commands = list.map(({ command, lacking }) => ({
      command,
      carried: lacking.length === 0,
      tools: lacking.join(', '),
      shell: system.shell,
    }))
    const from = list.filter(({ lacking }) => lacking.length === 0).flatMap((command) => command.from)
    lists.push({
      when,
      script: rootFile(
        `${ownFolder}/${when}-cmd.sh`,
        tools.render('linux/commands.sh.hbs', { list: name, commands }),
        { mode: 0o700, from },
      ),
    })
    for (const command of list)
      if (command.lacking.length > 0)
        for (const path of command.from)
          findings.push(
            translateFinding(
              'TRN-ALPINE-COMMAND',
              { list: name, tools: command.lacking, target: system.title },
              { node, path },
            ),
          )
  }
  return { lists, findings: [...findings, ...scriptFindings(host, { node, system })] }
}

/** Scripts among the files are carried whole: what they call cannot be taken out of them. */
function scriptFindings(host: HostModel, { node, system }: About): Finding[] {
  return host.files.flatMap((file) => {
    if (!['plain', 'ephemeral', 'local-d'].includes(file.purpose)) return []
    const text = utf8Decode(file.content)
    if (file.purpose !== 'local-d' && !text.startsWith('#!')) return []
    const tools = alpineToolsIn(text).filter((tool) => !system.hasTools.has(tool))
    if (tools.length === 0) return []
    return [
      translateFinding(
        'TRN-ALPINE-SCRIPT',
        { file: file.path, tools, target: system.title },
        { node, path: entriesOf(file.from)[0], discriminator: file.path },
      ),
    ]
  })
}

import type { HostModel } from '../../src/core/host/model.ts'
import type { Finding } from '../../src/core/findings.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { commandLists } from './commands.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'
import type { About } from './system.ts'

interface CommandParts {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
  readonly findings: readonly Finding[]
}

/** boot_cmd, run_cmd and /etc/local.d as units that keep k3OS's order at every boot. */
export function commandParts(host: HostModel, tools: TranslateTools, about: About): CommandParts {
  const { lists, findings } = commandLists(host, tools, about)
  const files: RootFile[] = []
  const units: string[] = []
  for (const { when, script } of lists) {
    files.push(
      script,
      rootFile(
        `/etc/systemd/system/k3os-${when}-cmd.service`,
        tools.render(`linux/${when}-cmd.service.hbs`, { script: script.path }),
      ),
    )
    units.push(`k3os-${when}-cmd.service`)
  }
  if (host.files.some((file) => file.purpose === 'local-d')) {
    const script = `${ownFolder}/local-d.sh`
    files.push(
      rootFile(script, tools.render('linux/local-d.sh.hbs', {}), { mode: 0o755 }),
      rootFile(
        '/etc/systemd/system/k3os-local-d.service',
        tools.render('linux/local-d.service.hbs', { script }),
      ),
    )
    units.push('k3os-local-d.service')
  }
  return { files, units, findings }
}

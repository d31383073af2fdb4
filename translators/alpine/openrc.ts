import type { HostFile, HostModel } from '../../src/core/host/model.ts'
import type { Finding } from '../../src/core/findings.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import { sh } from '../../src/core/shell.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { commandLists } from '../linux/commands.ts'
import { k3sConfiguration } from '../linux/k3s.ts'
import { ownFolder, rootFile, type RootFile } from '../linux/root-file.ts'
import { k3sLinkNames } from '../linux/system-files.ts'
import type { About } from '../linux/system.ts'
import { keptFiles } from '../linux/written-files.ts'

/** A service and the runlevel it belongs to. */
export interface Service {
  readonly name: string
  readonly runlevel: 'boot' | 'default'
}

interface OpenRcParts {
  readonly files: readonly RootFile[]
  readonly services: readonly Service[]
  readonly findings: readonly Finding[]
}

/** boot_cmd and run_cmd as services; /etc/local.d is OpenRC's own, and only has to wait for them. */
export function commandParts(host: HostModel, tools: TranslateTools, about: About): OpenRcParts {
  const { lists, findings } = commandLists(host, tools, about)
  const files: RootFile[] = []
  const services: Service[] = []
  for (const { when, script } of lists) {
    const name = `k3os-${when}-cmd`
    files.push(
      script,
      rootFile(`/etc/init.d/${name}`, tools.render(`alpine/${when}-cmd.hbs`, { script: script.path }), {
        mode: 0o755,
      }),
    )
    services.push({ name, runlevel: when === 'boot' ? 'boot' : 'default' })
  }
  services.push({ name: 'local', runlevel: 'default' })
  return { files, services, findings }
}

/** k3s under supervise-daemon, and the gate in front of it. */
export function k3sParts(
  { k3s }: HostModel,
  tools: TranslateTools,
  { system }: About,
): Omit<OpenRcParts, 'findings'> {
  const own = k3sConfiguration(k3s, system.k3sBinary)
  if (own === null) return { files: [], services: [] }
  const environmentFile = `/etc/rancher/k3s/${own.service}.env`
  const logFile = `/var/log/${own.service}.log`
  const [binary = '', ...words] = own.command
  const folder = system.k3sBinary.slice(0, system.k3sBinary.lastIndexOf('/'))
  return {
    files: [
      ...own.files,
      rootFile(
        `/etc/init.d/${own.service}`,
        tools.render('alpine/k3s.hbs', {
          role: k3s.role,
          release: releasePath,
          binary,
          // OpenRC evaluates the words once more.
          words: sh(words.map(sh).join(' ')),
          environmentFile,
          logFile,
          folder,
          links: k3sLinkNames.join(' '),
        }),
        { mode: 0o755, from: own.commandFrom },
      ),
      ...(own.environment.length === 0
        ? []
        : [
            rootFile(
              environmentFile,
              own.environment.map(({ name, value }) => `${name}=${sh(value)}\n`).join(''),
              { mode: 0o600, from: own.environment.flatMap((variable) => variable.from) },
            ),
          ]),
      rootFile(
        `${ownFolder}/release.sh`,
        tools.render('alpine/release.sh.hbs', { release: releasePath, service: own.service }),
        { mode: 0o755 },
      ),
      rootFile(
        '/etc/init.d/k3os-migrate-release',
        tools.render('alpine/release.hbs', { release: releasePath, service: own.service, folder: ownFolder }),
        { mode: 0o755 },
      ),
      rootFile('/etc/periodic/daily/k3s-log', tools.render('alpine/k3s-log.sh.hbs', { logFile }), {
        mode: 0o755,
      }),
    ],
    services: [
      { name: 'cgroups', runlevel: 'boot' },
      { name: own.service, runlevel: 'default' },
      { name: 'k3os-migrate-release', runlevel: 'default' },
    ],
  }
}

/** Files below /run, /tmp and /dev are written again at each boot, before the commands. */
export function memoryParts(
  files: readonly HostFile[],
  tools: TranslateTools,
): Omit<OpenRcParts, 'findings'> {
  if (files.length === 0) return { files: [], services: [] }
  const all = keptFiles(files)
  const script = `${ownFolder}/files.sh`
  return {
    files: [
      ...all.map(({ kept }) => kept),
      rootFile(
        script,
        tools.render('alpine/files.sh.hbs', {
          files: all.map(({ kept, target, mode, user, group }) => ({
            kept: kept.path,
            target,
            mode,
            user,
            group,
          })),
        }),
        { mode: 0o755 },
      ),
      rootFile('/etc/init.d/k3os-files', tools.render('alpine/files.hbs', { script }), { mode: 0o755 }),
    ],
    services: [{ name: 'k3os-files', runlevel: 'boot' }],
  }
}

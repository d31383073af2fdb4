import type { HostModel } from '../../src/core/host/model.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { k3sConfiguration } from './k3s.ts'
import { rootFile, type RootFile } from './root-file.ts'
import type { LinuxSystem } from './system.ts'
import { environmentLine, execWord } from './systemd.ts'

interface K3sParts {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
}

const releaseUnit = 'k3os-migrate-release.path'

/** k3s of the node's own version: configuration, token, node password, service, and the gate in front of it. */
export function k3sParts({ k3s }: HostModel, system: LinuxSystem, tools: TranslateTools): K3sParts {
  const own = k3sConfiguration(k3s, system.k3sBinary)
  if (own === null) return { files: [], units: [] }
  const service = `${own.service}.service`
  const environmentFile = `/etc/systemd/system/${service}.env`
  const unit = tools.render('linux/k3s.service.hbs', {
    role: k3s.role,
    release: releasePath,
    releaseUnit,
    kernelArgument: k3s.needsCgroupV1 ? (system.cgroupV1?.[0] ?? null) : null,
    // As k3s's own installer of those years: agents were not started with `notify` (k3s-io/k3s install.sh).
    type: k3s.role === 'server' ? 'notify' : 'exec',
    environmentFile,
    beforeStart: system.beforeK3s,
    command: own.command.map(execWord).join(' '),
  })
  return {
    files: [
      ...own.files,
      rootFile(`/etc/systemd/system/${service}`, unit, { from: own.commandFrom }),
      ...(own.environment.length === 0
        ? []
        : [
            rootFile(
              environmentFile,
              own.environment.map(({ name, value }) => `${environmentLine(name, value)}\n`).join(''),
              { mode: 0o600, from: own.environment.flatMap((variable) => variable.from) },
            ),
          ]),
      rootFile(
        `/etc/systemd/system/${releaseUnit}`,
        tools.render('linux/release.path.hbs', { release: releasePath, unit: service }),
      ),
    ],
    units: [service, releaseUnit],
  }
}

import type { Finding } from '../../src/core/findings.ts'
import type { TranslateTools, TranslationSource } from '../../src/core/translation.ts'
import type { HostFile } from '../../src/core/host/model.ts'
import { rootFile, withoutCollisions, type RootFile } from './root-file.ts'
import { k3sLinks, systemFiles } from './system-files.ts'
import type { LinuxSystem } from './system.ts'
import { tmpfilesPath } from './systemd.ts'
import { commandParts } from './systemd-commands.ts'
import { k3sParts } from './systemd-k3s.ts'
import { keptFiles, writtenFiles } from './written-files.ts'

/** A node on a distribution with systemd, but for its network, user and way in: plain files, and the units to enable. */
export interface SystemdNode {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
  readonly findings: readonly Finding[]
}

/** `own` are files of the target itself; no file of the configuration may stand in their place. */
export function systemdNode(
  { host, name, nonce }: Pick<TranslationSource, 'host' | 'name' | 'nonce'>,
  system: LinuxSystem,
  tools: TranslateTools,
  own: readonly RootFile[] = [],
): SystemdNode {
  const about = { node: name, system }
  const k3s = k3sParts(host, system, tools)
  const commands = commandParts(host, tools, about)
  const written = writtenFiles(host, about)
  const ours = [
    ...systemFiles(host, system, nonce),
    ...own,
    ...k3sLinks(host, system),
    ...k3s.files,
    ...commands.files,
  ]
  const inMemory = tmpfiles(written.inMemory)
  const { kept, findings: collisions } = withoutCollisions(name, written.files, [...ours, ...inMemory])
  return {
    files: [...ours, ...kept, ...inMemory],
    units: [...k3s.units, ...commands.units],
    findings: [...commands.findings, ...written.findings, ...collisions],
  }
}

/** Files below /run, /tmp and /dev are copied at each boot by systemd-tmpfiles, before the commands. */
function tmpfiles(files: readonly HostFile[]): RootFile[] {
  if (files.length === 0) return []
  const all = keptFiles(files)
  const text = all.map(
    ({ kept, target, mode, user, group }) =>
      `C ${tmpfilesPath(target)} ${mode} ${user} ${group} - ${kept.path}\n`,
  )
  return [...all.map(({ kept }) => kept), rootFile('/etc/tmpfiles.d/k3os-files.conf', text.join(''))]
}

import type { Finding } from '../../src/core/findings.ts'
import type { HostFile, HostModel } from '../../src/core/host/model.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'
import type { About } from './system.ts'

interface Written {
  readonly files: readonly RootFile[]
  /** Below /run, /tmp and /dev: something must make them again at each boot. */
  readonly inMemory: readonly HostFile[]
  readonly findings: readonly Finding[]
}

/** The files of write_files, each by what it is for. */
export function writtenFiles(host: HostModel, about: About): Written {
  const { title, init } = about.system
  const files: RootFile[] = []
  const findings: Finding[] = []
  const inMemory: HostFile[] = []
  let once = 0
  for (const file of host.files) {
    const facts = { file: file.path, target: title }
    const report = (
      id:
        | 'TRN-FILE-OPENRC'
        | 'TRN-FILE-OWN-BOOT'
        | 'TRN-FILE-READ-ONLY'
        | 'TRN-MANIFEST-ON-AGENT'
        | 'TRN-FILE-EPHEMERAL',
    ): void => {
      for (const path of entriesOf(file.from))
        findings.push(translateFinding(id, facts, { node: about.node, path }))
    }
    let carried = true
    const place = placeOf(file, host, about)
    switch (place) {
      case 'disk':
        // k3s's configuration may hold passwords of registries and datastores; root reads it anyway.
        files.push(file.purpose === 'k3s-config' ? { ...asIs(file), mode: file.mode & 0o700 } : asIs(file))
        once += 1
        break
      case 'memory':
        inMemory.push(file)
        report('TRN-FILE-EPHEMERAL')
        break
      case 'read-only':
        report('TRN-FILE-READ-ONLY')
        carried = false
        break
      case 'agent':
        report('TRN-MANIFEST-ON-AGENT')
        carried = false
        break
      case 'init':
        report(init === 'openrc' ? 'TRN-FILE-OWN-BOOT' : 'TRN-FILE-OPENRC')
        carried = false
        break
      case 'elsewhere':
        carried = false
        break
    }
    if (carried && !/^(?:|(?:root|rancher|\d+)(?::(?:root|rancher|\d+))?)$/.test(file.owner))
      findings.push(
        translateFinding(
          'TRN-FILE-OWNER',
          { ...facts, owner: file.owner },
          { node: about.node, path: entriesOf(file.from)[0], discriminator: file.path },
        ),
      )
  }
  if (once > 0)
    findings.push(translateFinding('TRN-FILE-ONCE', { count: once, target: title }, { node: about.node }))
  return { files, inMemory, findings }
}

/** `elsewhere`: part of the network configuration, of the variables, or of nothing. */
type Place = 'disk' | 'memory' | 'read-only' | 'agent' | 'init' | 'elsewhere'

function placeOf(file: HostFile, host: HostModel, { system }: About): Place {
  const onDisk = system.readOnly.some((folder) => file.path.startsWith(folder)) ? 'read-only' : 'disk'
  switch (file.purpose) {
    case 'plain':
    case 'local-d':
    case 'k3s-config':
      return onDisk
    case 'k3s-manifest':
      return host.k3s.role === 'server' ? onDisk : 'agent'
    case 'ephemeral':
      return 'memory'
    case 'openrc':
      // Services and their settings mean the same to every OpenRC; which of them start, and init itself, do not.
      return system.init === 'openrc' && /^\/etc\/(?:init|conf)\.d\//.test(file.path) ? onDisk : 'init'
    case 'connman':
    case 'environment':
    case 'unwritable':
      return 'elsewhere'
  }
}

function asIs(file: HostFile): RootFile {
  return rootFile(file.path, file.content, {
    mode: file.mode,
    owner: file.owner === '' ? 'root:root' : file.owner.includes(':') ? file.owner : `${file.owner}:root`,
    from: file.from,
  })
}

/** A file below /run, /tmp or /dev: its content kept aside, and where it belongs at each boot. */
export interface KeptFile {
  readonly kept: RootFile
  readonly target: string
  /** Four octal digits. */
  readonly mode: string
  readonly user: string
  readonly group: string
}

export function keptFiles(files: readonly HostFile[]): KeptFile[] {
  return files.map((file, index) => {
    const [user = 'root', group = 'root'] = file.owner === '' ? [] : file.owner.split(':')
    return {
      kept: rootFile(`${ownFolder}/files/${index}${file.path.replaceAll('/', '-')}`, file.content, {
        mode: 0o600,
        from: file.from,
      }),
      target: file.path.replace(/^\/var\/run\//, '/run/'),
      mode: file.mode.toString(8).padStart(4, '0'),
      user,
      group,
    }
  })
}

import type { Finding } from '../../src/core/findings.ts'
import type { HostFile, HostModel } from '../../src/core/host/model.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'
import { tmpfilesPath } from './systemd.ts'

interface Written {
  readonly files: readonly RootFile[]
  readonly findings: readonly Finding[]
}

/** The files of write_files, each by what it is for. */
export function writtenFiles(
  host: HostModel,
  about: { readonly node: string; readonly target: string },
): Written {
  const files: RootFile[] = []
  const findings: Finding[] = []
  const inMemory: HostFile[] = []
  let once = 0
  for (const file of host.files) {
    const facts = { file: file.path, target: about.target }
    const report = (id: 'TRN-FILE-OPENRC' | 'TRN-MANIFEST-ON-AGENT' | 'TRN-FILE-EPHEMERAL'): void => {
      for (const path of entriesOf(file.from))
        findings.push(translateFinding(id, facts, { node: about.node, path }))
    }
    switch (file.purpose) {
      case 'plain':
      case 'local-d':
        files.push(asIs(file))
        once += 1
        break
      case 'k3s-config':
        // May hold passwords of registries and datastores; root reads it anyway.
        files.push({ ...asIs(file), mode: file.mode & 0o700 })
        once += 1
        break
      case 'k3s-manifest':
        if (host.k3s.role === 'server') {
          files.push(asIs(file))
          once += 1
        } else report('TRN-MANIFEST-ON-AGENT')
        break
      case 'ephemeral':
        inMemory.push(file)
        report('TRN-FILE-EPHEMERAL')
        break
      case 'openrc':
        report('TRN-FILE-OPENRC')
        break
      case 'connman':
      case 'environment':
      case 'unwritable':
        // Part of the network configuration, of the variables, or of nothing.
        break
    }
    const carried = ['plain', 'local-d', 'k3s-config', 'k3s-manifest', 'ephemeral'].includes(file.purpose)
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
    findings.push(
      translateFinding('TRN-FILE-ONCE', { count: once, target: about.target }, { node: about.node }),
    )
  return { files: [...files, ...tmpfiles(inMemory)], findings }
}

function asIs(file: HostFile): RootFile {
  return rootFile(file.path, file.content, {
    mode: file.mode,
    owner: file.owner === '' ? 'root:root' : file.owner.includes(':') ? file.owner : `${file.owner}:root`,
    from: file.from,
  })
}

/** Files below /run, /tmp and /dev: kept aside, and copied at each boot by systemd-tmpfiles, before the commands. */
function tmpfiles(files: readonly HostFile[]): RootFile[] {
  if (files.length === 0) return []
  const kept = files.map((file, index) =>
    rootFile(`${ownFolder}/files/${index}${file.path.replaceAll('/', '-')}`, file.content, {
      mode: 0o600,
      from: file.from,
    }),
  )
  const text = files.map((file, index) => {
    const [user = 'root', group = 'root'] = file.owner === '' ? [] : file.owner.split(':')
    const target = file.path.replace(/^\/var\/run\//, '/run/')
    const mode = file.mode.toString(8).padStart(4, '0')
    return `C ${tmpfilesPath(target)} ${mode} ${user} ${group} - ${kept[index]?.path ?? ''}\n`
  })
  return [...kept, rootFile('/etc/tmpfiles.d/k3os-files.conf', text.join(''))]
}

import type { ConfigSources, SourceText, UnreadableSource } from './config.ts'
import type { Phase } from './effects.ts'

/** Where the sources lie on a node. */
export const sourcePaths = {
  system: '/k3os/system/config.yaml',
  cmdline: '/proc/cmdline',
  local: '/var/lib/rancher/k3os/config.yaml',
  localHostname: '/run/config/local_hostname',
  authorizedKeys: '/run/config/ssh/authorized_keys',
  userdata: '/run/config/userdata',
} as const
export const dropInDirectory = '/var/lib/rancher/k3os/config.d'

/**
 * How the files of one node are reached: below a root directory, inside a bundle, on a mounted disk. Paths are those of
 * the running node. A path that does not exist is `undefined`; what exists and cannot be read says why.
 */
export interface NodeFiles {
  read(path: string): Promise<SourceText | UnreadableSource | undefined>
  /** Names of all entries of a directory, hidden ones too; `undefined` when there is none. */
  list(path: string): Promise<readonly string[] | UnreadableSource | undefined>
}

/** Collects the sources of one node. An entry of the drop-in directory that vanished or dangles is no source. */
export async function configSourcesFrom(files: NodeFiles): Promise<ConfigSources> {
  const entries = await Promise.all(
    Object.entries(sourcePaths).map(async ([name, path]) => [name, await files.read(path)] as const),
  )
  const present = entries.filter(([, source]) => source !== undefined)
  const names = await files.list(dropInDirectory)
  const configD: (SourceText | UnreadableSource)[] = []
  if (names !== undefined && 'unreadable' in names) configD.push(names)
  else
    for (const name of names ?? []) {
      const source = await files.read(`${dropInDirectory}/${name}`)
      if (source !== undefined) configD.push(source)
    }
  return { ...(Object.fromEntries(present) as Omit<ConfigSources, 'configD'>), configD }
}

/**
 * The sources that exist when a phase runs. In the initrd of a disk install nothing is mounted yet, so only the kernel
 * command line counts; before the runtime phase the metadata service has not run.
 */
export function sourcesIn(phase: Phase, mode: string, sources: ConfigSources): ConfigSources {
  const { localHostname: _hostname, authorizedKeys: _keys, userdata: _userdata, ...files } = sources
  switch (phase) {
    case 'initrd': {
      const { system: _system, ...overlay } = files
      const { local: _local, ...commandLine } = overlay
      return mode === 'disk' || mode === '' ? { ...commandLine, configD: [] } : overlay
    }
    case 'boot':
      return files
    case 'runtime':
    case 'install':
      return sources
  }
}

import type { HostModel } from '../../src/core/host/model.ts'
import { toBase64 } from '../../src/core/base64.ts'
import type { RootFile } from './root-file.ts'

/** What both forms of the configuration are made of: JSON for Ignition, YAML for Butane. */
export interface IgnitionSource {
  readonly host: HostModel
  readonly files: readonly RootFile[]
  /** Names of units to enable; their texts are among the files. */
  readonly units: readonly string[]
}

interface Unit {
  readonly name: string
  readonly enabled: boolean
  readonly contents: string
}

const unitFolder = /^\/etc\/systemd\/system\/([^/]+\.(?:service|path))$/

/** Units as Ignition has them: ours by name and text, so that enabling one cannot miss it. */
export function unitsOf({ files, units }: IgnitionSource): Unit[] {
  return files.flatMap((file) => {
    const name = unitFolder.exec(file.path)?.[1]
    return name !== undefined && units.includes(name)
      ? [{ name, enabled: true, contents: new TextDecoder().decode(file.content) }]
      : []
  })
}

/** All other files. */
export function plainFiles({ files, units }: IgnitionSource): RootFile[] {
  return files.filter((file) => !units.includes(unitFolder.exec(file.path)?.[1] ?? ''))
}

/** Who owns a file, by name or number; root is nobody's business to say. */
export function ownership(owner: string): { user?: object; group?: object } {
  const [user = 'root', group = 'root'] = owner.split(':')
  const who = (name: string): object => (/^\d+$/.test(name) ? { id: Number(name) } : { name })
  return {
    ...(user === 'root' ? {} : { user: who(user) }),
    ...(group === 'root' ? {} : { group: who(group) }),
  }
}

/** The user of k3OS, under the names each of the two forms has. */
export function userEntry(
  { user }: HostModel,
  names: { readonly password: string; readonly keys: string },
): object {
  return {
    name: user.name,
    uid: user.uid,
    gecos: 'k3OS user',
    shell: '/bin/bash',
    ...(user.password?.encrypted === true ? { [names.password]: user.password.value } : {}),
    ...(user.authorizedKeys.length === 0
      ? {}
      : { [names.keys]: user.authorizedKeys.map((key) => key.value) }),
  }
}

/**
 * The document Ignition reads, of spec 3.3.0, which every supported Flatcar and MicroOS understands. Modes are decimal
 * numbers there, and contents are data URLs. Holds secrets.
 */
export function ignition(source: IgnitionSource): object {
  return {
    ignition: { version: '3.3.0' },
    passwd: {
      users: [userEntry(source.host, { password: 'passwordHash', keys: 'sshAuthorizedKeys' })],
    },
    storage: {
      files: plainFiles(source).map((file) => ({
        path: file.path,
        mode: file.mode,
        overwrite: true,
        ...ownership(file.owner),
        contents: { source: `data:;base64,${toBase64(file.content)}` },
      })),
    },
    systemd: { units: unitsOf(source) },
  }
}

import { compareText } from '../../src/core/findings.ts'
import { tar } from '../../src/core/tar.ts'
import type { RootFile } from '../linux/root-file.ts'

/** A symbolic link of the new system's root. */
export interface RootLink {
  readonly path: string
  readonly target: string
}

/**
 * Files and links as one archive to lay over a root tree. It names no folders: tar makes those that are missing, and those
 * that are there keep their modes and may be links, as /lib is. Owners are numbers, as k3OS, which unpacks it, has other
 * names; a name that the tree's own users must resolve counts as root until then (`ownerLines`).
 */
export function rootTar(
  files: readonly RootFile[],
  links: readonly RootLink[],
  user: { readonly name: string; readonly uid: number },
): Uint8Array {
  const number = (name: string): string =>
    /^\d+$/.test(name) ? name : name === user.name ? String(user.uid) : '0'
  const entries = [
    ...files.map(({ path, mode, owner, content }) => ({
      path: withoutSlash(path),
      mode,
      owner: owner.split(':').map(number).join(':'),
      content,
    })),
    ...links.map(({ path, target }) => ({
      path: withoutSlash(path),
      mode: 0o777,
      owner: '0:0',
      content: new Uint8Array(),
      link: target,
    })),
  ]
  return tar(entries.toSorted((a, b) => compareText(a.path, b.path)))
}

function withoutSlash(path: string): string {
  return path.replace(/^\/+/, '')
}

const targets = /^WantedBy=(.+)$/m

/** Enables units of ours as `systemctl enable` would, by the `WantedBy` of each. */
export function enabled(units: readonly string[], files: readonly RootFile[]): RootLink[] {
  const decoder = new TextDecoder()
  return units.flatMap((unit) => {
    const file = files.find(({ path }) => path === `/etc/systemd/system/${unit}`)
    const wanted = targets.exec(decoder.decode(file?.content))?.[1]?.split(' ') ?? []
    return wanted.map((target) => ({
      path: `/etc/systemd/system/${target}.wants/${unit}`,
      target: `../${unit}`,
    }))
  })
}

/** Enables a unit of the tree's packages. */
export function enabledOfTree(target: string, unit: string, name = unit): RootLink {
  const link = target === '' ? name : `${target}.wants/${name}`
  return { path: `/etc/systemd/system/${link}`, target: `/usr/lib/systemd/system/${unit}` }
}

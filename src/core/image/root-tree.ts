import { z } from 'zod'
import { exitCode, MigrateError } from '../errors.ts'
import { compareText } from '../findings.ts'
import { treeArchitectures } from './packages.ts'

/** Describes one root tree; lies beside it as `ID.manifest.json`. */
export const treeManifestSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('RootTree'),
  id: z.string(),
  title: z.string(),
  release: z.string(),
  architecture: z.enum(treeArchitectures),
  /** Seconds since 1970 (SOURCE_DATE_EPOCH): nothing in the tree is younger. */
  epoch: z.number(),
  /** Where its packages came from, and which state of it: the date that the mirror gives its lists. */
  sources: z.array(
    z.strictObject({
      uri: z.string(),
      suite: z.string(),
      components: z.array(z.string()),
      date: z.string(),
    }),
  ),
  /** The disk image that it was made of, if it was. */
  image: z.strictObject({ file: z.string(), sha256: z.string() }).optional(),
  /** Of the compressed archive. */
  archive: z.strictObject({ file: z.string(), bytes: z.number(), sha256: z.string() }),
  /** What it takes unpacked, and how many inodes. */
  unpackedBytes: z.number(),
  entries: z.number(),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string() })),
  /** Every regular file: path below the root, mode as `0644`, and what it holds. */
  files: z.array(
    z.strictObject({ path: z.string(), mode: z.string(), bytes: z.number(), sha256: z.string() }),
  ),
})
export type TreeManifest = z.infer<typeof treeManifestSchema>

/** The one file of the tree that says which packages are in it. */
export const packageStatusPath = 'var/lib/dpkg/status'

/** Packages in dpkg's status file, sorted by name; exit 65 when one is only half installed. */
export function installedPackages(status: string): TreeManifest['packages'] {
  return status
    .split(/\n\n+/)
    .flatMap((stanza) => {
      const field = (name: string): string =>
        new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? ''
      const [name, version, state] = [field('Package'), field('Version'), field('Status')]
      if (name === '' || state.endsWith('not-installed')) return []
      // Someone who holds a package back has it.
      if (!/^(?:install|hold) ok installed$/.test(state))
        throw new MigrateError(`${name} was not installed: its state is "${state}"`, {
          exitCode: exitCode.badInput,
          hint: 'build again; when it stays so, another mirror may have it: --mirror URL',
        })
      return [{ name, version }]
    })
    .toSorted((a, b) => compareText(a.name, b.name))
}

/**
 * Input of `sha256sum -c` in the root of the tree. busybox takes a name as it stands, backslashes too, and so does coreutils in a
 * line that begins with none. Exit 65 for a name with a line end, which no line can say to both.
 */
export function checksumLines(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  return files
    .map(({ path, sha256 }) => {
      if (path.includes('\n'))
        throw new MigrateError(
          `the root tree has a file with a line end in its name: ${JSON.stringify(path)}`,
          {
            exitCode: exitCode.badInput,
            hint: 'leave it out: it could not be read back on the node',
          },
        )
      return `${sha256}  ./${path}\n`
    })
    .join('')
}

/** Exit 65 when what was built, or given, cannot boot beside k3OS. */
export function requireBootable(paths: ReadonlySet<string>, file: string): void {
  const missing = ['vmlinuz', 'initrd.img', 'state', 'usr/sbin/sshd'].filter((path) => !paths.has(path))
  const unwanted = ['usr/sbin/update-grub', 'usr/bin/cloud-init'].filter((path) => paths.has(path))
  if (missing.length === 0 && unwanted.length === 0) return
  const says = [
    ...missing.map((path) => `it has no /${path}`),
    ...unwanted.map((path) => `it has /${path}, which would undo the way back to k3OS`),
  ]
  throw new MigrateError(`this root tree cannot boot beside k3OS: ${says.join('; ')}`, {
    exitCode: exitCode.badInput,
    position: { file },
    hint: 'make one with "k3os-migrate image build --target debian"',
  })
}

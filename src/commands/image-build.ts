import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { diskError, makeFolders, sha256, systemCode, writeWhole } from '../adapters/files.ts'
import { fetchFromMirror, freeBytes, hostArchitecture, lackingTools } from '../adapters/image/build-host.ts'
import { formatOfImage, readImageRoot, type ImageRoot } from '../adapters/image/disk-image.ts'
import { runMmdebstrap, type TreeBase, type TreeBuild } from '../adapters/image/mmdebstrap.ts'
import { writeTree, type WrittenTree } from '../adapters/image/write-tree.ts'
import { treeOverlay } from '../adapters/tree-overlay.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { hostTools, missingTools } from '../core/image/build-failure.ts'
import type { ImageFormat } from '../core/image/disk-image.ts'
import { unwantedPackages } from '../core/image/image-system.ts'
import { readInRelease, requireRelease } from '../core/image/in-release.ts'
import {
  chosenMirrors,
  treeId,
  treeKernel,
  treePackages,
  treeReleases,
  treeSources,
  type PackageSource,
  type TreeArchitecture,
  type TreeExtra,
  type TreeRelease,
  type TreeWish,
} from '../core/image/packages.ts'
import {
  installedPackages,
  packageStatusPath,
  requireBootable,
  treeManifestSchema,
  type TreeManifest,
} from '../core/image/root-tree.ts'
import type { CommandIo } from './io.ts'

export interface ImageBuildOptions {
  readonly target: 'debian'
  readonly release: TreeRelease
  readonly arch: TreeArchitecture
  readonly with?: readonly TreeExtra[]
  /** False for `--no-firmware`. */
  readonly firmware: boolean
  /** A cloud image of that release to begin with. */
  readonly image?: string
  /** Mirrors of Debian; default: Debian's own. */
  readonly mirror?: string
  readonly securityMirror?: string
  /** Folder for the archive, its manifest and their checksums. */
  readonly out: string
  readonly output: 'table' | 'json'
}

const mebibyte = 2 ** 20
/** Unpacked tree, packages and the archive of the largest choice, with a margin. */
const neededBytes = { building: 2048 * mebibyte, image: 3072 * mebibyte, result: 512 * mebibyte }
/** Something is said at least so often. */
const heartbeatMs = 30_000

/** Makes a root tree for moves in place: `ID.tar.zst`, `ID.manifest.json` and `ID.sha256` in the folder. */
export async function imageBuild(options: ImageBuildOptions, io: CommandIo): Promise<ExitCode> {
  const wish: TreeWish = {
    release: options.release,
    architecture: options.arch,
    extras: options.with ?? [],
    firmware: options.firmware,
  }
  const image = options.image === undefined ? undefined : resolve(io.cwd, options.image)
  await requireTools(wish, image === undefined ? undefined : await formatOfImage(image), io)
  const sources = treeSources(wish, chosenMirrors(options.mirror, options.securityMirror))
  if (sources.length === 1)
    io.err('it will have no security updates: name the mirror that has them with --security-mirror URL\n')
  const directory = resolve(io.cwd, options.out)
  const cache = join(cacheFolder(io), 'packages', `${wish.release}-${wish.architecture}`)
  await makeFolder(directory)
  await makeFolder(cache)
  await requireSpace(directory, neededBytes.result, 'choose another folder: --out DIR')
  const building = neededBytes.building + (image === undefined ? 0 : neededBytes.image)
  await requireSpace(tmpdir(), building, 'free some, or build elsewhere: TMPDIR=/another/folder')

  const work = await mkdtemp(join(tmpdir(), 'k3os-migrate-tree-'))
  try {
    const snapshots = await snapshotsOf(sources, wish, work, io)
    const epoch = epochOf(io, snapshots)
    const id = treeId(wish, image === undefined ? 'packages' : 'image')
    const file = join(directory, `${id}.tar.zst`)
    const overlay = join(work, 'overlay.tar')
    await writeFile(overlay, treeOverlay())
    const packages = treePackages(wish)
    const base =
      image === undefined
        ? undefined
        : await readImageRoot(
            image,
            wish,
            work,
            (step) => {
              io.err(`${step}\n`)
            },
            io.signal,
          )
    const from = base === undefined ? '' : 'the image, '
    io.err(
      `making ${id} from ${from}${packages.length} packages and what they need; this takes some minutes\n`,
    )
    const written = await withHeartbeat(io, async (onLine) =>
      build(file, {
        suite: wish.release,
        architecture: wish.architecture,
        base: base === undefined ? undefined : treeBase(base, wish),
        packages,
        sources,
        overlay,
        cache,
        epoch,
        signal: io.signal,
        onLine,
      }),
    )
    const manifest = manifestOf(id, wish, epoch, snapshots, base?.origin, written)
    await writeBeside(directory, manifest, io.signal)
    io.out(
      options.output === 'json' ? `${JSON.stringify(manifest, null, 1)}\n` : summary(manifest, options.out),
    )
    return exitCode.ok
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function treeBase({ archive, status }: ImageRoot, wish: TreeWish): TreeBase {
  return { archive, kernel: treeKernel(wish), removed: unwantedPackages(status) }
}

async function requireTools(
  { architecture }: TreeWish,
  image: ImageFormat | undefined,
  { env }: CommandIo,
): Promise<void> {
  const root = process.getuid?.() === 0
  if (image !== undefined && !root)
    throw new MigrateError('only root can read the files of a disk image as they are', {
      exitCode: exitCode.permission,
      hint: 'sudo k3os-migrate image build --image FILE …',
    })
  const tools = hostTools({ root, foreign: hostArchitecture() !== architecture, image })
  const missing = await lackingTools(tools, env['PATH'] ?? '')
  if (missing.length > 0) throw missingTools(missing)
}

async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path, 0o777)
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new MigrateError(`no folder can be made at ${path}`, {
        exitCode: exitCode.io,
        hint: 'choose another folder: --out DIR',
        cause: error,
      })
    throw diskError(`make the folder ${path}`, error)
  }
}

async function requireSpace(folder: string, bytes: number, hint: string): Promise<void> {
  const free = await freeBytes(folder)
  if (free >= bytes) return
  const mib = (amount: number): number => Math.floor(amount / mebibyte)
  throw new MigrateError(`${folder} has ${mib(free)} MiB free, and ${mib(bytes)} MiB are needed`, {
    exitCode: exitCode.io,
    hint,
  })
}

type Snapshot = TreeManifest['sources'][number]

/** Asks each mirror for its list first: a wrong one is told within a second, and the date of the lists dates the tree. */
async function snapshotsOf(
  sources: readonly PackageSource[],
  { architecture }: TreeWish,
  work: string,
  io: CommandIo,
): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = []
  for (const source of sources) {
    const uri = `${source.uri.replace(/\/+$/, '')}/dists/${source.suite}/InRelease`
    io.err(`asking ${uri}\n`)
    const text = await fetchFromMirror(uri, join(work, source.suite), io.signal)
    const list = readInRelease(text, uri)
    requireRelease(list, { ...source, architecture })
    snapshots.push({ ...source, components: [...source.components], date: list.date })
  }
  return snapshots
}

/** As other builders read it: seconds since 1970. Without it the date of the newest list, so that the same packages give the same tree. */
function epochOf({ env }: CommandIo, snapshots: readonly Snapshot[]): number {
  const text = env['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '')
    return Math.max(...snapshots.map(({ date }) => Math.floor(Date.parse(date) / 1000)))
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new MigrateError(`SOURCE_DATE_EPOCH is no number of seconds: ${text}`, {
    exitCode: exitCode.badInput,
    hint: 'set it to seconds since 1970, or unset it',
  })
}

async function build(file: string, plan: TreeBuild): Promise<WrittenTree> {
  let written: WrittenTree | undefined
  await runMmdebstrap(plan, async (archive) => {
    written = await writeTree(archive, file, [packageStatusPath], ({ paths }) => {
      requireBootable(paths, file)
    })
  })
  if (written === undefined) throw new Error('mmdebstrap ended well without an archive')
  return written
}

/** Prints the steps of mmdebstrap, and during a long one that it goes on. */
async function withHeartbeat<T>(
  io: CommandIo,
  work: (onLine: (line: string) => void) => Promise<T>,
): Promise<T> {
  const begun = Date.now()
  let doing = 'starting'
  const timer = setInterval(() => {
    io.err(`  ${Math.round((Date.now() - begun) / 1000)} s: still ${doing}\n`)
  }, heartbeatMs)
  try {
    return await work((line) => {
      const [, step] = /^I: (.*)/.exec(line) ?? []
      // A kernel's package says so of its links.
      if (step === undefined || step.startsWith('running') || step.startsWith('/')) return
      doing = step.replace(/\.+$/, '')
      io.err(`  ${doing}\n`)
      timer.refresh()
    })
  } finally {
    clearInterval(timer)
  }
}

function manifestOf(
  id: string,
  wish: TreeWish,
  epoch: number,
  sources: readonly Snapshot[],
  image: TreeManifest['image'],
  written: WrittenTree,
): TreeManifest {
  return treeManifestSchema.parse({
    apiVersion: 'k3os-migrate/v1',
    kind: 'RootTree',
    id,
    title: `Debian ${treeReleases[wish.release]}`,
    release: wish.release,
    architecture: wish.architecture,
    epoch,
    sources,
    ...(image === undefined ? {} : { image }),
    archive: { file: `${id}.tar.zst`, bytes: written.bytes, sha256: written.sha256 },
    unpackedBytes: written.unpackedBytes,
    entries: written.paths.size,
    packages: installedPackages(written.kept.get(packageStatusPath) ?? ''),
    files: written.files,
  })
}

async function writeBeside(directory: string, manifest: TreeManifest, signal: AbortSignal): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 1)}\n`
  const name = `${manifest.id}.manifest.json`
  const sums = `${manifest.archive.sha256}  ${manifest.archive.file}\n${sha256(text)}  ${name}\n`
  await writeWhole(join(directory, name), text, 0o644, signal)
  await writeWhole(join(directory, `${manifest.id}.sha256`), sums, 0o644, signal)
}

function summary(
  { id, archive, unpackedBytes, entries, title, architecture, packages, sources }: TreeManifest,
  out: string,
): string {
  const mib = (bytes: number): number => Math.ceil(bytes / mebibyte)
  return `${title} for ${architecture}: ${join(out, archive.file)}, ${mib(archive.bytes)} MiB
  ${packages.length} packages of ${sources.map(({ suite, date }) => `${suite} (${date})`).join(', ')}
  unpacked ${mib(unpackedBytes)} MiB, ${entries} files and folders: ${join(out, `${id}.manifest.json`)}
  sha256 ${archive.sha256}
`
}

function cacheFolder({ env }: CommandIo): string {
  const set = env['XDG_CACHE_HOME']
  return join(
    set !== undefined && set !== '' ? set : join(env['HOME'] ?? homedir(), '.cache'),
    'k3os-migrate',
  )
}

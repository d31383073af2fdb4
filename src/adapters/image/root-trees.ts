import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { checksumLines, requireBootable } from '../../core/image/root-tree.ts'
import type { PlanTree } from '../../core/plan.ts'
import type { RootTrees } from '../../migrate/ports.ts'
import { diskError } from '../files.ts'
import { tarReader, type TarContents } from './tar-entries.ts'

/**
 * Archives of root trees as they lie on this computer: plain, or compressed by zstd or gzip. Which files are in one is read once,
 * for as long as it is the same file: each node compares what it got with that.
 */
export function rootTrees(): RootTrees {
  let known: { readonly of: string; readonly digests: Awaited<ReturnType<RootTrees['digests']>> } | undefined
  return {
    async digests(file, signal) {
      const of = await identityOf(file)
      if (known?.of === of) return known.digests
      const { sha256, contents } = await readTree(file, () => false, signal)
      const digests = { sha256, lines: checksumLines(contents.files) }
      known = { of, digests }
      return digests
    },
    async *open(file, signal) {
      yield* await plainTar(file, signal)
    },
  }
}

/** Changes with whatever is written to a file, or put in its place. */
async function identityOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [file, dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    throw diskError(`read the root tree ${file}`, error)
  }
}

const osRelease = 'usr/lib/os-release'
/** How a kernel of Debian's was built. */
const kernelConfig = /^boot\/config-[^/]+$/

/** What a plan says of a tree, after reading all of it. Exit 65 for one that cannot boot beside k3OS. */
export async function describeTree(file: string, signal: AbortSignal): Promise<PlanTree> {
  const { sha256, contents } = await readTree(
    file,
    (path) => path === osRelease || kernelConfig.test(path),
    signal,
  )
  requireBootable(contents.paths, file)
  const [, title] = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(contents.kept.get(osRelease) ?? '') ?? []
  const name = basename(file)
    .replace(/\.tar(\.\w+)?$|\.tgz$/, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return {
    file,
    sha256,
    // Two trees of one name are not the same folder.
    id: `${name === '' ? 'tree' : name}-${sha256.slice(0, 8)}`,
    title: title ?? name,
    mib: Math.ceil(contents.unpackedBytes / 2 ** 20),
    files: contents.paths.size,
    cgroupV1: [...contents.kept].some(([path, text]) => kernelConfig.test(path) && hasCgroupV1(text)),
  }
}

/**
 * From 6.11 on memory of cgroup v1 is an option of its own (torvalds/linux init/Kconfig), which Debian 13 leaves off; without
 * memory and processors in it no kubelet runs on v1.
 */
function hasCgroupV1(config: string): boolean {
  return /^CONFIG_MEMCG=y$/m.test(config) && !/^# CONFIG_MEMCG_V1 is not set$/m.test(config)
}

async function readTree(
  file: string,
  keep: (path: string) => boolean,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly contents: TarContents }> {
  const digest = createHash('sha256')
  const reader = tarReader(file, keep)
  for await (const chunk of await plainTar(file, signal, (bytes) => digest.update(bytes))) reader.write(chunk)
  return { sha256: digest.digest('hex'), contents: reader.end() }
}

/** Decompressed; `look` gets the bytes as they lie there. */
async function plainTar(
  file: string,
  signal: AbortSignal,
  look: (bytes: Uint8Array) => void = () => {},
): Promise<AsyncIterable<Uint8Array>> {
  const unpack = decompressor(await firstBytes(file))
  const source = createReadStream(file, { signal, highWaterMark: 2 ** 18 })
  async function* looked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      const bytes: Uint8Array = chunk
      look(bytes)
      yield bytes
    }
  }
  const plain = Readable.from(looked(), { objectMode: false })
  return withSentences(unpack === null ? plain : plain.compose(unpack), file)
}

function decompressor([first, second]: Uint8Array): Transform | null {
  if (first === 0x28 && second === 0xb5) return createZstdDecompress()
  return first === 0x1f && second === 0x8b ? createGunzip() : null
}

async function firstBytes(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file)
    try {
      return (await handle.read(Buffer.alloc(2), 0, 2, 0)).buffer
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw diskError(`read the root tree ${file}`, error)
  }
}

async function* withSentences(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    if (error instanceof MigrateError || (error instanceof Error && error.name === 'AbortError')) throw error
    throw new MigrateError(
      `the root tree cannot be read: ${error instanceof Error ? error.message : 'why is not known'}`,
      {
        exitCode: exitCode.badInput,
        position: { file },
        hint: 'make it again: k3os-migrate image build --target debian',
        cause: error,
      },
    )
  }
}

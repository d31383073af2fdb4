import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { MigrateError } from '../../core/errors.ts'
import { imageFailure } from '../../core/image/build-failure.ts'
import {
  chooseRoot,
  contentOf,
  imageFormat,
  imageHeadBytes,
  partitionHeadBytes,
  readPartitions,
  type ImageFormat,
  type Partition,
} from '../../core/image/disk-image.ts'
import { leftOut, requireSystem, systemPaths } from '../../core/image/image-system.ts'
import type { TreeWish } from '../../core/image/packages.ts'
import { packageStatusPath } from '../../core/image/root-tree.ts'
import { diskError } from '../files.ts'
import { imageScripts } from '../image-scripts.ts'
import { toolOutput, toolText } from './run-tool.ts'
import { tarReader } from './tar-entries.ts'

export interface ImageRoot {
  /** A tar archive of what the image's root holds, without what is of one machine. */
  readonly archive: string
  /** dpkg's status file in it. */
  readonly status: string
  readonly origin: { readonly file: string; readonly sha256: string }
}

/** Exit 65 for a file that no root can be read from, 74 for one that cannot be read. */
export async function formatOfImage(file: string): Promise<ImageFormat> {
  return imageFormat(await read(file, 0, imageHeadBytes), file)
}

/**
 * Reads the root of a Debian cloud image into an archive in `work`. The image is not written. Exit 65 when it is not what `wish` says, before
 * anything is made of it. `say` is told each step.
 */
export async function readImageRoot(
  file: string,
  wish: TreeWish,
  work: string,
  say: (step: string) => void,
  signal: AbortSignal,
): Promise<ImageRoot> {
  const format = await formatOfImage(file)
  const disk = format === 'raw' ? file : join(work, 'disk.raw')
  if (format !== 'raw') {
    say(`unpacking ${file}`)
    await unpack(format, file, work, disk, signal)
  }
  const table = await toolText(['sfdisk', '--json', disk], signal, imageFailure(file, 'it has no partitions'))
  const partitions = await Promise.all(
    readPartitions(table).map(async (partition) => ({
      ...partition,
      content: contentOf(await read(disk, partition.start, partitionHeadBytes)),
    })),
  )
  const root = chooseRoot(partitions, wish.architecture, file)
  say(`reading its partition ${root.number}, ${Math.ceil(root.bytes / 2 ** 20)} MiB`)
  const archive = join(work, 'image.tar')
  const texts = await copyRoot(file, disk, root, work, archive, signal)
  requireSystem(texts, wish, file)
  if (disk !== file) await rm(disk)
  const origin = { file: basename(file), sha256: await digestOf(file, signal) }
  return { archive, status: texts.get(packageStatusPath) ?? '', origin }
}

async function unpack(
  format: Exclude<ImageFormat, 'raw'>,
  file: string,
  work: string,
  disk: string,
  signal: AbortSignal,
): Promise<void> {
  const failure = imageFailure(file, 'it cannot be unpacked')
  if (format === 'tar.xz') {
    const options = ['--directory', work, '--no-same-owner'] as const
    await toolText(['tar', '--extract', '--xz', '--file', file, ...options, 'disk.raw'], signal, failure)
    return
  }
  // What is missing at its end would be read as zeros. 3: it is only larger than it need be.
  const broken = (): MigrateError => imageFailure(file, 'it is damaged or cut off')([])
  await toolText(['qemu-img', 'check', '-f', 'qcow2', file], signal, broken, [0, 3])
  await toolText(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', file, disk], signal, failure)
}

/** The texts of `systemPaths`, as far as they are there. */
async function copyRoot(
  file: string,
  disk: string,
  root: Partition,
  work: string,
  archive: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const mountPoint = join(work, 'image')
  await mkdir(mountPoint)
  const argv = [
    'sh',
    imageScripts.partitionTar,
    disk,
    String(root.start),
    String(root.bytes),
    mountPoint,
    '--anchored',
    ...leftOut.map((path) => `--exclude=./${path}`),
    '.',
  ] as const
  const reader = tarReader(file, (path) => systemPaths.includes(path))
  const target = await opened(archive, 'w')
  try {
    const failure = imageFailure(file, `its partition ${root.number} cannot be read`)
    for await (const chunk of toolOutput(argv, signal, failure)) {
      reader.write(chunk)
      await target.writeFile(chunk)
    }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? diskError(`write ${archive}`, error) : error
  } finally {
    await target.close()
  }
  return reader.end().kept
}

/** Fewer than `length` bytes where the file ends before. */
async function read(file: string, start: number, length: number): Promise<Uint8Array> {
  const handle = await opened(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw diskError(`read ${file}`, error)
  } finally {
    await handle.close()
  }
}

async function opened(file: string, flags: 'r' | 'w'): Promise<FileHandle> {
  try {
    return await open(file, flags)
  } catch (error) {
    throw diskError(`${flags === 'r' ? 'read' : 'write'} ${file}`, error)
  }
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 2 ** 20 })) {
    const bytes: Uint8Array = chunk
    digest.update(bytes)
  }
  return digest.digest('hex')
}

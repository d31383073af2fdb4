import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { tarReader, type TarContents } from './tar-entries.ts'

export interface WrittenTree extends TarContents {
  readonly bytes: number
  readonly sha256: string
}

/**
 * Compresses a tar archive into a file while it comes in, and reads what is in it (the texts of `keep` whole). The file appears under its name only when
 * `accept` has not thrown. The same archive gives the same bytes.
 */
export async function writeTree(
  archive: Readable,
  file: string,
  keep: readonly string[],
  accept: (contents: TarContents) => void,
): Promise<WrittenTree> {
  const reader = tarReader(file, (path) => keep.includes(path))
  const digest = createHash('sha256')
  let bytes = 0
  const look = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      try {
        reader.write(chunk)
        done(null, chunk)
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })
  const count = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      digest.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  const partial = `${file}.partial`
  try {
    const target = await open(partial, 'w', 0o644)
    try {
      const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 9 } })
      await pipeline(archive, look, zstd, count, async (compressed: AsyncIterable<Uint8Array>) => {
        for await (const chunk of compressed) await target.writeFile(chunk)
      })
      await target.sync()
    } finally {
      await target.close()
    }
    const contents = reader.end()
    accept(contents)
    await rename(partial, file)
    return { ...contents, bytes, sha256: digest.digest('hex') }
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && 'code' in error)
      throw new MigrateError(
        `cannot write ${file}: ${error.code === 'ENOSPC' ? 'the disk is full' : error.message}`,
        {
          exitCode: exitCode.io,
          hint: 'choose another folder: --out DIR',
          cause: error,
        },
      )
    throw error
  } finally {
    await rm(partial, { force: true })
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  appendFile,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { RunFiles } from '../migrate/ports.ts'

/**
 * Writes a file so that after a crash or power cut it is either the old one or the whole new one: temporary file in the
 * same directory, fsync, rename, fsync of the directory. Missing parent directories are made (0700). Exit 74 on failure.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  mode: 0o600 | 0o644 | 0o755,
  signal?: AbortSignal,
): Promise<void> {
  await replaceFile(path, content, mode, { durable: true, signal })
}

/** The same without waiting for the disk: for output that can be made again, where a power cut loses nothing. */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode: 0o600 | 0o644 | 0o755,
  signal?: AbortSignal,
): Promise<void> {
  await replaceFile(path, content, mode, { durable: false, signal })
}

async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  { durable, signal }: { readonly durable: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  let made = false
  try {
    await makeFolders(directory, 0o700)
    // Refuses to follow or reuse anything that is already there under this name.
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
    made = true
    try {
      await file.writeFile(content)
      // The mode of `open` is narrowed by the umask.
      await file.chmod(mode)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    signal?.throwIfAborted()
    await rename(temporary, path)
    made = false
    if (durable) await syncDirectory(directory)
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : diskError(`write ${path}`, error)
  } finally {
    if (made) await unlink(temporary)
  }
}

/**
 * A folder and the missing ones above it. Not Node's own `recursive`, which asks for ever where a file system has the folder above and still
 * answers "not there", as /proc does. Fails as `mkdir` does.
 */
export async function makeFolders(path: string, mode: number): Promise<void> {
  const above = dirname(path)
  try {
    await makeFolder(path, mode)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || above === path) throw error
    await makeFolders(above, mode)
    await makeFolder(path, mode)
  }
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
  }
}

/** False when something is there already, which stays as it is. On the disk when it returns. Exit 74 on failure. */
export async function writeNew(path: string, content: string, mode: 0o600 | 0o644): Promise<boolean> {
  try {
    await makeFolders(dirname(path), 0o700)
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
    let whole = false
    try {
      await file.writeFile(content)
      await file.chmod(mode)
      await file.sync()
      whole = true
    } finally {
      await file.close()
      if (!whole) await unlink(path)
    }
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw diskError(`write ${path}`, error)
  }
}

/** Whatever it is, a link to nowhere too. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw diskError(`look at ${path}`, error)
  }
}

/** For a file that others write to as well; made when it is missing. Exit 74 on failure. */
export async function appendText(path: string, text: string): Promise<void> {
  try {
    await appendFile(path, text)
  } catch (error) {
    throw diskError(`write ${path}`, error)
  }
}

/**
 * Undefined when the file does not exist; exit 74 when it exists and cannot be read, 65 when it has more than `maxBytes`: what
 * comes from elsewhere may be anything, a device without end among it.
 */
export async function readIfPresent(path: string, maxBytes = 2 ** 31 - 1): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY)
    try {
      const stats = await file.stat()
      if (stats.size > maxBytes) throw tooLarge(path, maxBytes)
      const chunks: Uint8Array[] = []
      let size = 0
      if (stats.isFile()) {
        // Into one piece: large buffers for a thousand small files, or all of a large one twice, would be for nothing.
        const bytes = await readUpTo(file, stats.size)
        const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1, bytes.length)
        if (bytesRead === 0) return bytes
        // It grew meanwhile, or is one of the kernel's, which have no size.
        chunks.push(bytes)
        size = bytes.length
      }
      const more = { autoClose: false, highWaterMark: 2 ** 20, ...(stats.isFile() ? { start: size } : {}) }
      for await (const chunk of file.createReadStream(more)) {
        const bytes = chunk as Buffer
        size += bytes.length
        if (size > maxBytes) throw tooLarge(path, maxBytes)
        chunks.push(bytes)
      }
      return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof MigrateError) throw error
    if (systemCode(error) === 'ENOENT') return undefined
    throw diskError(`read ${path}`, error)
  }
}

async function readUpTo(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size)
  let at = 0
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, size - at, at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return bytes.subarray(0, at)
}

function tooLarge(file: string, maxBytes: number): MigrateError {
  return new MigrateError(`it has more than ${maxBytes} bytes, and no file of its kind has so many`, {
    exitCode: exitCode.badInput,
    position: { file },
    hint: 'is this the right file?',
  })
}

/** Takes the place of what has the new name; its folder is made (0700). A missing file is no error. Exit 74 on failure. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await makeFolders(dirname(to), 0o700)
    await rename(from, to)
    await syncDirectory(dirname(to))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw diskError(`move ${from}`, error)
  }
}

/** A file or a whole folder; a missing one is no error. Exit 74 on failure. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    throw diskError(`remove ${path}`, error)
  }
}

/** Names in a directory, sorted; undefined when it does not exist. */
export async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).toSorted()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw diskError(`read ${directory}`, error)
  }
}

/** Hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Files of one run below `directory`. Paths are relative to it and cannot leave it. */
export function runFiles(directory: string): RunFiles {
  const root = resolve(directory)
  const inside = (path: string): string => {
    const full = resolve(root, path)
    if (!full.startsWith(root + sep)) throw new TypeError(`${path} is not below ${root}`)
    return full
  }
  return {
    directory: root,
    write: async (path, content, mode, signal) => {
      await writeDurably(inside(path), content, mode, signal)
    },
    async read(path) {
      const bytes = await readIfPresent(inside(path))
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
    },
    async digest(path) {
      const bytes = await readIfPresent(inside(path))
      return bytes === undefined ? undefined : sha256(bytes)
    },
    async remove(path) {
      const full = inside(path)
      try {
        await rm(full, { recursive: true, force: true })
        await syncDirectory(dirname(full))
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw diskError(`remove ${full}`, error)
      }
    },
    sha256,
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** `ENOENT`, `EACCES`, …; undefined for what is no error of the operating system. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this disk is used up',
  EIO: 'the disk reports an error (EIO)',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'a file stands where a directory must be',
  EISDIR: 'it is a directory',
  ENOENT: 'it does not exist',
}

/** Exit 74 with what was being done and why it failed, without Node's own wording. */
export function diskError(action: string, error: unknown): MigrateError {
  const code = systemCode(error)
  const reason = code === undefined ? String(error) : (reasons[code] ?? code)
  return new MigrateError(`cannot ${action}: ${reason}`, { exitCode: exitCode.io, cause: error })
}

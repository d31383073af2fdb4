import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readFile, statfs } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { aptHelper, buildFailure, type HostTool } from '../../core/image/build-failure.ts'
import { systemCode } from '../files.ts'
import { lastLines } from './last-lines.ts'
import { rootFolders } from './run-tool.ts'

/** Those of `tools` that this machine does not have. */
export async function lackingTools(tools: readonly HostTool[], path: string): Promise<HostTool[]> {
  const folders = [...path.split(delimiter).filter((each) => each !== ''), ...rootFolders]
  const there = async ({ find }: HostTool): Promise<boolean> => {
    const places = find.startsWith('/') ? [find] : folders.map((folder) => join(folder, find))
    const found = await Promise.all(
      places.map(async (place) => isThere(place, find.endsWith('.gpg') ? constants.R_OK : constants.X_OK)),
    )
    return found.includes(true)
  }
  const found = await Promise.all(tools.map(there))
  return tools.filter((_, index) => found[index] !== true)
}

async function isThere(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode)
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false
    throw error
  }
}

/** Debian's name of this machine's architecture; undefined for one that no tree is made for. */
export function hostArchitecture(): string | undefined {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' }
  return names[process.arch]
}

/** Bytes that this user may still write in a folder that exists. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** A text from a mirror, fetched by apt's own downloader into `file`: with its proxy, and from whatever kind of mirror it knows. */
export async function fetchFromMirror(uri: string, file: string, signal: AbortSignal): Promise<string> {
  const child = spawn(aptHelper, ['-o', 'Acquire::Retries=1', 'download-file', uri, file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    signal,
  })
  const said = lastLines(child.stderr, () => undefined)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  signal.throwIfAborted()
  if (status !== 0) throw buildFailure('apt-helper', said())
  return readFile(file, 'utf8')
}

import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { NodeFiles } from '../core/k3os/sources.ts'
import { diskError } from './files.ts'

/**
 * The files of a node below a directory: a running node at `/`, a copied tree, or a mounted `K3OS_STATE`, where
 * everything but `/k3os` lies in `k3os/data`. Links are followed only while they stay below the directory. Exit 74 or 77
 * for what exists and cannot be read here: whether k3OS can is not known then.
 */
export async function rootFiles(root: string): Promise<NodeFiles> {
  const data = join(root, 'k3os/data')
  const isState = await isDirectory(data)
  const at = (path: string): string => join(isState && !path.startsWith('/k3os/') ? data : root, path)
  const top = await realpath(root).catch((error: unknown) => {
    throw unreadable(root, error)
  })
  return {
    read: (path) =>
      attempt(at(path), async (file) => ({ file, bytes: await readFile(await inside(top, file)) })),
    list: (path) => attempt(at(path), async (file) => readdir(await inside(top, file))),
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw unreadable(path, error)
  }
}

async function inside(top: string, path: string): Promise<string> {
  const real = await realpath(path)
  const prefix = top.endsWith(sep) ? top : top + sep
  if (real === top || real.startsWith(prefix)) return real
  throw new MigrateError(`${path} is a link that leads out of ${top}`, {
    exitCode: exitCode.badInput,
    hint: `put a copy of its target in its place, or run k3os-migrate on the node itself`,
  })
}

async function attempt<Result>(
  file: string,
  action: (file: string) => Promise<Result>,
): Promise<Result | { file: string; unreadable: string } | undefined> {
  try {
    return await action(file)
  } catch (error) {
    if (isMissing(error)) return undefined
    // Reading it fails on the node as well: k3OS gives up there.
    if (codeOf(error) === 'EISDIR') return { file, unreadable: `${file} is a directory` }
    throw error instanceof MigrateError ? error : unreadable(file, error)
  }
}

function unreadable(path: string, error: unknown): MigrateError {
  const { message } = diskError(`read ${path}`, error)
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM')
    return new MigrateError(message, {
      exitCode: exitCode.permission,
      hint: 'run it as root: these files hold secrets and belong to root',
      cause: error,
    })
  return new MigrateError(message, {
    exitCode: exitCode.io,
    hint: 'k3os-migrate config --root DIR, or --bundle FILE',
    cause: error,
  })
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

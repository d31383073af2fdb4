import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of a few KiB. */
export interface SmallDisk {
  readonly path: string
  /** Leaves not one byte. */
  fill(): void
  /** Makes room again. */
  empty(): void
  remove(): void
}

/** Why none can be made here; undefined when it can. */
export function smallDiskMissing(): string | undefined {
  try {
    makeSmallDisk(16).remove()
    return undefined
  } catch (error) {
    return `a small file system cannot be mounted here (${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}); be root`
  }
}

export function makeSmallDisk(kib: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(path)
    throw error
  }
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      for (let number = 0; ; number += 1)
        try {
          writeFileSync(`${filler}-${number}`, Buffer.alloc(4096))
        } catch (error) {
          if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
          throw error
        }
    },
    empty() {
      execFileSync('sh', ['-c', 'rm -f "$0"-*', filler])
    },
    remove() {
      execFileSync('umount', [path], { stdio: 'pipe' })
      rmSync(path, { recursive: true })
    },
  }
}

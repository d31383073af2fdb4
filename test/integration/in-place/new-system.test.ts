import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requirePart } from '../../support/require-part.ts'

const skip = requirePart(
  'LOOP',
  process.getuid?.() === 0 ? undefined : 'file systems can be mounted by root only',
)
const program = (name: string): string =>
  fileURLToPath(new URL(`../../../templates/in-place/${name}.sh`, import.meta.url))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k3os-new-'))
  for (const name of ['kept', 'other', 'seen']) mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'binds'), `${directory}/kept ${directory}/seen\n`)
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

function gateAfter(mount: string): { readonly status: number | null; readonly said: string } {
  const command = `cd "$1" && ${mount} && exec sh ${program('gate')} "$1/binds"`
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', command, 'sh', directory], {
    encoding: 'utf8',
  })
  return { status, said: stderr }
}

describe.skipIf(skip)('the gate in front of k3s', () => {
  test('opens when the folder of k3OS is at its place', () => {
    expect(gateAfter('mount --bind kept seen')).toEqual({ status: 0, said: '' })
  })

  test.each([
    ['nothing is mounted', 'true'],
    ['another folder is', 'mount --bind other seen'],
    ['an empty file system is', 'mount -t tmpfs tmpfs seen'],
  ])('stays shut when %s there', (_what, mount) => {
    const { status, said } = gateAfter(mount)
    expect([status, said]).toEqual([1, `${directory}/seen is not ${directory}/kept\n`])
  })

  test('stays shut when the folder of k3OS is gone', () => {
    expect(
      gateAfter('mount --bind kept seen && rmdir other && mv binds b && echo "$1/gone $1/seen" >binds')
        .status,
    ).toBe(1)
  })
})

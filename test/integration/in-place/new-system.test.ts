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
  writeFileSync(join(directory, 'network'), 'lo 127.0.0.1/8\n')
  writeFileSync(join(directory, 'staged-at'), '1700000000\n')
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

function gateAfter(mount: string): { readonly status: number | null; readonly said: string } {
  const command = `cd "$1" && ${mount} && exec sh ${program('gate')} "$1/binds" "$1/network" "$1/staged-at" 0`
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

  test.each([
    ['another address', 'lo 192.0.2.1/24', 'lo has not 192.0.2.1/24'],
    ['no such card', 'eth9 192.0.2.1/24', 'eth9 has not 192.0.2.1/24'],
    ['another default route', 'default via 192.0.2.77', 'the default route is not 192.0.2.77'],
  ])('stays shut with %s', (_what, line, said) => {
    writeFileSync(join(directory, 'network'), `${line}\n`)
    expect(gateAfter('mount --bind kept seen')).toEqual({ status: 1, said: `${said}\n` })
  })

  test('stays shut while the clock is behind the day of the move', () => {
    writeFileSync(join(directory, 'staged-at'), '9999999999\n')
    const said = 'the clock is behind the day of the move\n'
    expect(gateAfter('mount --bind kept seen')).toEqual({ status: 1, said })
  })

  test('stays shut when the folder of k3OS is gone', () => {
    expect(
      gateAfter('mount --bind kept seen && rmdir other && mv binds b && echo "$1/gone $1/seen" >binds')
        .status,
    ).toBe(1)
  })
})

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planBinds } from '../../../src/core/in-place/bind-mounts.ts'
import { escapedPath, inPlaceUnits } from '../../../src/core/in-place/units.ts'
import { missingTools } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'

const skip = requirePart('VALIDATORS', missingTools(['systemd-analyze', 'systemd-escape'], 'systemd'))
const odd = ['/data', '/my-app x', '/var/lib/my%app', '/var/lib/.hidden', '/mnt/grün']
const { files, links } = inPlaceUnits({
  binds: planBinds(odd).binds,
  disks: [{ uuid: '0b1e6c9e-7a11', path: '/mnt/big-disk', fsType: 'ext4', readOnly: true }],
  network: [],
  stagedAt: 1_700_000_000,
  k3sService: 'k3s.service',
})
const units = files.map(({ path }) => path).filter((path) => /\.(mount|service)$/.test(path))

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'k3os-units-'))
  const folder = (path: string): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    return join(root, path)
  }
  for (const { path, content } of files) writeFileSync(folder(path), content)
  for (const { path, target } of links) symlinkSync(target, folder(path))
  // Another part of the translation writes it.
  writeFileSync(folder('/etc/systemd/system/k3s.service'), '[Service]\nExecStart=/bin/true\n')
  for (const name of ['deadline', 'forget', 'gate', 'kernel']) {
    const program = folder(`usr/lib/k3os-migrate/${name}`)
    copyFileSync(fileURLToPath(new URL(`../../../templates/in-place/${name}.sh`, import.meta.url)), program)
    execFileSync('chmod', ['755', program])
  }
})
afterAll(() => {
  rmSync(root, { recursive: true })
})

function verify(unit: string): { readonly status: number | null; readonly said: string } {
  const flags = ['verify', '--man=no', '--recursive-errors=no', `--root=${root}`]
  const { status, stderr } = spawnSync('systemd-analyze', [...flags, unit], { encoding: 'utf8' })
  return { status, said: stderr }
}

describe.skipIf(skip)('units of a system beside k3OS', () => {
  test.each(units)('%s is one that systemd takes', (path) => {
    expect(verify(basename(path))).toEqual({ status: 0, said: '' })
  })

  test('are judged at all: one with an unknown key is not taken', () => {
    writeFileSync(join(root, 'etc/systemd/system/broken.service'), '[Service]\nExecStrat=/bin/true\n')
    expect(verify('broken.service').status).not.toBe(0)
  })

  test.each(odd)('the one of %s has the name that systemd gives it', (path) => {
    const name = execFileSync('systemd-escape', ['--path', path], { encoding: 'utf8' }).trim()
    expect(escapedPath(path)).toBe(name)
  })
})

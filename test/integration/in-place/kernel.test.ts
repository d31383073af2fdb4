import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entryNames } from '../../../src/core/in-place/grub-cfg.ts'
import { readGrubEnvironment, writeGrubEnvironment } from '../../../src/core/in-place/grubenv.ts'
import { kernelTrialArgument } from '../../../src/core/in-place/kernel-arguments.ts'
import { requirePart } from '../../support/require-part.ts'

const skip = requirePart('LOOP', process.getuid?.() === 0 ? undefined : 'only root can change its root')
const names = entryNames('deb-1')
const saved = ['saved_entry', names.settled] as const
const kernels = 'boot/k3os-migrate'

/** The new system, confirmed, as a root of its own: `/vmlinuz` and `/initrd.img` as Debian's packages keep them. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'k3os-kernel-'))
  for (const folder of [
    'boot',
    'usr',
    'etc/k3os-migrate',
    'run',
    'tmp',
    'proc',
    'dev',
    'state/boot/grub',
    'ours',
  ])
    mkdirSync(join(root, folder), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(root, name))
  copyFileSync(
    fileURLToPath(new URL('../../../templates/in-place/kernel.sh', import.meta.url)),
    join(root, 'ours/kernel'),
  )
  // k3s is at work with the same process all the time, and nobody waits for half a minute.
  writeFileSync(join(root, 'ours/systemctl'), '#!/bin/sh\n[ "$1" != show ] || echo 77\n')
  writeFileSync(join(root, 'ours/sleep'), '#!/bin/sh\n')
  for (const name of ['kernel', 'systemctl', 'sleep']) chmodSync(join(root, 'ours', name), 0o755)
  writeFileSync(join(root, 'etc/k3os-migrate/confirmed'), '')
  writeFileSync(
    join(root, 'state/boot/grub/grubenv'),
    writeGrubEnvironment(new Map([saved, ['mine', 'a b']])),
  )
  install('6.1')
  mkdirSync(join(root, kernels, 'a'), { recursive: true })
  run(
    'cd /boot/k3os-migrate && ln ../vmlinuz-6.1 a/vmlinuz && ln ../initrd.img-6.1 a/initrd.img && ln -s a proven',
  )
  boots('settled')
})
afterEach(() => {
  rmSync(root, { recursive: true })
})

/** As dpkg, update-initramfs and linux-update-symlinks leave it. */
function install(version: string, content = version): void {
  for (const kind of ['vmlinuz', 'initrd.img']) {
    const file = join(root, `boot/${kind}-${version}`)
    writeFileSync(`${file}.new`, `${kind} ${content}`)
    renameSync(`${file}.new`, file)
    const link = join(root, kind)
    if (existsSync(link)) unlinkSync(link)
    symlinkSync(`boot/${kind}-${version}`, link)
  }
}

function boots(entry: 'settled' | 'kernel'): void {
  rmSync(join(root, 'run'), { recursive: true })
  mkdirSync(join(root, 'run'))
  const argument = entry === 'kernel' ? ` ${kernelTrialArgument}` : ''
  writeFileSync(join(root, 'cmdline'), `root=UUID=1 rw beside=/os/deb-1 apparmor=0${argument}\n`)
}

function run(command: string): string {
  const inside = `cd "$1" && mount --rbind /usr usr && mount --rbind /dev dev && mount -t proc proc proc && touch cmdline &&
    mount --bind cmdline proc/cmdline && exec chroot . env PATH=/ours:/usr/bin:/bin sh -euc "$2"`
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', inside, 'sh', root, command], {
    encoding: 'utf8',
  })
  expect([command, status]).toEqual([command, 0])
  return stdout + stderr
}

const trying = (): string => run('kernel try')
const keeping = (): string => run('kernel keep k3s.service')

/** What GRUB clears when it takes it. */
function armed(): string {
  return variable('next_entry')
}

function variable(name: string): string {
  const block = readFileSync(join(root, 'state/boot/grub/grubenv'))
  return readGrubEnvironment(block).get(name) ?? ''
}

function grubTakes(): void {
  const rest = [...readGrubEnvironment(readFileSync(join(root, 'state/boot/grub/grubenv')))]
  const cleared = rest.map(([name, value]) => [name, name === 'next_entry' ? '' : value] as const)
  writeFileSync(join(root, 'state/boot/grub/grubenv'), writeGrubEnvironment(new Map(cleared)))
}

const kernel = (name: 'proven' | 'next'): string[] =>
  ['vmlinuz', 'initrd.img'].map((file) => readFileSync(join(root, kernels, name, file), 'utf8'))

const old = ['vmlinuz 6.1', 'initrd.img 6.1']
const fresh = ['vmlinuz 6.2', 'initrd.img 6.2']

describe.skipIf(skip)('a kernel that a package brings', () => {
  test('is what the next boot tries, once, and every other boot takes the one before', () => {
    install('6.2')
    expect(trying()).toContain('the next boot tries /boot/vmlinuz-6.2')
    expect([armed(), kernel('next'), kernel('proven')]).toEqual([names.kernel, fresh, old])
    expect([variable('saved_entry'), variable('mine')]).toEqual([names.settled, 'a b'])
  })

  test('is what every boot takes once it came up', () => {
    install('6.2')
    trying()
    grubTakes()
    boots('kernel')
    keeping()
    expect([kernel('proven'), armed()]).toEqual([fresh, ''])
    expect(existsSync(join(root, 'run/k3os-migrate-kernel-up'))).toBe(true)
  })

  test('that did not come up is not tried again, and that is said', () => {
    install('6.2')
    trying()
    grubTakes()
    boots('settled')
    expect(keeping()).toContain('the newest kernel did not come up')
    expect([kernel('proven'), armed()]).toEqual([old, ''])
  })

  test('is tried also under the name of the one that runs', () => {
    install('6.1', '6.1 built again')
    trying()
    expect([armed(), kernel('proven')]).toEqual([names.kernel, old])
    expect(kernel('next')).toEqual(['vmlinuz 6.1 built again', 'initrd.img 6.1 built again'])
  })

  test('is not taken for good when it came after the one that came up, but tried next', () => {
    install('6.2')
    trying()
    grubTakes()
    boots('kernel')
    install('6.3')
    trying()
    expect([armed(), kernel('next')]).toEqual(['', fresh])
    keeping()
    expect([kernel('proven'), armed(), kernel('next')[0]]).toEqual([fresh, names.kernel, 'vmlinuz 6.3'])
  })

  test('is not tried when it is removed before the next boot', () => {
    install('6.2')
    trying()
    install('6.1', '')
    run(
      'ln -f /boot/k3os-migrate/proven/vmlinuz /boot/vmlinuz-6.1; ln -f /boot/k3os-migrate/proven/initrd.img /boot/initrd.img-6.1',
    )
    trying()
    expect([armed(), kernel('proven')]).toEqual(['', old])
  })

  test('is left alone while the system is on trial itself, while a tree is made, and while something else is armed', () => {
    install('6.2')
    unlinkSync(join(root, 'etc/k3os-migrate/confirmed'))
    trying()
    expect(armed()).toBe('')
    writeFileSync(join(root, 'etc/k3os-migrate/confirmed'), '')
    const other = new Map([saved, ['next_entry', 'k3os-migrate-deb-1-probe']] as const)
    writeFileSync(join(root, 'state/boot/grub/grubenv'), writeGrubEnvironment(other))
    trying()
    expect(armed()).toBe('k3os-migrate-deb-1-probe')
    unlinkSync(join(root, 'state/boot/grub/grubenv'))
    expect(trying()).toBe('')
  })
})

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  entryNames,
  finalMenu,
  migrationMenu,
  readInstallerMenu,
  type InstallerMenu,
} from '../../../src/core/in-place/grub-cfg.ts'
import { settledArguments, trialArguments } from '../../../src/core/in-place/kernel-arguments.ts'

const entry = (title: string, link: string, kernel = '(loop0)/vmlinuz'): string => `
menuentry "${title}" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/${link}/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux ${kernel} printk.devkmsg=on console=tty1 console=ttyS0,115200
  initrd /k3os/system/kernel/${link}/initrd
}
`
const head = `set default=0
set timeout=10

set gfxmode=auto
set gfxpayload=keep
insmod all_video
insmod gfxterm
`
const stock = `${head}${entry('k3OS Current', 'current')}${entry('k3OS Previous', 'previous')}`
const needs = { consoles: ['tty1', 'ttyS0,115200'], cgroupV1: true, deadlineSeconds: 900 }
const system = {
  id: 'debian-1',
  title: 'Debian 13',
  stateUuid: '0b1e6c9e-7a11-4f0b-8f5e-2f7c5b0a9d10',
  nonce: 'c0ffee',
  trialArguments: trialArguments(needs),
  settledArguments: settledArguments(needs),
}

function known(text: string): InstallerMenu {
  const reading = readInstallerMenu(text)
  if (reading.status === 'foreign') throw new Error(JSON.stringify(reading.lines))
  return reading.menu
}

describe("the menu of k3OS's installer", () => {
  test('is recognised, also with the entry Previous of installers before 0.11.0', () => {
    const old = entry('k3OS Previous', 'previous', '/k3os/system/kernel/previous/vmlinuz')
    expect(readInstallerMenu(stock).status).toBe('known')
    expect(readInstallerMenu(head + entry('k3OS Current', 'current') + old).status).toBe('known')
  })

  test.each([
    ['another system', `${stock}menuentry "Memtest" {\n  linux16 /memtest\n}\n`, 'menuentry "Memtest" {'],
    ['a script', `if [ -e /x ]; then\n${stock}`, 'if [ -e /x ]; then'],
    ['a command in an entry', stock.replace('  loopback', '  chainloader +1\n  loopback'), 'chainloader +1'],
    ['a line behind the entries', `${stock}set default=1\n`, 'set default=1'],
    ['another default', stock.replace('set default=0', 'set default=1'), 'set default=1'],
    ['shell text among the arguments', stock.replace('console=tty1', 'a;reboot'), 'a;reboot'],
    ['an entry that is not closed', stock.trimEnd().slice(0, -1), '} of the last entry'],
    ['Previous first', head + entry('k3OS Previous', 'previous'), 'a first entry that boots'],
    ['nothing', '', 'set default=0'],
  ])('is refused with %s, naming it', (_what, text, named) => {
    const reading = readInstallerMenu(text)
    if (reading.status === 'known') throw new Error('it was taken for the one of the installer')
    expect(reading.lines.map((line) => line.text).join('\n')).toContain(named)
  })
})

describe('the menu of a node on its way', () => {
  const menu = migrationMenu(known(stock), system)

  test("has k3OS's head and entries word for word, its first entry first", () => {
    expect(menu.startsWith(head.trimEnd())).toBe(true)
    expect(menu).toContain((entry('k3OS Current', 'current') + entry('k3OS Previous', 'previous')).trim())
    expect([...menu.matchAll(/^menuentry "([^"]*)"/gm)].map(([, title]) => title)).toEqual([
      'k3OS Current',
      'k3OS Previous',
      'k3OS, probe reboot',
      'Debian 13 (on trial)',
      'Debian 13',
      'Debian 13 (its newest kernel, on trial)',
    ])
  })

  test('boots on trial the very kernel that every boot takes afterwards, and a newer one from its own place', () => {
    expect(menu.match(/^ {2}(linux|initrd) \/os\S+/gm)).toEqual([
      '  linux /os/debian-1/boot/k3os-migrate/proven/vmlinuz',
      '  initrd /os/debian-1/boot/k3os-migrate/proven/initrd.img',
      '  linux /os/debian-1/boot/k3os-migrate/proven/vmlinuz',
      '  initrd /os/debian-1/boot/k3os-migrate/proven/initrd.img',
      '  linux /os/debian-1/boot/k3os-migrate/next/vmlinuz',
      '  initrd /os/debian-1/boot/k3os-migrate/next/initrd.img',
    ])
  })

  test.each([
    ['two entries', stock],
    ['one entry', head + entry('k3OS Current', 'current')],
  ])('has the settled kernel behind a newer one that cannot load, and then k3OS: %s', (_, text) => {
    const made = migrationMenu(known(text), system)
    const ids = [...made.matchAll(/^menuentry "[^"]*"(?: --id (\S+))?/gm)].map(([, id]) => id)
    const [, number] = /-kernel" \]; then\n\s*set fallback="(\d+) 0"/.exec(made) ?? []
    expect(ids[Number(number)]).toBe(entryNames(system.id).settled)
  })

  test('clears the one-shot on the disk, reads it again, and only then takes it', () => {
    const order = [
      'load_env next_entry saved_entry',
      'save_env next_entry',
      'load_env next_entry\n',
      '-z',
      'set default="${once}"',
    ]
    const places = order.map((text) => menu.indexOf(text))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
    expect(menu).toContain('set fallback=0')
  })

  test('probes with the entry that boots k3OS today and one more word', () => {
    const probe = menu.slice(menu.indexOf(`--id ${entryNames(system.id).probe} `), menu.indexOf('(on trial)'))
    expect(probe).toContain(
      'linux (loop0)/vmlinuz printk.devkmsg=on console=tty1 console=ttyS0,115200 k3os-migrate.probe=c0ffee\n',
    )
  })

  test('restarts after a panic and skips checks on trial only; finds the disk by UUID', () => {
    const lines = menu.split('\n').filter((line) => line.startsWith('  linux /os/debian-1/'))
    const words = ['panic=10', 'fsck.mode=skip', 'k3os-migrate.deadline=900', 'k3os-migrate.kernel']
    const has = (line: string): boolean[] => words.map((word) => line.split(' ').includes(word))
    expect(lines.map(has)).toEqual([
      [true, true, true, false],
      [false, false, false, false],
      [true, true, true, true],
    ])
    for (const line of lines) expect(line).toContain(`root=UUID=${system.stateUuid} rw beside=/os/debian-1 `)
  })

  test('is no installer menu any more, so it is never replaced twice', () => {
    expect(readInstallerMenu(menu).status).toBe('foreign')
  })

  test.skipIf(!existsSync('/usr/bin/grub-script-check'))('is a script that GRUB can read', () => {
    expect(execFileSync('grub-script-check', { input: menu, encoding: 'utf8' })).toBe('')
  })
})

describe('the menu of a node without k3OS', () => {
  const menu = migrationMenu(known(stock), system)
  const final = finalMenu(menu, system.id) ?? ''

  test('boots the kernel that came up, and behind it the one that was installed last', () => {
    const words = (more: readonly string[]): string =>
      [`root=UUID=${system.stateUuid} rw beside=/os/debian-1 k3os-migrate.nonce=c0ffee`, ...more].join(' ')
    expect(final.startsWith(head.trimEnd())).toBe(true)
    expect(final.match(/^ {2}(linux|initrd) .*$/gm)).toEqual([
      `  linux /os/debian-1/boot/k3os-migrate/proven/vmlinuz ${words(settledArguments(needs))}`,
      '  initrd /os/debian-1/boot/k3os-migrate/proven/initrd.img',
      `  linux /os/debian-1/boot/k3os-migrate/next/vmlinuz ${words(trialArguments(needs))} k3os-migrate.kernel`,
      '  initrd /os/debian-1/boot/k3os-migrate/next/initrd.img',
      `  linux /os/debian-1/vmlinuz ${words(settledArguments(needs))}`,
      '  initrd /os/debian-1/initrd.img',
    ])
    expect(final).toContain('set fallback="0 2"')
    expect(final).not.toMatch(/k3os\/system|-trial/)
  })

  test('still tries a newer kernel once: what is armed is cleared before it is taken', () => {
    const places = ['load_env next_entry\n', 'save_env next_entry', '-z', 'set default="${once}"'].map(
      (text) => final.indexOf(text),
    )
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
  })

  test.each([
    ["k3OS's own menu", stock, 'debian-1'],
    ['the menu of another system', menu, 'debian-2'],
    ['itself', final, 'debian-1'],
  ])('is not made of %s', (_what, text, id) => {
    expect(finalMenu(text, id)).toBeUndefined()
  })

  test.skipIf(!existsSync('/usr/bin/grub-script-check'))('is a script that GRUB can read', () => {
    expect(execFileSync('grub-script-check', { input: final, encoding: 'utf8' })).toBe('')
  })
})

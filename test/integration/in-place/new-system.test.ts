import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

describe.skipIf(skip)('what concerns containers that are gone', () => {
  const lease = '/var/lib/cni/networks/cbr0/10.42.1.7'
  const stale = [lease, '/var/lib/kubelet/cpu_manager_state', '/var/lib/kubelet/memory_manager_state']
  const kept = ['/var/lib/cni/networks/cbr0/last_reserved_ip.0', '/var/lib/kubelet/config']

  /** Which of these files are there after it, with containers at work or not. */
  function left(system: 'starting' | 'running' | 'stopping', containers: 'run' | 'are gone'): string[] {
    const answers = { systemctl: `echo ${system}`, pgrep: `exit ${containers === 'run' ? 0 : 1}` }
    for (const [name, line] of Object.entries(answers)) {
      writeFileSync(join(directory, name), `#!/bin/sh\n${line}\n`)
      chmodSync(join(directory, name), 0o755)
    }
    const files = [...stale, ...kept].join(' ')
    const command = `mount -t tmpfs tmpfs /var && mkdir -p /var/lib/cni/networks/cbr0 /var/lib/kubelet && touch ${files} &&
      PATH=$1:$PATH sh ${program('forget')} && for file in ${files}; do [ ! -e $file ] || echo $file; done`
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', command, 'sh', directory], {
      encoding: 'utf8',
    })
    return stdout.split('\n').filter((line) => line !== '')
  }

  test.each([
    ['before k3s starts', 'starting', 'are gone'],
    ['after k3s has ended and the machine goes down', 'stopping', 'run'],
  ] as const)('is taken away %s', (_, system, containers) => {
    expect(left(system, containers)).toEqual(kept)
  })

  test('stays while they run and go on running', () => {
    expect(left('running', 'run')).toEqual([...stale, ...kept])
  })
})

describe.skipIf(skip)('the watchdog of a boot on trial', () => {
  /** How often it was fed until the end, or until its device moved away after so many times, and which driver was loaded. */
  function fed(
    cmdline: string,
    device: 'there' | 'missing',
    until = 1000,
  ): { times: number; loaded: string; settings: string } {
    writeFileSync(join(directory, 'cmdline'), cmdline)
    const programs = {
      sleep: `echo fed >>${directory}/fed\n[ $(wc -l <${directory}/fed) -lt ${until} ] || rm /dev/watchdog0`,
      modprobe: `echo "$@" >>${directory}/loaded\nmknod /dev/watchdog0 c 1 3`,
    }
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`)
      chmodSync(join(directory, name), 0o755)
    }
    const command = `mount --bind $1/cmdline /proc/cmdline && mount -t tmpfs tmpfs /dev && mknod /dev/null c 1 3 && mount -t tmpfs tmpfs /run &&
      trap 'cat /run/systemd/system.conf.d/* >$1/settings 2>/dev/null' EXIT &&
      ${device === 'there' ? 'mknod /dev/watchdog0 c 1 3 &&' : ''} PATH=$1:$PATH sh ${program('initramfs-watchdog')}`
    // Its output is open until what it left running has ended.
    spawnSync('unshare', ['-m', 'sh', '-c', command, 'sh', directory])
    const lines = (name: string): string[] => {
      const file = join(directory, name)
      return existsSync(file)
        ? readFileSync(file, 'utf8')
            .trim()
            .split('\n')
            .filter((line) => line !== '')
        : []
    }
    return {
      times: lines('fed').length,
      loaded: lines('loaded').join('; '),
      settings: lines('settings').join(' '),
    }
  }
  // At a restart nobody feeds it any more: k3OS does not.
  const settings = '[Manager] RuntimeWatchdogSec=60 RebootWatchdogSec=off'
  const onTrial = 'rw k3os-migrate.deadline=900 quiet\n'

  test.each([
    ['the one of the machine', 'there', ''],
    ["the kernel's, where the machine has none", 'missing', '-q softdog'],
  ] as const)('is %s, and fed for five minutes at most', (_, device, loaded) => {
    expect(fed(onTrial, device)).toEqual({ times: 60, loaded, settings })
  })

  test('is left to the new system when that begins', () => {
    expect(fed(onTrial, 'there', 3)).toEqual({ times: 3, loaded: '', settings })
  })

  test('is none in a system that is confirmed', () => {
    expect(fed('rw quiet\n', 'missing')).toEqual({ times: 0, loaded: '', settings: '' })
  })
})

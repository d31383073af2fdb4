import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { machine as arch, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checksumLines } from '../../../src/core/image/root-tree.ts'
import { readBesideState } from '../../../src/core/in-place/beside.ts'
import { changedGrubEnvironment, writeGrubEnvironment } from '../../../src/core/in-place/grubenv.ts'
import { readLook } from '../../../src/core/in-place/look.ts'
import { requirePart } from '../../support/require-part.ts'

const skip = requirePart(
  'LOOP',
  process.getuid?.() === 0 ? undefined : 'file systems can be mounted by root only',
)
const script = fileURLToPath(new URL('../../../templates/in-place/node.sh', import.meta.url))
const oldMenu = 'set default=0\n# of the installer\n'
const newMenu = `set default=0\nset fallback=0\n${'# long\n'.repeat(2000)}`
const emptyBlock = writeGrubEnvironment(new Map())

let directory: string
let image: string

/** A file system as STATE, on a loop device, and the script in a mount namespace where it is seen as k3OS shows it. */
function run(
  words: readonly string[],
  input: string | Uint8Array = '',
): { exit: number | null; out: string; err: string } {
  return inState(`exec busybox ash ${script} "$@"`, words, input)
}

function inState(
  command: string,
  words: readonly string[] = [],
  input: string | Uint8Array = '',
): {
  exit: number | null
  out: string
  err: string
} {
  const prepare = `set -e
    mount -t tmpfs tmpfs /run
    mkdir /run/s
    mount -o loop "$1" /run/s
    mount --bind /run/s/boot /boot
    shift
    ${command}`
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', prepare, 'sh', image, ...words],
    { input },
  )
  return { exit: status, out: stdout.toString('latin1'), err: stderr.toString() }
}

/** Names, sizes and inodes of everything on STATE. */
function everything(): string {
  return inState('cd /run/s; find . -type f -printf "%p %s %i\\n" | sort').out
}

function tree(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): Buffer {
  const root = mkdtempSync(join(directory, 'tree-'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  mkdirSync(join(root, 'state'))
  for (const [path, to] of Object.entries({ vmlinuz: 'boot/kernel', ...links }))
    symlinkSync(to, join(root, path))
  return execFileSync('tar', ['-C', root, '-cf', '-', '.'])
}

/** With the k3s that runs, as it lies on k3OS's disk. */
function complete(): ReturnType<typeof run> {
  const folder = '/run/s/k3os/system/k3s/v1.21.5+k3s2'
  inState(`mkdir -p ${folder}; echo "the k3s that runs" >${folder}/k3s`)
  return run(['complete', 'deb-1', 'v1.21.5+k3s2'])
}

const bootable = {
  'boot/kernel': 'kernel\n',
  'initrd.img': 'initrd\n',
  'sbin/init': '',
  'etc/machine-id': '',
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k3os-state-'))
  image = join(directory, 'state.img')
  const state = join(directory, 'state')
  mkdirSync(join(state, 'boot/grub/i386-pc'), { recursive: true })
  mkdirSync(join(state, 'k3os/data'), { recursive: true })
  chmodSync(state, 0o755)
  writeFileSync(join(state, 'boot/grub/grub.cfg'), oldMenu)
  writeFileSync(join(state, 'boot/grub/grubenv'), emptyBlock)
  const features = '^metadata_csum_seed,^orphan_file'
  execFileSync(
    'mke2fs',
    ['-q', '-t', 'ext4', '-L', 'K3OS_STATE', '-O', features, '-d', state, image, '32M'],
    {
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    },
  )
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

describe.skipIf(skip)('what a move in place does on the node', () => {
  test('says everything that the gates ask for', () => {
    const { out, exit } = run(['look'])
    const look = readLook(out, 'n1')
    expect([exit, look.device, look.fileSystemErrors, look.fileSystemState]).toEqual([
      0,
      expect.stringMatching(/^\/dev\/loop/),
      0,
      'clean',
    ])
    expect(look.missingModules).toContain('loadenv')
    expect(look.grubenv).toMatchObject({ bytes: 1024 })
  })

  test('puts the menu where GRUB reads it without the journal, and keeps the old one', () => {
    expect(run(['menu'], newMenu)).toEqual({ exit: 0, out: '', err: '' })
    // Once more, as after a crash: what is kept is still the one of the installer.
    expect(run(['menu'], newMenu).exit).toBe(0)
    expect(inState('cat /boot/grub/grub.cfg').out).toBe(newMenu)
    expect(inState('cat /boot/grub/grub.cfg.k3os').out).toBe(oldMenu)
    expect(everything()).not.toContain('grub.cfg.new')
  })

  test('makes an environment block where there is none, of bytes that are really there', () => {
    inState('rm /boot/grub/grubenv')
    run(['menu'], newMenu)
    expect(run(['environment']).out).toBe(new TextDecoder().decode(emptyBlock))
    expect(Number(inState('stat -c %b /boot/grub/grubenv').out)).toBeGreaterThan(0)
  })

  test('arms in place: the same blocks, nothing else touched', () => {
    const place = 'debugfs -R "blocks /boot/grub/grubenv" $(losetup -nO NAME -j "$1") 2>/dev/null'
    const before = [everything(), inState(place, [image]).out]
    const armed = changedGrubEnvironment(emptyBlock, { next_entry: 'trial' })
    expect(run(['arm'], armed)).toEqual({ exit: 0, out: '', err: '' })
    expect(run(['environment']).out).toContain('next_entry=trial\n')
    expect([everything(), inState(place, [image]).out]).toEqual(before)
  })

  test('does not bring in a menu while an older one-shot is armed', () => {
    run(['arm'], changedGrubEnvironment(emptyBlock, { next_entry: 'stale' }))
    expect(run(['menu'], newMenu)).toMatchObject({ exit: 1, err: 'grubenv is armed already\n' })
    expect(inState('cat /boot/grub/grub.cfg').out).toBe(oldMenu)
  })

  test.each([1000, 1025])('does not arm with %i bytes', (length) => {
    const { exit, err } = run(['arm'], new Uint8Array(length))
    expect([exit, err]).toEqual([1, 'the block arrived incomplete\n'])
    expect(run(['environment']).out).toBe(new TextDecoder().decode(emptyBlock))
  })

  test('unpacks a tree, lays the files of the node over it, and gives it an identity of its own', () => {
    expect(run(['unpack', 'deb-1'], tree(bootable))).toEqual({ exit: 0, out: '', err: '' })
    const files = { 'etc/hostname': 'n1\n', 'etc/machine-id': '', 'usr/bin/sh': '' }
    expect(run(['seed', 'deb-1'], tree(files))).toEqual({ exit: 0, out: '', err: '' })
    expect(complete()).toEqual({ exit: 0, out: '', err: '' })
    const read = inState('cd /run/s/os/deb-1; cat vmlinuz etc/hostname etc/machine-id usr/bin/k3s')
    expect(read.out).toMatch(/^kernel\nn1\n[0-9a-f]{32}\nthe k3s that runs\n$/)
  })

  test('takes an absolute link of the tree for one that begins there', () => {
    const { 'sbin/init': _init, ...rest } = bootable
    const systemd = { ...rest, 'sbin/halt': '', 'lib/systemd/systemd': '' }
    const at = (to: string) => tree(systemd, { 'sbin/init': to })
    expect(run(['unpack', 'deb-1'], at('/lib/systemd/systemd'))).toEqual({ exit: 0, out: '', err: '' })
    // There is one under k3OS, but not in the tree.
    expect(run(['unpack', 'deb-2'], at('/bin/sh'))).toMatchObject({
      exit: 1,
      err: 'the root tree has no /sbin/init\n',
    })
  })

  test('gives the kernel a name that no package takes away', () => {
    run(['unpack', 'deb-1'], tree(bootable))
    // As dpkg and update-initramfs put new files under the old names.
    const update = 'for file in boot/kernel initrd.img; do echo new >$file.new; mv $file.new $file; done'
    const { out } = inState(
      `cd /run/s/os/deb-1; ${update}; cat boot/k3os-migrate/proven/vmlinuz boot/k3os-migrate/proven/initrd.img`,
    )
    expect(out).toBe('kernel\ninitrd\n')
  })

  test('names what the tree lacks for this machine', () => {
    run(['unpack', 'deb-1'], tree(bootable))
    const { out } = run(['drivers', 'deb-1'])
    expect(out).toMatch(new RegExp(`^programs for ${arch()}\\n`))
  })

  test('names firmware that a driver at work names, that k3OS has, and that the tree has not', () => {
    run(
      ['unpack', 'deb-1'],
      tree({ ...bootable, 'usr/lib/firmware/nic/has.fw': '', 'usr/lib/firmware/nic/packed.fw.xz': '' }),
    )
    // Programs that answer as those of k3OS do; its own shell would take busybox's, which ask this kernel.
    const answers = {
      lsmod: 'echo "Module  Size  Used by"; echo "nic 16384 0"; echo "ext4 1 1"',
      modinfo:
        '[ "$*" != "-F firmware nic" ] || for file in has packed lacks of-another-chip; do echo nic/$file.fw; done',
    }
    for (const [name, text] of Object.entries(answers))
      writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    const k3os = `mkdir -p /run/firmware/nic && (cd /run/firmware/nic && touch has.fw packed.fw lacks.fw)
      mount --bind /run/firmware /lib/firmware
      PATH=${directory}:$PATH exec sh ${script} "$@"`
    const { out } = inState(k3os, ['drivers', 'deb-1'])
    expect(out.split('\n').filter((line) => line.startsWith('firmware'))).toEqual([
      'firmware nic nic/lacks.fw',
    ])
  })

  test('leaves nothing of containers behind when it has stopped k3s', () => {
    const lease = '/var/lib/cni/networks/cbr0/10.42.1.7'
    // A process of nobody else may be ended by it.
    const alone = `mount -t tmpfs tmpfs /var && mkdir -p /var/lib/cni/networks/cbr0 /var/lib/kubelet /run/bin
      touch ${lease} /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state /var/lib/kubelet/config
      ln -s /bin/true /run/bin/rc-service
      PATH=/run/bin:$PATH unshare -p -C -f --mount-proc busybox ash ${script} stop
      find /var -type f`
    expect(inState(alone)).toEqual({ exit: 0, out: '/var/lib/kubelet/config\n', err: '' })
  })

  test('takes no other k3s than the one that runs', () => {
    run(['unpack', 'deb-1'], tree(bootable))
    expect(run(['complete', 'deb-1', 'v1.22.2+k3s1'])).toMatchObject({
      exit: 1,
      err: 'k3OS has no k3s v1.22.2+k3s1 on its disk, and that is the one that runs\n',
    })
  })

  test('says where it stands, also when nothing of a move is there', () => {
    const before = readBesideState(run(['state', 'deb-1']).out, 'n1')
    expect(before).toMatchObject({ system: 'k3os', traces: false, placed: null, armed: null, settled: null })
    run(['unpack', 'deb-1'], tree({ ...bootable, 'etc/k3os-migrate/nonce': 'c0ffee\n' }))
    run(['menu'], newMenu)
    run(['arm'], changedGrubEnvironment(emptyBlock, { next_entry: 'trial' }))
    const after = readBesideState(run(['state', 'deb-1']).out, 'n1')
    expect(after).toMatchObject({ traces: true, placed: 'c0ffee', armed: 'trial' })
    expect(after.menu).toBe(createHash('sha256').update(newMenu).digest('hex'))
    expect(after.bootId).toBe(before.bootId)
  })

  test('gives pods the name servers themselves, not a stub on this machine', () => {
    run(['unpack', 'deb-1'], tree(bootable))
    inState('ln -s ../run/systemd/resolve/stub-resolv.conf /run/s/os/deb-1/etc/resolv.conf')
    run(['seed', 'deb-1'], tree({ 'usr/bin/sh': '' }))
    expect(complete().exit).toBe(0)
    expect(inState('readlink /run/s/os/deb-1/etc/resolv.conf').out).toBe(
      '../run/systemd/resolve/resolv.conf\n',
    )
  })

  test.each([
    ['a tree without a kernel', tree],
    ['half an archive', (files: typeof bootable) => tree(files).subarray(0, 1500)],
  ])('leaves no /os/ID of %s', (what, make) => {
    const { 'boot/kernel': _kernel, ...rest } = bootable
    const { exit } = run(
      ['unpack', 'deb-1'],
      make(what.includes('kernel') ? (rest as typeof bootable) : bootable),
    )
    expect(exit).toBe(1)
    expect(inState('ls /run/s/os').out).not.toMatch(/^deb-1$/m)
  })

  test('finds a file that is not what was sent', () => {
    run(['unpack', 'deb-1'], tree(bootable))
    const line = (text: string): string =>
      `${execFileSync('sha256sum', { input: text, encoding: 'utf8' }).slice(0, 64)}  ./initrd.img\n`
    expect(run(['verify', 'deb-1'], line('initrd\n')).exit).toBe(0)
    const { exit, err } = run(['verify', 'deb-1'], line('something else'))
    expect([exit, err]).toEqual([
      1,
      expect.stringMatching(/^read back from the disk, this differs: \.\/initrd\.img.*\n$/),
    ])
  })

  test('reads back files of any name', () => {
    const name = String.raw`usr/lib/systemd/system/system-x\x2dy.slice`
    run(['unpack', 'deb-1'], tree({ ...bootable, [name]: 'slice\n' }))
    const sha256 = createHash('sha256').update('slice\n').digest('hex')
    expect(run(['verify', 'deb-1'], checksumLines([{ path: name, sha256 }]))).toMatchObject({
      exit: 0,
      err: '',
    })
  })

  test('takes everything away again, also twice', () => {
    const before = everything()
    run(['unpack', 'deb-1'], tree(bootable))
    run(['menu'], newMenu)
    expect(everything()).not.toBe(before)
    expect(run(['remove', 'deb-1'])).toEqual({ exit: 0, out: '', err: '' })
    expect(run(['remove', 'deb-1']).exit).toBe(0)
    expect(everything()).toBe(before)
  })

  test.each([['../x'], ['a/b'], ['-rf']])('does not take %s for the name of a folder', (name) => {
    const { exit, err } = run(['remove', name])
    expect([exit, err]).toEqual([1, `'${name}' cannot name a folder\n`])
  })
})

import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { localVolumePath, type Scenario, type ScenarioNode } from '../../src/simulation/scenario.ts'

/** Disk of one machine of a scenario. Never written to: a machine runs on a layer above it. */
export interface VmDisk {
  readonly file: string
  readonly format: 'raw' | 'qcow2'
  readonly node: ScenarioNode
  readonly firmware: 'bios' | 'uefi'
  /** Type and key of the host key that the machine keeps. */
  readonly hostPublicKey: string
}

export interface DiskOptions {
  /** Default: what the scenario says. */
  readonly firmware?: 'bios' | 'uefi'
  /** `2019`: blocks of 1 KiB and inodes of 128 bytes, as from installers before 0.7.0. */
  readonly age?: 'today' | '2019'
  /** Default: what the scenario says. Holes take no space. */
  readonly sizeMib?: number
  /** How long the menu of GRUB waits; the installer writes 10. */
  readonly menuSeconds?: number
  /** k3OS was upgraded once: each component has a previous version, of the same content. */
  readonly upgraded?: boolean
  /** The k3s of the machine; without one its k3s only says that it is none. */
  readonly k3s?: string
  /** What the stand-in's server role starts, which k3s carries within itself. */
  readonly serverParts?: { readonly controlPlane: string; readonly tools: string }
}

const vmScript = fileURLToPath(new URL('../../lab/vm.sh', import.meta.url))
const diskScript = fileURLToPath(new URL('../../lab/vm/disk.sh', import.meta.url))

/** Folder with what `lab/vm.sh` made. */
export function vmParts(): string {
  return execFileSync(vmScript, ['--where'], { encoding: 'utf8' }).trim()
}

/** Makes `NAME.img` in `directory`. `identity` is a public key that `rancher` is reached with. */
export async function makeDisk(
  directory: string,
  scenario: Scenario,
  node: ScenarioNode,
  identity: string,
  options: DiskOptions = {},
): Promise<VmDisk> {
  const firmware = options.firmware ?? node.machine.firmware
  const age = options.age ?? 'today'
  const tree = await mkdtemp(join(directory, 'state-'))
  try {
    chmodSync(tree, 0o755)
    addSystem(tree, node, options)
    const hostPublicKey = addData(tree, scenario, node, identity)
    if (options.serverParts !== undefined) addServerParts(tree, options.serverParts)
    const file = join(directory, `${node.name}-${firmware}-${age}.img`)
    const size = String(options.sizeMib ?? node.machine.diskMib)
    await promisify(execFile)(diskScript, [file, firmware, size, age, tree])
    return { file, format: 'raw', node, firmware, hostPublicKey }
  } finally {
    await rm(tree, { recursive: true })
  }
}

/** What the installer copies to STATE: rancher/k3os install.sh. */
function addSystem(tree: string, node: ScenarioNode, options: DiskOptions): void {
  const parts = vmParts()
  const release = readFileSync(join(parts, 'kernel-release'), 'utf8').trim()
  const system = join(tree, 'k3os/system')
  const component = (name: string, version: string, files: Readonly<Record<string, string>>): void => {
    const versions = options.upgraded === true ? [version, `${version}-before`] : [version]
    for (const [index, each] of versions.entries()) {
      const folder = join(system, name, each)
      mkdirSync(folder, { recursive: true })
      for (const [file, source] of Object.entries(files)) {
        // A second version shares its blocks with the first.
        if (index === 0) copyFileSync(source, join(folder, file))
        else linkSync(join(system, name, version, file), join(folder, file))
      }
      symlinkSync(each, join(system, name, index === 0 ? 'current' : 'previous'))
    }
  }
  const kernel = { 'kernel.squashfs': join(parts, 'kernel.squashfs'), initrd: join(parts, 'initrd') }
  component('kernel', release, kernel)
  component('k3os', node.k3os, { k3os: join(parts, 'k3os') })
  const k3s = join(tree, 'k3s')
  if (options.k3s === undefined) writeFileSync(k3s, noK3s(node.k3s), { mode: 0o755 })
  else copyFileSync(options.k3s, k3s)
  chmodSync(k3s, 0o755)
  component('k3s', node.k3s, { k3s })
  execFileSync('rm', [k3s])

  mkdirSync(join(tree, 'sbin'))
  mkdirSync(join(tree, '.root'))
  symlinkSync('../k3os/system/k3os/current/k3os', join(tree, 'sbin/init'))
  mkdirSync(join(tree, 'boot/grub'), { recursive: true })
  writeFileSync(join(tree, 'boot/grub/grub.cfg'), grubConfig(options.menuSeconds ?? 10))
}

/** What the machine has gathered since: everything of the scenario that k3OS keeps. Returns its public host key. */
function addData(tree: string, scenario: Scenario, node: ScenarioNode, identity: string): string {
  const data = join(tree, 'k3os/data')
  const keep = join(data, 'var/lib/rancher/k3os')
  for (const [path, text] of Object.entries(node.files)) {
    const inSystem = path.startsWith('/k3os/system/')
    // What lies in RAM is made at each boot.
    if (!inSystem && /^\/(etc|proc|sys|run|tmp|usr|boot)\//.test(path)) continue
    const file = join(inSystem ? tree : data, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: path.endsWith('config.yaml') ? 0o600 : 0o644 })
  }
  mkdirSync(join(keep, 'node'), { recursive: true })
  mkdirSync(join(keep, 'ssh'), { recursive: true })
  writeFileSync(join(keep, 'node/password'), `${node.nodePassword}\n`, { mode: 0o600 })
  // All that sshd wants: the machine would take half a minute to make them.
  const key = (type: string): string => join(keep, `ssh/ssh_host_${type}_key`)
  for (const type of ['rsa', 'ecdsa', 'ed25519'])
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', `root@${node.name}`, '-f', key(type)])
  for (const volume of scenario.localVolumes.filter((each) => each.node === node.name)) {
    const folder = join(data, localVolumePath(volume))
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o777)
    writeFileSync(join(folder, 'data'), `data of ${volume.namespace}/${volume.claim}\n`)
  }
  const home = join(data, 'home/rancher')
  mkdirSync(join(home, '.ssh'), { recursive: true })
  chmodSync(join(home, '.ssh'), 0o700)
  writeFileSync(join(home, '.ssh/authorized_keys'), identity, { mode: 0o600 })
  execFileSync('chown', ['-R', '1000:1000', home])
  return readFileSync(`${key('ed25519')}.pub`, 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ')
}

function addServerParts(tree: string, parts: NonNullable<DiskOptions['serverParts']>): void {
  const folder = join(tree, 'k3os/data/var/lib/rancher/k3s/data/standin')
  mkdirSync(folder, { recursive: true })
  for (const [name, file] of [
    ['control-plane', parts.controlPlane],
    ['tools', parts.tools],
  ] as const) {
    copyFileSync(file, join(folder, name))
    chmodSync(join(folder, name), 0o755)
  }
}

const noK3s = (version: string): string => `#!/bin/sh
# Where k3s would be. This lab machine was made without one.
case $1 in
  --version) echo "k3s version ${version} (none: this lab machine was made without k3s)" ;;
  *) echo 'there is no k3s on this machine'; exec sleep 86400 ;;
esac
`

/** The menu that k3OS's installer writes since 0.11.0, for a machine that was installed over a serial line. */
function grubConfig(menuSeconds: number): string {
  const entry = (title: string, link: string, extra: string): string => `
menuentry "${title}" {
  search.fs_label K3OS_STATE root
  set sqfile=/k3os/system/kernel/${link}/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz printk.devkmsg=on${extra} console=tty1 console=ttyS0
  initrd /k3os/system/kernel/${link}/initrd
}
`
  return `set default=0
set timeout=${menuSeconds}

set gfxmode=auto
set gfxpayload=keep
insmod all_video
insmod gfxterm
${entry('k3OS Current', 'current', '')}${entry('k3OS Previous', 'previous', '')}${entry(
    'k3OS Rescue (current)',
    'current',
    ' rescue',
  )}${entry('k3OS Rescue (previous)', 'previous', ' rescue')}`
}

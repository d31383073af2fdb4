import { execFileSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bundle } from '../../src/core/bundle.ts'
import { sh } from '../../src/core/shell.ts'

const lab = fileURLToPath(new URL('../../lab/k3os-root/', import.meta.url))

const programs = {
  busybox: ['/bin/busybox', '/usr/bin/busybox'],
  sshd: ['/usr/sbin/sshd'],
  bash: ['/bin/bash'],
  sudo: ['/usr/bin/sudo'],
} as const

/** Why no root can be built here, with what to run; undefined when one can. */
export function missingForK3osRoot(): string | undefined {
  if (process.getuid?.() !== 0) return 'the lab of k3OS-shaped roots needs root (chroot)'
  const missing = Object.entries(programs).filter(([, paths]) => !paths.some((path) => existsSync(path)))
  if (missing.length === 0) return undefined
  const names = missing.map(([name]) => name).join(', ')
  return `no ${names} here: apt-get install openssh-server busybox-static sudo`
}

/**
 * Lays out a root in `directory`, which is empty: a busybox userland with sshd, bash and sudo, and on top of it what the
 * node's data says. `sudo: false` leaves `rancher` without the right to become root.
 */
export function buildK3osRoot(directory: string, node: Bundle, options: { readonly sudo: boolean }): void {
  const at = (path: string): string => join(directory, path)
  for (const path of [
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
    'etc/pam.d',
    'dev',
    'run/sshd',
    'tmp',
    'root',
  ])
    mkdirSync(at(path), { recursive: true, mode: 0o755 })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, at(name))
  const device = (name: string, minor: string): void => {
    execFileSync('mknod', ['-m', '666', at(`dev/${name}`), 'c', '1', minor])
  }
  device('null', '3')
  device('zero', '5')
  device('urandom', '9')

  addUserland(directory)
  for (const name of ['passwd', 'group']) copyFileSync(join(lab, name), at(`etc/${name}`))
  copyFileSync(join(lab, 'pam-sudo'), at('etc/pam.d/sudo'))
  const sudoers = options.sudo ? readFileSync(join(lab, 'sudoers'), 'utf8') : 'root ALL=(ALL) ALL\n'
  writeFileSync(at('etc/sudoers'), sudoers, { mode: 0o440 })

  // The name servers of the data do not exist here, and sudo looks up the host's own name.
  writeFileSync(at('etc/nsswitch.conf'), 'hosts: files\n')

  addNode(directory, node)
  addStandIns(directory, node)
  execFileSync('chown', ['-R', '1000:1000', at('home/rancher')])
}

export function labFile(name: string): string {
  return join(lab, name)
}

function addUserland(directory: string): void {
  const busybox = found(programs.busybox)
  const target = join(directory, 'usr/bin/busybox')
  copyFileSync(busybox, target)
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  // Debian's own package tools are no part of k3OS.
  for (const applet of applets.filter((name) => !/^(busybox|dpkg|dpkg-deb|rpm|rpm2cpio)$/.test(name)))
    symlinkSync('busybox', join(directory, 'usr/bin', applet))
  for (const program of [programs.sshd, programs.bash, programs.sudo].map(found))
    addWithLibraries(directory, program)
  chmodSync(join(directory, 'usr/bin/sudo'), 0o4755)
  // Loaded at run time, so not in the list of needed libraries.
  for (const module of ['/usr/libexec/sudo/sudoers.so', pamModule()]) addWithLibraries(directory, module)
}

function pamModule(): string {
  const triplet = execFileSync('ldd', [found(programs.sudo)], { encoding: 'utf8' })
  const [, libraries = '/lib'] = /(\/lib\/[^/]+)\/libc\.so/.exec(triplet) ?? []
  return join(libraries, 'security/pam_permit.so')
}

/** A program or module at its own place, with the libraries it needs. */
export function addWithLibraries(directory: string, file: string): void {
  const listed = execFileSync('ldd', [file], { encoding: 'utf8' })
  const libraries = [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  for (const path of [file, ...libraries]) {
    const target = join(directory, path)
    if (existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(path, target)
    chmodSync(target, 0o755)
  }
}

function addNode(directory: string, node: Bundle): void {
  const place = (path: string): string => {
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
    return target
  }
  // Links first: files below a linked directory must land where the link points.
  for (const [path, link] of node.links) {
    const target = place(path)
    symlinkSync(link, target)
    if (link.startsWith('/')) mkdirSync(join(directory, link), { recursive: true, mode: 0o755 })
  }
  for (const path of node.dirs.keys()) mkdirSync(join(directory, path), { recursive: true, mode: 0o755 })
  const owned: [string, { mode: number | null; owner: string | null }][] = []
  for (const [path, file] of node.files) {
    writeFileSync(place(path), file.bytes)
    owned.push([path, file])
  }
  for (const [path, file] of node.seen) {
    writeFileSync(place(path), '')
    truncateSync(join(directory, path), file.sizeBytes ?? 0)
    owned.push([path, file])
  }
  for (const [path, { mode, owner }] of [...owned, ...node.dirs]) {
    const [uid = 0, gid = 0] = (owner ?? '0:0').split(':').map(Number)
    chownSync(join(directory, path), uid, gid)
    chmodSync(join(directory, path), mode ?? 0o644)
  }
  mkdirSync(join(directory, 'home/rancher/.ssh'), { recursive: true, mode: 0o755 })
}

/** A program for each first word of a command line in the data; other uses of a busybox applet are left to busybox. */
function addStandIns(directory: string, node: Bundle): void {
  const byProgram = Map.groupBy(node.commands, ([line]) => line.split(' ', 1)[0] ?? '')
  for (const [program, answers] of byProgram) {
    const cases = answers.map(([line, { exit, text }]) => {
      const words = line.slice(program.length + 1)
      return `  ${sh(words)}) printf %s ${sh(text)}; exit ${exit} ;;`
    })
    const target = join(directory, 'usr/bin', program)
    const isApplet = existsSync(target)
    const other = isApplet ? `  *) exec /usr/bin/busybox ${program} "$@" ;;` : '  *) exit 1 ;;'
    if (isApplet) execFileSync('rm', [target])
    writeFileSync(target, ['#!/bin/sh', 'case "$*" in', ...cases, other, 'esac', ''].join('\n'), {
      mode: 0o755,
    })
    accessSync(target, constants.X_OK)
  }
}

function found(paths: readonly string[]): string {
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined) throw new Error(`none of ${paths.join(', ')} is here`)
  return path
}

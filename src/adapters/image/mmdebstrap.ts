import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { buildFailure, debianKeyring } from '../../core/image/build-failure.ts'
import type { PackageSource } from '../../core/image/packages.ts'
import { sh } from '../../core/shell.ts'
import { imageScripts } from '../image-scripts.ts'
import { lastLines } from './last-lines.ts'

/** What a disk image holds. */
export interface TreeBase {
  /** A tar archive of it. */
  readonly archive: string
  readonly kernel: string
  /** Packages of it that go. */
  readonly removed: readonly string[]
}

export interface TreeBuild {
  readonly suite: string
  /** Files to begin with, instead of none. */
  readonly base?: TreeBase | undefined
  readonly architecture: string
  readonly packages: readonly string[]
  readonly sources: readonly PackageSource[]
  /** A tar archive laid over the tree before the packages are configured. */
  readonly overlay: string
  /** Downloaded packages are kept here. */
  readonly cache: string
  /** Seconds since 1970: no file in the tree is younger. */
  readonly epoch: number
  /** Called with each line that mmdebstrap says. */
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Runs mmdebstrap; its tar archive is handed to `read` while it is made. What it says when it fails becomes one MigrateError
 * (`buildFailure`).
 */
export async function runMmdebstrap(
  build: TreeBuild,
  read: (archive: Readable) => Promise<void>,
): Promise<void> {
  const child = spawn('mmdebstrap', mmdebstrapArguments(build), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(build.epoch) },
    signal: build.signal,
  })
  const said = lastLines(child.stderr, build.onLine)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // A program that fails cuts its archive off, and both show: what it said is the cause.
  const [end, reading] = await Promise.allSettled([ended, read(child.stdout)])
  build.signal.throwIfAborted()
  if (end.status === 'rejected') throw end.reason
  if (end.value === 0 && reading.status === 'fulfilled') return
  if (end.value === 0 && reading.status === 'rejected') throw reading.reason
  // The reader gave up first, as on a full disk: mmdebstrap only lost its pipe.
  if (reading.status === 'rejected' && end.value === null) throw reading.reason
  throw buildFailure('mmdebstrap', said())
}

/**
 * Both kinds of tree are made in the same order: files to begin with, what is ours, packages, and then away with what belongs to one
 * machine.
 */
export function mmdebstrapArguments(build: TreeBuild): string[] {
  const { sources, overlay, cache } = build
  const { variant, skip, files, packages } =
    build.base === undefined ? fromNothing(build) : fromBase(build, build.base)
  return [
    `--variant=${variant}`,
    '--format=tar',
    `--architectures=${build.architecture}`,
    // Nothing that is merely recommended: GRUB is, by the kernel.
    '--aptopt=APT::Install-Recommends "false"',
    // A mirror may answer with an error when it is busy.
    '--aptopt=Acquire::Retries "3"',
    `--skip=${['download/empty', 'essential/unlink', ...skip].join(',')}`,
    `--setup-hook=mkdir -p ${sh(cache)} "$1/var/cache/apt/archives"`,
    `--setup-hook=sync-in ${sh(cache)} /var/cache/apt/archives`,
    ...files,
    // Before the kernel is configured, so that its initial RAM disk has our part.
    `--essential-hook=tar-in ${sh(overlay)} /`,
    '--essential-hook=mkdir -p "$1/state"',
    ...packages,
    `--customize-hook=sync-out /var/cache/apt/archives ${sh(cache)}`,
    // k3OS's k3s has always used this one; both at once would be two sets of rules.
    '--customize-hook=chroot "$1" update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy',
    '--customize-hook=chroot "$1" update-alternatives --quiet --set ip6tables /usr/sbin/ip6tables-legacy',
    // All of it belongs to one machine, or differs from build to build.
    '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/var/lib/systemd/random-seed "$1"/var/cache/ldconfig/aux-cache "$1"/etc/.resolv.conf.systemd-resolved.bak',
    // mmdebstrap put the one of this machine there.
    '--customize-hook=ln -sfn ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"',
    '--customize-hook=find "$1/var/log" -type f -delete',
    build.suite,
    '-',
    ...sources.map(
      ({ uri, suite, components }) =>
        `deb [signed-by=${debianKeyring}] ${uri} ${suite} ${components.join(' ')}`,
    ),
  ]
}

interface Beginning {
  readonly variant: 'minbase' | 'custom'
  readonly skip: readonly string[]
  readonly files: readonly string[]
  readonly packages: readonly string[]
}

function fromNothing({ packages }: TreeBuild): Beginning {
  return { variant: 'minbase', skip: [], files: [], packages: [`--include=${packages.join(',')}`] }
}

function fromBase({ packages }: TreeBuild, { archive, kernel, removed }: TreeBase): Beginning {
  const unpack = `tar --extract --file ${sh(archive)} --numeric-owner --preserve-permissions --acls --xattrs --xattrs-include='*'`
  const words = [...packages, ...removed.map((name) => `${name}-`)]
  return {
    variant: 'custom',
    // mmdebstrap would put the one back that was there before its package was upgraded.
    skip: ['chroot/start-stop-daemon'],
    files: [`--setup-hook=${unpack} --directory "$1"`],
    packages: [
      `--customize-hook=sh ${sh(imageScripts.packages)} "$1" ${[kernel, ...words].map(sh).join(' ')}`,
    ],
  }
}

import { utf8Encode } from '../k3os/bytes.ts'
import { tar, type TarEntry } from '../tar.ts'
import type { BindMount } from './bind-mounts.ts'
import { deadlineArgument, kernelTrialArgument } from './kernel-arguments.ts'

/** STATE on the new system, by the initial RAM disk. */
const statePath = '/state'
/** Programs of ours on the new system. */
const ownPrograms = '/usr/lib/k3os-migrate'
/** Exists once the new system is the default: the deadline no longer counts. */
const confirmedPath = '/etc/k3os-migrate/confirmed'
/** `SOURCE TARGET` lines that the gate compares: paths on the new system. */
const bindsPath = '/etc/k3os-migrate/binds'
/** `INTERFACE ADDRESS/PREFIX` and `default via ADDRESS` lines that the gate waits for. */
const networkPath = '/etc/k3os-migrate/network'
/** Seconds since 1970 when the system was laid down. */
const stagedPath = '/etc/k3os-migrate/staged-at'
/** One file system by UUID at one place, as a command of k3OS mounted it. */
export interface DiskMount {
  readonly uuid: string
  readonly path: string
  readonly fsType: string
  readonly readOnly: boolean
}

export interface Unit {
  readonly path: string
  readonly content: string
}

const systemd = '/etc/systemd/system'
const gate = 'k3os-migrate-gate.service'
const deadline = 'k3os-migrate-deadline.service'
const kernel = 'k3os-migrate-kernel.service'
const kernelDeadline = 'k3os-migrate-kernel-deadline.service'
/** Exists once the kernel that runs has come up (`templates/in-place/kernel.sh`). */
const kernelUpPath = '/run/k3os-migrate-kernel-up'

/** What a system beside k3OS must find again. */
export interface OldWorld {
  readonly binds: readonly BindMount[]
  readonly disks: readonly DiskMount[]
  /** Lines for the gate. */
  readonly network: readonly string[]
  /** Seconds since 1970, by k3OS's clock. */
  readonly stagedAt: number
  /** `k3s.service` or `k3s-agent.service`; null where no k3s runs. */
  readonly k3sService: string | null
}

/** Units of a system beside k3OS, and the links that enable them (`path` is the link, `target` what it says). */
export function inPlaceUnits({ binds, disks, network, stagedAt, k3sService }: OldWorld): {
  readonly files: readonly Unit[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
} {
  const bindUnits = binds.map((bind) => mountUnit(bind.to, bindText(bind)))
  const diskUnits = disks.map((disk) => mountUnit(disk.path, diskText(disk)))
  const names = (units: readonly { readonly name: string }[]) => units.map(({ name }) => name)
  const mounts = names([...bindUnits, ...diskUnits])
  return {
    files: [
      ...[...bindUnits, ...diskUnits].map(({ name, content }) => ({ path: `${systemd}/${name}`, content })),
      {
        path: bindsPath,
        content: binds.map(({ from, to }) => `${statePath}/k3os/data${from} ${to}\n`).join(''),
      },
      { path: networkPath, content: network.map((line) => `${line}\n`).join('') },
      { path: stagedPath, content: `${stagedAt}\n` },
      { path: `${systemd}/${gate}`, content: gateText(mounts) },
      { path: `${systemd}/${deadline}`, content: deadlineText },
      { path: `${systemd}/${kernel}`, content: kernelText(k3sService) },
      { path: `${systemd}/${kernelDeadline}`, content: kernelDeadlineText },
      ...(k3sService === null
        ? []
        : [
            {
              path: `${systemd}/${k3sService}.d/k3os-migrate.conf`,
              content: `[Unit]\nRequires=${gate}\nAfter=${gate}\n`,
            },
          ]),
    ],
    links: [
      // Other disks are not waited for by anything but the gate: commands of k3OS may mount them first.
      ...names(bindUnits).map((name) => ({
        path: `${systemd}/local-fs.target.wants/${name}`,
        target: `../${name}`,
      })),
      { path: `${systemd}/multi-user.target.wants/${gate}`, target: `../${gate}` },
      // As early as it can be: it must also end a boot that never gets further.
      ...[deadline, kernelDeadline].map((name) => ({
        path: `${systemd}/sysinit.target.wants/${name}`,
        target: `../${name}`,
      })),
      { path: `${systemd}/multi-user.target.wants/${kernel}`, target: `../${kernel}` },
    ],
  }
}

/** The same as an archive that is laid over the new system. */
export function inPlaceFiles(world: OldWorld): Uint8Array {
  const { files, links } = inPlaceUnits(world)
  const entry = (path: string): Pick<TarEntry, 'path' | 'owner' | 'mode'> => ({
    path: path.slice(1),
    owner: '0:0',
    mode: 0o644,
  })
  return tar([
    ...files.map(({ path, content }) => ({ ...entry(path), content: utf8Encode(content) })),
    ...links.map(({ path, target }) => ({ ...entry(path), content: new Uint8Array(), link: target })),
  ])
}

function mountUnit(path: string, text: string): { readonly name: string; readonly content: string } {
  return { name: `${escapedPath(path)}.mount`, content: text }
}

/** Name of the unit of a path (systemd src/basic/unit-name.c): a dot is only escaped where the whole name begins. */
export function escapedPath(path: string): string {
  const bytes = new TextEncoder().encode(path.replaceAll(/^\/+|\/+$/g, '').replaceAll(/\/+/g, '/'))
  return Array.from(bytes, (byte, index) => {
    const char = String.fromCharCode(byte)
    if (char === '/') return '-'
    const isPlain = /[A-Za-z0-9:_]/.test(char) || (char === '.' && index > 0)
    return isPlain ? char : String.raw`\x${byte.toString(16).padStart(2, '0')}`
  }).join('')
}

function specifierSafe(path: string): string {
  return path.replaceAll('%', '%%')
}

function bindText({ from, to }: BindMount): string {
  return `[Unit]
Description=${specifierSafe(to)} as k3OS left it
DefaultDependencies=no
RequiresMountsFor=${statePath}
Before=local-fs.target umount.target
Conflicts=umount.target

[Mount]
What=${specifierSafe(`${statePath}/k3os/data${from}`)}
Where=${specifierSafe(to)}
Type=none
Options=bind
`
}

/**
 * After the commands that k3OS mounted it by, which then find it as they did there; what they have mounted already is this unit
 * too. Only the gate requires it: a machine that can be reached without this disk is better than one that cannot.
 */
function diskText({ uuid, path, fsType, readOnly }: DiskMount): string {
  return `[Unit]
Description=Disk that k3OS had mounted
DefaultDependencies=no
After=k3os-boot-cmd.service k3os-run-cmd.service k3os-local-d.service
Before=umount.target
Conflicts=umount.target

[Mount]
What=/dev/disk/by-uuid/${uuid}
Where=${specifierSafe(path)}
Type=${fsType}
Options=${readOnly ? 'ro' : 'rw'}
`
}

function gateText(mounts: readonly string[]): string {
  return `[Unit]
Description=Data of k3OS is in its place
Documentation=file:${bindsPath}
Requires=${mounts.join(' ')}
After=${mounts.join(' ')}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${ownPrograms}/gate ${bindsPath} ${networkPath} ${stagedPath}
ExecStartPost=${ownPrograms}/forget
# k3s is stopped before this, and the folders are still there.
ExecStop=${ownPrograms}/forget
`
}

function deadlineUnit(description: string, conditions: readonly string[], file: string): string {
  return `[Unit]
Description=${description}
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
${conditions.map((condition) => `Condition${condition}\n`).join('')}
[Service]
Type=simple
ExecStart=${ownPrograms}/deadline ${file}
`
}

const deadlineText = deadlineUnit(
  'Back to k3OS unless this system is confirmed in time',
  [`KernelCommandLine=${deadlineArgument}`, `PathExists=!${confirmedPath}`],
  confirmedPath,
)

const kernelDeadlineText = deadlineUnit(
  'Back to the kernel before unless this one comes up in time',
  [`KernelCommandLine=${kernelTrialArgument}`],
  kernelUpPath,
)

/** At the end of a boot, with the data in its place and k3s at work: what it was started with is good enough for every boot. */
function kernelText(k3sService: string | null): string {
  return `[Unit]
Description=The kernel that came up is the one that every boot takes
Requires=${gate}
After=multi-user.target ${gate}

[Service]
Type=oneshot
ExecStart=${[`${ownPrograms}/kernel keep`, ...(k3sService === null ? [] : [k3sService])].join(' ')}
`
}

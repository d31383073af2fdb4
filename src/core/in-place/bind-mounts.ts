import { compareText } from '../findings.ts'

/**
 * k3OS keeps everything on `/` except /etc, /usr, /run and /tmp, so the new system finds all of it at its old place, except
 * what is named here. What pods use is not asked: a CronJob that does not run now has data too.
 */

export interface BindMount {
  /** Below STATE's `k3os/data`: `/var/lib/rancher`. */
  readonly from: string
  /** Path on the new system. */
  readonly to: string
}

export interface BindPlan {
  readonly binds: readonly BindMount[]
  /** Present on the node and not bound, with the reason. */
  readonly left: readonly { readonly path: string; readonly reason: string }[]
}

const ofTheSystem = 'part of the operating system'
const ownOfNew = 'the new system has its own'
const notData = 'mount point of k3OS'

/** Folders of which the new system needs its own, while what others put inside is bound one by one. */
const opened = new Set(['/var', '/var/lib', '/var/log', '/var/spool'])

const denied = new Map<string, string>([
  ...['/bin', '/sbin', '/lib', '/lib64', '/usr', '/etc', '/libexec'].map(
    (path) => [path, ofTheSystem] as const,
  ),
  ...['/run', '/tmp', '/dev', '/proc', '/sys', '/boot', '/k3os', '/.base', '/.root', '/lost+found'].map(
    (path) => [path, notData] as const,
  ),
  ...['/state', '/os'].map((path) => [path, 'name that the new system uses'] as const),
  ...['/var/cache', '/var/empty', '/var/lock', '/var/run', '/var/mail', '/var/backups'].map(
    (path) => [path, ownOfNew] as const,
  ),
  ...[
    'apt',
    'dpkg',
    'systemd',
    'dbus',
    'misc',
    'private',
    'pam',
    'ucf',
    'sudo',
    'polkit-1',
    'initramfs-tools',
    'dhcp',
  ].map((name) => [`/var/lib/${name}`, ownOfNew] as const),
  ['/var/lib/connman', "k3OS's network manager; the new system has its configuration translated"],
  ...['apt', 'journal', 'private', 'openrc', 'rc.log'].map((name) => [`/var/log/${name}`, ownOfNew] as const),
  ...['cron', 'mail'].map((name) => [`/var/spool/${name}`, ownOfNew] as const),
])

/** Bound even when the node has none yet: k3s and kubelet would otherwise begin them in the new system's tree. */
const always = [
  '/var/lib/rancher',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/local',
  '/opt',
  '/home',
  '/root',
  '/mnt',
]

/** Whether a file that k3OS has at this path is there on the new system as well: the folders on the way to it are k3OS's. */
export function isBound(path: string): boolean {
  const parts = path.split('/').slice(1, -1)
  const parents = parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
  return planBinds(parents).binds.some(({ to }) => path.startsWith(`${to}/`))
}

/**
 * `directories` are those below `k3os/data`, as paths of the node: the first level, and the levels below /var, /var/lib,
 * /var/log and /var/spool. Files and links at these levels are none.
 */
export function planBinds(directories: readonly string[]): BindPlan {
  const found = [...new Set([...directories, ...always])].toSorted(compareText)
  const considered = found.filter((path) => {
    const parent = path.slice(0, path.lastIndexOf('/'))
    return !opened.has(path) && (parent === '' || opened.has(parent))
  })
  const binds = considered.filter((path) => !denied.has(path)).map((path) => ({ from: path, to: path }))
  return {
    // /usr/local is a link to /var/local on k3OS.
    binds: [...binds, { from: '/var/local', to: '/usr/local' }],
    left: considered.flatMap((path) => {
      const reason = denied.get(path)
      return reason === undefined ? [] : [{ path, reason }]
    }),
  }
}

import type { RootFile } from './root-file.ts'

/** What the shared parts must know of one distribution. Everything else is the same wherever k3s runs beside a Linux. */
export interface LinuxSystem {
  /** For people. */
  readonly title: string
  readonly init: 'systemd' | 'openrc'
  /** Where k3s lies; its folder also gets kubectl, crictl and ctr. */
  readonly k3sBinary: string
  /** Runs one command of boot_cmd and run_cmd; it must know what busybox ash knows. */
  readonly shell: 'bash' | 'sh'
  /** Programs of `alpineTools` that this system has too. */
  readonly hasTools: ReadonlySet<string>
  /** Places where nobody can write, beyond those k3OS cannot write either; `/usr/` for an immutable /usr. */
  readonly readOnly: readonly string[]
  /** Kernel arguments that give cgroup v1; null where the system cannot have it. */
  readonly cgroupV1: readonly string[] | null
  /** `fallback`: systemd-resolved, asked when nothing else gives servers, as connman does. */
  readonly dns: 'fallback' | 'none'
  readonly time: TimeClient
  /** Lines for k3s's unit, each an `ExecStartPre` command. */
  readonly beforeK3s: readonly string[]
}

/** What Debian and Ubuntu have in common, whatever the release. */
export const debianFamily = {
  init: 'systemd',
  k3sBinary: '/usr/local/bin/k3s',
  shell: 'bash',
  hasTools: new Set<string>(),
  readOnly: [],
  dns: 'fallback',
  beforeK3s: [],
} as const satisfies Partial<LinuxSystem>

/** `fallback`: systemd-timesyncd. The others take servers as the ones to ask, and `render` says where. */
export type TimeClient =
  | { readonly kind: 'fallback' }
  | {
      readonly kind: 'primary'
      readonly program: string
      readonly render: (servers: readonly string[]) => Pick<RootFile, 'path'> & { readonly text: string }
    }

/** One node on one system: what findings name. */
export interface About {
  readonly node: string
  readonly system: LinuxSystem
}

export interface KernelNeeds {
  /** What k3OS's own entry says, `tty1` and `ttyS0,115200`; the last one is the main one. */
  readonly consoles: readonly string[]
  /** k3OS mounts a cgroup v1 hierarchy; the first move keeps it where the kernel can. */
  readonly cgroupV1: boolean
  /** Seconds until a system that nobody confirmed restarts into k3OS. */
  readonly deadlineSeconds: number
}

/** Read by the services of the new system: on this boot nobody has confirmed it yet. */
export const deadlineArgument = 'k3os-migrate.deadline'

/**
 * On this boot a kernel that a package brought has not come up yet: what is booted is not what every boot takes. The kernel
 * ignores words with a dot that name no module.
 */
export const kernelTrialArgument = 'k3os-migrate.kernel'

/** How the new system's kernel is started once it is the default. */
export function settledArguments({ consoles, cgroupV1 }: KernelNeeds): string[] {
  return [
    ...consoles.map((console) => `console=${console}`),
    // Off in k3OS's kernels since 5.4.0-73: pods that never met it must not meet it on the day of the move.
    'apparmor=0',
    // How systemd 256 and newer is made to set up cgroup v1 (systemd NEWS 256).
    ...(cgroupV1 ? ['systemd.unified_cgroup_hierarchy=0', 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'] : []),
  ]
}

/** On trial everything that stands still must restart, and nothing may ask or take hours. */
export function trialArguments(needs: KernelNeeds): string[] {
  return [
    ...settledArguments(needs),
    // Distribution kernels hang after a panic, and setting it from user land is too late.
    'panic=10',
    'softlockup_panic=1',
    'oops=panic',
    // A disk that was never checked would be checked now, within the deadline.
    'fsck.mode=skip',
    `${deadlineArgument}=${needs.deadlineSeconds}`,
  ]
}

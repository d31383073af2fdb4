/** How systemd 256 and newer is made to set up cgroup v1, as k3s before 1.20.4 needs it (systemd NEWS 256). */
export const cgroupArguments = [
  'systemd.unified_cgroup_hierarchy=0',
  'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1',
] as const

/** For grub-mkconfig, which reads the folder as shell text after /etc/default/grub. */
export const grubDropIn = {
  path: '/etc/default/grub.d/90-k3os-migrate.cfg',
  content: `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ${cgroupArguments.join(' ')}"\n`,
}

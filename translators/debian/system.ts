import type { LinuxSystem } from '../linux/system.ts'

export const debian: LinuxSystem = {
  title: 'Debian 13',
  init: 'systemd',
  k3sBinary: '/usr/local/bin/k3s',
  shell: 'bash',
  hasTools: new Set(),
  readOnly: [],
  // How systemd 256 and newer is made to set up cgroup v1 (systemd NEWS 256).
  cgroupV1: ['systemd.unified_cgroup_hierarchy=0', 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'],
  dns: 'fallback',
  time: { kind: 'fallback' },
  beforeK3s: [],
}

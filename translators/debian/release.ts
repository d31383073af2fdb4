import type { HostModel } from '../../src/core/host/model.ts'
import { debianFamily, type LinuxSystem } from '../linux/system.ts'

interface Release {
  readonly codeName: string
  readonly number: string
  readonly system: LinuxSystem
}

const common = { ...debianFamily, time: { kind: 'fallback' } } as const

/**
 * Its systemd would still set up cgroup v1, but its kernel (6.12) is built without CONFIG_MEMCG_V1 and CONFIG_CPUSETS_V1: a
 * hierarchy without memory and cpuset, on which no kubelet starts.
 */
const trixie: Release = {
  codeName: 'trixie',
  number: '13',
  system: { ...common, title: 'Debian 13', cgroupV1: null },
}

const bookworm: Release = {
  codeName: 'bookworm',
  number: '12',
  system: { ...common, title: 'Debian 12', cgroupV1: ['systemd.unified_cgroup_hierarchy=0'] },
}

/** The newest release that can run the node's k3s. */
export function releaseFor(host: HostModel): Release {
  return host.k3s.needsCgroupV1 ? bookworm : trixie
}

/** Debian makes no cloud image for 32-bit ARM: there its installer lays the seed down. */
export function imageOf({ codeName, number }: Release, machine: string | null): string {
  if (machine === 'armv7l')
    return `https://deb.debian.org/debian/dists/${codeName}/main/installer-armhf/current/images/netboot/`
  const architecture = machine === 'aarch64' ? 'arm64' : 'amd64'
  return `https://cloud.debian.org/images/cloud/${codeName}/latest/debian-${number}-generic-${architecture}.raw`
}

/** Whatever release the root tree has: the boot menu keeps k3OS's hierarchy where the tree's kernel can. */
export const beside: LinuxSystem = {
  ...bookworm.system,
  title: 'Debian beside k3OS',
  // /usr/local is k3OS's own.
  k3sBinary: '/usr/bin/k3s',
}

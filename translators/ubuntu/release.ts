import type { HostModel } from '../../src/core/host/model.ts'
import { architecture } from '../linux/machine.ts'
import { debianFamily, type LinuxSystem } from '../linux/system.ts'
import type { NodeFacts } from '../../src/core/inventory.ts'

/** One release of Ubuntu Server. */
export interface Release {
  readonly system: LinuxSystem
  readonly number: string
}

/** systemd 259 has no cgroup v1 at all, and chrony is the time client (since 25.10). */
const resolute: Release = {
  number: '26.04',
  system: {
    ...debianFamily,
    title: 'Ubuntu 26.04',
    cgroupV1: null,
    time: {
      kind: 'primary',
      program: 'chrony',
      render: (servers) => ({
        path: '/etc/chrony/sources.d/k3os.sources',
        text: servers.map((server) => `server ${server} iburst\n`).join(''),
      }),
    },
  },
}

/** systemd 255, which still sets up cgroup v1 when told to; systemd-timesyncd. */
const noble: Release = {
  number: '24.04',
  system: {
    ...debianFamily,
    title: 'Ubuntu 24.04',
    cgroupV1: ['systemd.unified_cgroup_hierarchy=0'],
    time: { kind: 'fallback' },
  },
}

/** The newest release that can run the node's k3s. */
export function releaseFor(host: HostModel): Release {
  return host.k3s.needsCgroupV1 ? noble : resolute
}

/** Names of Debian's architectures; the plain amd64 image runs on x86-64-v1, `amd64v3` is another one. */
export function imageOf({ number }: Release, facts: NodeFacts | null): string {
  const machine = architecture(facts, { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'armhf' })
  return `https://cloud-images.ubuntu.com/releases/${number}/release/ubuntu-${number}-server-cloudimg-${machine}.img`
}

import { sizeText } from '../core/assess/size-text.ts'
import type { Requirements } from '../core/requirements.ts'

/** What a target asks of a machine and offers it, in a few words each. */
export function targetNeeds(requires: Requirements): string[] {
  const { machines, x86Level, firmware, memoryMib, diskMib, cgroup, network, k3s } = requires
  const size = (mib: number): string => sizeText(mib * 1024 * 1024)
  return [
    machines.join(', '),
    ...(machines.includes('x86_64') ? [`x86-64-v${x86Level}`] : []),
    firmware.map((kind) => kind.toUpperCase()).join(' or '),
    `${size(memoryMib)} memory`,
    `${size(diskMib)} disk`,
    `cgroup ${cgroup.join(' or ')}`,
    ...(network === undefined ? [] : [wifi[network.wifi]]),
    ...(k3s?.oldest == null ? [] : [`k3s ${k3s.oldest} or newer`]),
    ...(k3s?.newest == null ? [] : [`k3s ${k3s.newest} or older`]),
    ...(requires.image === undefined ? [] : ['no image yet']),
    requires.rejoins ? 'joins the cluster again' : 'grows a new cluster',
  ]
}

const wifi = { works: 'Wi-Fi', setup: 'Wi-Fi with packages to be added', none: 'no Wi-Fi' } as const

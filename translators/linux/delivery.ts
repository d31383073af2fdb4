import type { HostModel } from '../../src/core/host/model.ts'
import { k3osBinary } from '../../src/core/k3s/paths.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import type { Delivery } from '../../src/core/translation.ts'
import type { LinuxSystem } from './system.ts'

type Seed = Extract<Delivery, { kind: 'seed' }>

/** Kernel arguments that whoever boots the system must give. */
export function kernelArguments(host: HostModel, system: LinuxSystem): readonly string[] {
  return host.k3s.needsCgroupV1 ? (system.cgroupV1 ?? []) : []
}

/** How the seed gets to the machine, the node's own k3s, and the gate in front of it. */
export function seedDelivery(
  host: HostModel,
  system: LinuxSystem,
  seed: Pick<Seed, 'label' | 'place' | 'files' | 'image'>,
): Seed {
  const runsK3s = host.k3s.role !== 'none'
  const root = system.init === 'openrc' ? 'doas' : 'sudo'
  return {
    kind: 'seed',
    ...seed,
    kernelArguments: kernelArguments(host, system),
    payload: runsK3s ? [{ from: k3osBinary, to: system.k3sBinary, mode: 0o755 }] : [],
    gate: runsK3s
      ? {
          release: releasePath,
          opens: `k3s starts once ${releasePath} exists: "apply" makes it after the data is back and compared; without "apply", put k3s at ${system.k3sBinary} and /var/lib/rancher in place, then: ${root} touch ${releasePath}`,
        }
      : null,
  }
}

import { hint, rule } from './assess-shapes.ts'

/** Whether a machine can run a target at all. The `FIT-…` reasons of one node and target are rows of `fit`, not findings. */
export const fitRules = {
  'FIT-NONE': rule<{ node: string; targets: readonly { id: string; reasons: readonly string[] }[] }>({
    severity: 'inhibitor',
    title: 'A machine fits no target',
    text: ({ node, targets }) => ({
      summary:
        targets.length === 1
          ? `${node} does not fit ${targets.map(({ id, reasons }) => `${id}: ${reasons.join('; ')}`).join('')}`
          : `${node} fits none of ${targets.map(({ id }) => id).join(', ')}`,
      diagnosis:
        targets.length === 1
          ? 'The move would end with a machine that does not boot or a k3s that does not start.'
          : targets.map(({ id, reasons }) => `${id}: ${reasons.join('; ')}`).join('. '),
      remediations: [
        hint(
          'choose another target, or change the machine; `k3os-migrate targets` lists what each one needs',
        ),
      ],
    }),
  }),
  'FIT-UNKNOWN': rule<{ node: string; reasons: readonly string[] }>({
    severity: 'medium',
    title: 'It is not known whether a machine fits',
    text: ({ node, reasons }) => ({
      summary: `it is not known which target ${node} fits: ${reasons.join('; ')}`,
      remediations: [hint('see the failed readings of this machine, then take the inventory again')],
    }),
  }),
}

/** Reasons in the fit table. Each says what the machine has and what the target needs. */
export const fitReasons = {
  'FIT-NO-IMAGE': (): string => 'the target has no image yet: only its configuration can be looked at',
  'FIT-MACHINE': (has: string, needs: readonly string[]): string =>
    `the machine is ${has}, the target runs on ${needs.join(', ')}`,
  'FIT-X86-LEVEL': (has: number, needs: number): string =>
    `the CPU is x86-64-v${has}, the target needs x86-64-v${needs}`,
  'FIT-FIRMWARE': (has: string, needs: readonly string[]): string =>
    `the firmware is ${has.toUpperCase()}, the target boots with ${needs.map((kind) => kind.toUpperCase()).join(' or ')}`,
  'FIT-MEMORY': (hasMib: number, needsMib: number): string =>
    `the machine has ${hasMib} MiB of memory, the target needs ${needsMib} MiB`,
  'FIT-DISK': (disk: string, hasMib: number, needsMib: number): string =>
    `the disk ${disk} has ${hasMib} MiB, the target needs ${needsMib} MiB`,
  'FIT-OTHER-DISK': (disk: string, state: string, needsMib: number): string =>
    `install to ${disk}: the k3OS disk ${state} is smaller than the ${needsMib} MiB the target needs`,
  'FIT-BOARD': (model: string): string => `the target has no image that starts on the board ${model}`,
  'FIT-BOARD-IMAGE': (model: string): string =>
    `the board ${model} starts only what is made for it: the image must bring its boot loader and kernel`,
  'FIT-NIC-DRIVER': (port: string, driver: string): string =>
    `the network card ${port} needs the driver ${driver}, which the target does not have`,
  'FIT-NIC-FIRMWARE': (port: string, driver: string): string =>
    `add the firmware of ${driver} to the image: the network card ${port} may load it at its start`,
  'FIT-WIFI': (port: string): string =>
    `the machine is on the network by Wi-Fi (${port}), which the target does not offer`,
  'FIT-WIFI-SETUP': (port: string): string =>
    `the machine is on the network by Wi-Fi (${port}): Wi-Fi programs and firmware must be on the image, or a cable at hand`,
  'FIT-CGROUP-V1': (k3s: string): string =>
    `k3s ${k3s} does not start without cgroup v1, which the target does not offer; upgrade k3s to v1.20.4 or newer on k3OS first`,
  'FIT-CGROUP-BOOT': (k3s: string): string => `k3s ${k3s} needs cgroup v1: the target must boot with it`,
  'FIT-CGROUP-V2': (k3s: string): string => `k3s ${k3s} needs cgroup v2, which the target does not offer`,
  'FIT-K3S': (k3s: string, oldest: string | null, newest: string | null): string =>
    `the target carries k3s ${[oldest === null ? '' : `from ${oldest}`, newest === null ? '' : `up to ${newest}`].filter((part) => part !== '').join(' ')}, the node has ${k3s}`,
  'FIT-NEW-CLUSTER': (): string =>
    'the target does not join this cluster again: a new cluster grows beside it, workloads and data move',
  'FIT-UNREAD': (what: string): string => `${what} could not be read`,
} as const

import type { Translation, Translator } from '../../src/core/translation.ts'
import { kernelArguments, seedDelivery } from '../linux/delivery.ts'
import { systemFindings } from '../linux/findings.ts'
import { grubDropIn } from '../linux/grub.ts'
import { wifiLink } from '../linux/netplan.ts'
import { seedFiles, traceOfSeed } from '../linux/nocloud.ts'
import { traceInto } from '../linux/root-file.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { networkChoices } from './network-choices.ts'
import { preseed } from './preseed.ts'
import { imageOf, releaseFor } from './release.ts'

/** Debian 13 (12 where k3s is too old for it) with the node's own k3s, by a cloud image and a NoCloud seed. */
export const translator: Translator = {
  id: 'debian',
  title: 'Debian 13',
  requires: {
    machines: ['x86_64', 'aarch64', 'armv7l'],
    memoryMib: 512,
    diskMib: 4096,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v1', 'v2'],
    rejoins: true,
    // The image `generic` has every driver of the kernel; firmware and Wi-Fi programs are packages of their own.
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'setup' },
  },
  translate(source, tools): Translation {
    const { host, facts } = source
    const release = releaseFor(host)
    const { system } = release
    const bootArguments = kernelArguments(host, system)
    const node = systemdNode(source, system, tools, [...grubDropIn(bootArguments), ...wifiLink(host.network)])
    const files = seedFiles({ ...source, ...node, updatesGrub: bootArguments.length > 0 }, tools)
    const installer = preseed(source, tools)
    return {
      files: [...files, installer.file, ...networkChoices(host.network)],
      delivery: seedDelivery(host, system, {
        label: 'CIDATA',
        place: 'new',
        files: files.map((file) => file.path),
        image: imageOf(release, facts?.machine ?? null),
      }),
      findings: [
        ...node.findings,
        ...installer.findings,
        ...systemFindings(source, system, {
          wifi: 'wpasupplicant and the firmware of the adapter',
          storage: 'sudo apt-get install open-iscsi nfs-common',
        }),
      ],
      trace: [...traceInto('user-data', node.files), ...traceOfSeed(host)],
    }
  },
}

import { translateFinding } from '../../src/core/rules/translate.ts'
import type { Translation, Translator } from '../../src/core/translation.ts'
import { kernelArguments, seedDelivery } from '../linux/delivery.ts'
import { systemFindings } from '../linux/findings.ts'
import { grubDropIn } from '../linux/grub.ts'
import { wifiLink } from '../linux/netplan.ts'
import { seedFiles, traceOfSeed } from '../linux/nocloud.ts'
import { rootFile, traceInto } from '../linux/root-file.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { autoinstall } from './autoinstall.ts'
import { imageOf, releaseFor } from './release.ts'

/** Ubuntu Server with the node's own k3s: a seed for the cloud image, and the same node for the installer. */
export const translator: Translator = {
  id: 'ubuntu',
  title: 'Ubuntu Server 26.04',
  requires: {
    machines: ['x86_64', 'aarch64', 'armv7l'],
    memoryMib: 1024,
    diskMib: 4096,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    // v1 by staying on 24.04.
    cgroup: ['v1', 'v2'],
    rejoins: true,
    // The server kernel has every driver; the cloud image lacks Wi-Fi programs and the installer brings them.
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'setup' },
  },
  translate(source, tools): Translation {
    const { host, name, facts } = source
    const release = releaseFor(host)
    const { system } = release
    const bootArguments = kernelArguments(host, system)
    const node = systemdNode(source, system, tools, [
      ...grubDropIn(bootArguments),
      ...wifiLink(host.network),
      // Security updates are installed by themselves; a node restarts when its cluster is ready for that.
      rootFile('/etc/apt/apt.conf.d/90-k3os-migrate', 'Unattended-Upgrade::Automatic-Reboot "false";\n'),
    ])
    const seed = { host, ...node, updatesGrub: bootArguments.length > 0 }
    const files = seedFiles({ name, nonce: source.nonce, ...seed }, tools)
    const installer = autoinstall(source, seed, tools)
    return {
      files: [...files, installer.file],
      delivery: seedDelivery(host, system, {
        label: 'CIDATA',
        place: 'new',
        files: files.map((file) => file.path),
        image: imageOf(release, facts),
      }),
      findings: [
        ...node.findings,
        ...installer.findings,
        ...systemFindings(source, system, {
          wifi: 'wpasupplicant and the firmware of the adapter (linux-firmware)',
          storage: 'sudo apt-get install open-iscsi nfs-common',
        }),
        translateFinding(
          'TRN-UPDATES',
          {
            target: system.title,
            does: 'installs security updates by itself, and does not restart for them',
            later: null,
          },
          { node: name },
        ),
      ],
      trace: [...traceInto('user-data', node.files), ...traceOfSeed(host)],
    }
  },
}

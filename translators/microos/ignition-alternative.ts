import type { HostModel } from '../../src/core/host/model.ts'
import { ignition } from '../linux/ignition.ts'
import { ownFolder, rootFile, type RootFile } from '../linux/root-file.ts'
import { tmpfilesPath } from '../linux/systemd.ts'

/** Subvolumes that are not mounted while Ignition writes; it can mount one of them, and that is /home. */
const elsewhere = /^\/(?:opt|root|srv|usr\/local|var)\//

/**
 * The same node for Ignition. It writes into the root only: what belongs below another subvolume waits in /etc, and
 * systemd-tmpfiles copies it at the first boot. Packages it cannot install.
 */
export function ignitionAlternative(
  host: HostModel,
  files: readonly RootFile[],
  units: readonly string[],
): string {
  const later = files.filter((file) => elsewhere.test(file.path))
  const waiting = later.map((file, index) => ({
    file: rootFile(`${ownFolder}/later/${index}`, file.content, { mode: 0o600, from: file.from }),
    line: `C ${tmpfilesPath(file.path)} ${file.mode.toString(8).padStart(4, '0')} ${file.owner.replace(':', ' ')} - ${ownFolder}/later/${index}\n`,
  }))
  const document = ignition({
    host,
    files: [
      ...files.filter((file) => !later.includes(file)),
      ...waiting.map(({ file }) => file),
      ...(waiting.length === 0
        ? []
        : [rootFile('/etc/tmpfiles.d/k3os-later.conf', waiting.map(({ line }) => line).join(''))]),
    ],
    units,
  }) as { storage: object; systemd: { units: readonly object[] } }
  const withHome = {
    ...document,
    storage: {
      filesystems: [
        {
          device: '/dev/disk/by-label/ROOT',
          format: 'btrfs',
          mountOptions: ['subvol=/@/home'],
          path: '/home',
          wipeFilesystem: false,
        },
      ],
      ...document.storage,
    },
    systemd: {
      units: [
        ...document.systemd.units,
        { name: 'sshd.service', enabled: true },
        { name: 'transactional-update.timer', mask: true },
        { name: 'rebootmgr.service', mask: true },
      ],
    },
  }
  return `${JSON.stringify(withHome, null, 2)}\n`
}

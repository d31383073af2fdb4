import type { NodeFacts } from '../../src/core/inventory.ts'
import type { Draft } from './draft.ts'

/**
 * The disk k3OS is on, chosen by what does not change: Talos always wipes what it is told to use. `image` is the installer of
 * this machine's schematic.
 */
export function installDisk(facts: NodeFacts | null, image: string, draft: Draft): void {
  const disk = facts?.disks.find(({ partitions }) => partitions.some(({ label }) => label === 'K3OS_STATE'))
  if (disk === undefined) {
    draft.report('TRN-TALOS-DISK', { image }, [])
    return
  }
  // A serial number that is missing or has quotes in it leaves the name, which may differ under another kernel.
  const serial = disk.serial !== null && /^[\w.:+-]+$/.test(disk.serial) ? disk.serial : null
  if (serial === null) draft.report('TRN-TALOS-DISK-NAME', { disk: `/dev/${disk.name}` }, [])
  if (draft.dialect === '1.13') {
    draft.setLegacy(['machine', 'install', 'image'], image, [])
    if (serial === null) draft.setLegacy(['machine', 'install', 'disk'], `/dev/${disk.name}`, [])
    else draft.setLegacy(['machine', 'install', 'diskSelector', 'serial'], serial, [])
    return
  }
  const match = serial === null ? `disk.dev_path == "/dev/${disk.name}"` : `disk.serial == "${serial}"`
  draft.document('UnattendedInstallConfig', null, {
    installer: { image },
    provisioning: { diskSelector: { match }, wipe: false },
  })
}

import { z } from 'zod'
import type { Disk, NodeFacts } from '../inventory.ts'
import { type Evidence, jsonOf } from './evidence.ts'
import { lookupOutput } from './lookup.ts'
import { probes } from './probes.ts'

const mib = 1024 * 1024
/** util-linux wrote numbers as strings before 2.33 and padded models with blanks. */
const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || null)
const size = z.coerce.number()
interface ListedDevice {
  readonly name: string
  readonly type: string
  readonly size: number
  readonly model: string | null
  readonly serial: string | null
  readonly tran: string | null
  readonly fstype: string | null
  readonly label: string | null
  readonly uuid: string | null
  readonly mountpoint: string | null
  readonly children?: ListedDevice[] | undefined
}
const device: z.ZodType<ListedDevice> = z.object({
  name: z.string(),
  type: z.string(),
  size,
  model: text,
  serial: text,
  tran: text,
  fstype: text,
  label: text,
  uuid: text,
  mountpoint: text,
  // Partitions, and on them members of arrays, volume groups, encrypted containers.
  children: z.array(z.lazy(() => device)).optional(),
})
const answer = z.object({ blockdevices: z.array(device) })

/** Anything the kernel shows as a block device: a disk, a partition, a logical volume, an array. */
export interface BlockDevice {
  readonly name: string
  /** `disk`, `part`, `lvm`, `crypt`, `raid1`, `loop`, … */
  readonly type: string
  readonly fsType: string | null
  readonly label: string | null
}

/** All block devices at any depth; a device on two others is there twice. Empty also when nobody could tell. */
export function blockDevices(evidence: Evidence): BlockDevice[] {
  const ids = readBlockIds(evidence)
  const flat = (devices: readonly ListedDevice[]): BlockDevice[] =>
    devices.flatMap(({ name, type, fstype, label, children = [] }) => [
      { name, type, ...described(ids, name, { fsType: fstype, label }) },
      ...flat(children),
    ])
  return flat(listedDevices(evidence))
}

/** No disks in their own right: RAM, floppies, optical drives, network block devices, boot areas of eMMC. */
const notADisk = /^(ram|zram|fd|sr|nbd|loop)\d|^mmcblk\d+(boot\d+|rpmb)$/

export function readDisks(evidence: Evidence): Disk[] {
  const ids = readBlockIds(evidence)
  return listedDevices(evidence)
    .filter((disk) => disk.type === 'disk' && disk.size > 0 && !notADisk.test(disk.name))
    .map((disk) => ({
      name: disk.name,
      sizeMib: Math.floor(disk.size / mib),
      model: disk.model,
      serial: disk.serial,
      transport: disk.tran ?? transportByName(disk.name),
      partitions: (disk.children ?? [])
        .filter((part) => part.type === 'part')
        .map((part) => ({
          name: part.name,
          sizeMib: Math.floor(part.size / mib),
          ...described(ids, part.name, { fsType: part.fstype, label: part.label }),
          uuid: part.uuid ?? ids.get(part.name)?.get('UUID') ?? null,
          mountpoint: part.mountpoint,
        })),
    }))
}

function listedDevices(evidence: Evidence): readonly ListedDevice[] {
  const output = evidence.output(probes.disks)
  if (output === null) return []
  const parsed = answer.safeParse(jsonOf(evidence, probes.disks, output))
  if (parsed.success) return parsed.data.blockdevices
  evidence.fail(probes.disks, 'the answer has an unknown form')
  return []
}

/** Without udev (k3OS before 0.9) lsblk may know nothing of what is on a device. */
function described(
  ids: ReadonlyMap<string, ReadonlyMap<string, string>>,
  name: string,
  { fsType, label }: { readonly fsType: string | null; readonly label: string | null },
): { fsType: string | null; label: string | null } {
  const known = ids.get(name) ?? ids.get(`mapper/${name}`)
  return { fsType: fsType ?? known?.get('TYPE') ?? null, label: label ?? known?.get('LABEL') ?? null }
}

/** `/dev/sda1: LABEL="K3OS_STATE" UUID="…" TYPE="ext4"`: by device name. Only fills gaps, so it may be missing. */
function readBlockIds(evidence: Evidence): Map<string, Map<string, string>> {
  const blkid = lookupOutput(evidence.bundle, probes.blockIds)
  return new Map(
    (blkid.status === 'found' ? blkid.value : '').split('\n').flatMap((line) => {
      const [, name, rest = ''] = /^\/dev\/([^:]+):(.*)$/.exec(line) ?? []
      if (name === undefined) return []
      const pairs = [...rest.matchAll(/([A-Z_]+)="([^"]*)"/g)]
      return [[name, new Map(pairs.map(([, key = '', value = '']) => [key, value]))] as const]
    }),
  )
}

function transportByName(name: string): string | null {
  if (name.startsWith('mmcblk')) return 'mmc'
  if (name.startsWith('nvme')) return 'nvme'
  return name.startsWith('vd') ? 'virtio' : null
}

/** `df -P -k PATH`: header, then device, 1024-blocks, used, available, capacity, mount point. */
export function readStateSpace(evidence: Evidence): NodeFacts['state'] {
  const output = evidence.output(probes.stateSpace)
  if (output === null) return { totalMib: null, freeMib: null }
  const [, total, free] = /^\S+\s+(\d+)\s+\d+\s+(\d+)\s/m.exec(output) ?? []
  if (total === undefined || free === undefined) {
    evidence.fail(probes.stateSpace, 'the answer has an unknown form')
    return { totalMib: null, freeMib: null }
  }
  return { totalMib: Math.floor(Number(total) / 1024), freeMib: Math.floor(Number(free) / 1024) }
}

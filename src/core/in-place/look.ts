import { exitCode, MigrateError } from '../errors.ts'
import type { DiskMount } from './units.ts'

/** What a node that runs k3OS says about itself before a move in place: the answer of `node.sh look`, read. */
export interface NodeLook {
  /** Of /run/k3os/mode. */
  readonly mode: string
  /** `/dev/sda1`: carries STATE. */
  readonly device: string
  readonly stateUuid: string
  /** Feature words of the file system, sorted by e2fsprogs. */
  readonly features: string
  /** What the superblock says: `clean`, `clean with errors`. */
  readonly fileSystemState: string
  readonly fileSystemErrors: number
  /** How many file systems have the label K3OS_STATE. */
  readonly stateLabels: number
  readonly totalMib: number
  readonly freeMib: number
  readonly totalInodes: number
  readonly freeInodes: number
  readonly memoryMib: number
  /** Seconds since 1970. */
  readonly epoch: number
  /** Folder of GRUB's modules: `i386-pc`, `x86_64-efi`. */
  readonly platform: string
  readonly missingModules: readonly string[]
  /** Marker files of k3OS that act at its next boot. */
  readonly markers: readonly string[]
  /** Bytes and allocated sectors of grubenv; null without one. */
  readonly grubenv: { readonly bytes: number; readonly sectors: number } | null
  readonly embeddedEtcd: boolean
  readonly cgroupV1: boolean
  /** GRUB's view of the disk can be read back. */
  readonly canReadBack: boolean
  /** `eth0 192.0.2.15/24` for each network card, and `default via 192.0.2.1`. */
  readonly network: readonly string[]
  /** Other disks that something mounted. */
  readonly disks: readonly DiskMount[]
  /** Mounted devices that are put together from others (LVM, md, multipath, crypt). */
  readonly assembled: readonly string[]
  /** For `planBinds`. */
  readonly directories: readonly string[]
}

/** Exit 74 when something is missing: what was not said is never taken for a no. */
export function readLook(text: string, node: string): NodeLook {
  const said = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) said.set(line.slice(0, at), [...(said.get(line.slice(0, at)) ?? []), line.slice(at + 1)])
  }
  const unreadable = (name: string): MigrateError =>
    new MigrateError(`${node} did not say its ${name}, so nothing can be promised about it`, {
      exitCode: exitCode.io,
      hint: 'look at the machine: is it k3OS, installed on a disk, and are its e2fsprogs there?',
    })
  const word = (name: string): string => {
    const [value] = said.get(name) ?? []
    if (value === undefined) throw unreadable(name)
    return value
  }
  const numbers = (name: string): readonly [number, number] => {
    const [first, second] = word(name).split(' ').map(Number)
    if (first === undefined || second === undefined || !Number.isSafeInteger(first + second))
      throw unreadable(name)
    return [first, second]
  }
  const number = (name: string): number => {
    const value = word(name)
    if (!/^\d+$/.test(value)) throw unreadable(name)
    return Number(value)
  }
  const nonEmpty = (name: string): string => {
    const value = word(name)
    if (value === '') throw unreadable(name)
    return value
  }
  const mib = (kilobytes: number): number => Math.floor(kilobytes / 1024)
  const [total, free] = numbers('kilobytes')
  const [totalInodes, freeInodes] = numbers('inodes')
  return {
    mode: word('mode'),
    device: word('device'),
    stateUuid: nonEmpty('uuid'),
    features: nonEmpty('features'),
    fileSystemState: nonEmpty('fsState'),
    // e2fsprogs leaves the line out as long as there was none.
    fileSystemErrors: word('fsErrors') === '' ? 0 : number('fsErrors'),
    stateLabels: number('stateLabels'),
    totalMib: mib(total),
    freeMib: mib(free),
    totalInodes,
    freeInodes,
    memoryMib: mib(number('memoryKilobytes')),
    epoch: number('epoch'),
    platform: nonEmpty('platform'),
    missingModules: said.get('missingModule') ?? [],
    markers: said.get('marker') ?? [],
    grubenv: word('grubenv') === '' ? null : block(numbers('grubenv')),
    embeddedEtcd: word('etcd') === 'yes',
    cgroupV1: word('cgroupV1') === 'yes',
    canReadBack: word('debugfs') === 'yes',
    network: said.get('network') ?? [],
    disks: (said.get('disk') ?? []).map((line) => {
      const [uuid = '', fsType = '', access = '', ...path] = line.split(' ')
      if (uuid === '') throw unreadable(`UUID of the disk at ${path.join(' ')}`)
      return { uuid, fsType, readOnly: access === 'ro', path: path.join(' ') }
    }),
    assembled: said.get('assembled') ?? [],
    directories: said.get('directory') ?? [],
  }
}

function block([bytes, sectors]: readonly [number, number]): NonNullable<NodeLook['grubenv']> {
  return { bytes, sectors }
}

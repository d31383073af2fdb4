import type { StorageFacts } from '../machine-facts.ts'
import { blockDevices, type BlockDevice } from './disks.ts'
import type { Evidence } from './evidence.ts'
import { lookupOutput } from './lookup.ts'
import { probes } from './probes.ts'

interface Mount {
  readonly device: string
  readonly path: string
  readonly fsType: string
  readonly options: readonly string[]
}

const mib = 1024 * 1024

export function readStorage(evidence: Evidence): StorageFacts {
  const devices = blockDevices(evidence)
  const mounts = readMounts(evidence)
  const state = stateMount(mounts)
  return {
    state:
      state === undefined
        ? null
        : { device: state.device, kind: kindOf(state.device, state.fsType, devices) },
    raids: readRaids(evidence),
    ...readLvm(evidence, devices),
    extraMounts: extraMounts(mounts, state),
  }
}

/** `/proc/mounts`: device, path, type, options; blanks inside a field as `\040`. */
function readMounts(evidence: Evidence): Mount[] {
  return (evidence.text('/proc/mounts') ?? '').split('\n').flatMap((line) => {
    const [device, path, fsType, options] = line.split(' ').map(withoutEscapes)
    if (device === undefined || path === undefined || fsType === undefined || options === undefined) return []
    return [{ device, path, fsType, options: options.split(',') }]
  })
}

function withoutEscapes(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  )
}

/** The mount that `/var/lib/rancher` lies on. Later lines lie over earlier ones. */
function stateMount(mounts: readonly Mount[]): Mount | undefined {
  const above = ['/var/lib/rancher', '/var/lib', '/var', '/']
  for (const path of above) {
    const found = mounts.findLast((mount) => mount.path === path && mount.fsType !== 'rootfs')
    if (found !== undefined) return found
  }
  return undefined
}

type StateKind = NonNullable<StorageFacts['state']>['kind']

function kindOf(device: string, fsType: string, devices: readonly BlockDevice[]): StateKind {
  if (!device.startsWith('/dev/'))
    return networkTypes.test(fsType) || fsType === 'tmpfs' ? 'other' : 'unknown'
  const name = device.slice(device.lastIndexOf('/') + 1)
  const type = devices.find((one) => one.name === name)?.type
  if (type === undefined) return 'unknown'
  if (type === 'part') return 'partition'
  if (type === 'disk' || type === 'lvm' || type === 'crypt') return type
  return type.startsWith('raid') || type === 'md' ? 'raid' : 'other'
}

/** `md0 : active raid1 sdb1[1] sda1[0](F)`, then a line with `[2/1] [U_]`: wanted and working members. */
function readRaids(evidence: Evidence): StorageFacts['raids'] {
  const lines = (evidence.text('/proc/mdstat') ?? '').split('\n')
  return lines.flatMap((line, index) => {
    const [, name, words = ''] = /^(md\S*) : (.*)$/.exec(line) ?? []
    if (name === undefined) return []
    const [, wanted, working] = /\[(\d+)\/(\d+)\]/.exec(lines[index + 1] ?? '') ?? []
    const members = [...words.matchAll(/(\S+)\[\d+\]/g)].map(([, member = '']) => member)
    const [, level = null] = /\b(raid\d+|linear|multipath|faulty)\b/.exec(words) ?? []
    const degraded = !words.startsWith('active') || words.includes('(F)') || wanted !== working
    return [{ name, level, members, degraded }]
  })
}

/** The tools are asked only about what the kernel shows: without a volume there is nothing they could add. */
function readLvm(
  evidence: Evidence,
  devices: readonly BlockDevice[],
): Pick<StorageFacts, 'volumeGroups' | 'logicalVolumes'> {
  const inUse = devices.some(({ type, fsType }) => type === 'lvm' || fsType === 'LVM2_member')
  const rows = (probe: string): string[][] => {
    const output = lookupOutput(evidence.bundle, probe)
    if (output.status === 'unknown') {
      if (inUse) evidence.fail(probe, output.reason)
      return []
    }
    return output.value
      .split('\n')
      .map((line) => line.trim().split('|'))
      .filter((fields) => fields.length >= 3)
  }
  const sizeMib = (bytes = ''): number => Math.floor(Number(bytes) / mib) || 0
  return {
    volumeGroups: rows(probes.volumeGroups).map(([name = '', size, free]) => ({
      name,
      sizeMib: sizeMib(size),
      freeMib: sizeMib(free),
    })),
    logicalVolumes: rows(probes.logicalVolumes).map(([group = '', name = '', size]) => ({
      group,
      name,
      sizeMib: sizeMib(size),
    })),
  }
}

const networkTypes =
  /^(nfs4?|cifs|smb\w*|9p|ceph|glusterfs|afs|ncpfs|fuse\.\w*(sshfs|ceph|gluster|s3fs|rclone)\w*)$/
/** What pods and container runtimes mount comes and goes with them. */
const ofPods =
  /^\/(var\/lib\/kubelet\/(pods|plugins)|run\/k3s|var\/lib\/rancher\/k3s\/agent\/containerd|run\/netns|\.base|\.root)(\/|$)/

function extraMounts(mounts: readonly Mount[], state: Mount | undefined): StorageFacts['extraMounts'] {
  return mounts.flatMap(({ device, path, fsType, options }) => {
    const network = networkTypes.test(fsType)
    const foreign =
      device.startsWith('/dev/') && device !== state?.device && !/^\/dev\/(loop|ram|zram)/.test(device)
    if ((!network && !foreign) || ofPods.test(path)) return []
    // A kernel names its root by this alias; on k3OS that is STATE again.
    if (device === '/dev/root') return []
    return [{ device: withoutPassword(device), path, fsType, readOnly: options.includes('ro'), network }]
  })
}

/** sshfs and the like may have it in the name of what is mounted. */
function withoutPassword(device: string): string {
  return device.replace(/\/\/[^/@]*@/, '//…@')
}

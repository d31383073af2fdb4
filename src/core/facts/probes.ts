/**
 * Command lines the collector runs, spelt as they appear in a bundle. `templates/collector/collect.sh` runs them; a test
 * compares the two lists.
 */
export const probes = {
  userId: 'id -u',
  kernel: 'uname -r',
  machine: 'uname -m',
  epochSeconds: 'date -u +%s',
  ownConfiguration: 'k3os config --dump-json',
  k3sVersion: 'k3s --version',
  disks: 'lsblk -J -b -o NAME,TYPE,SIZE,RO,MODEL,SERIAL,WWN,TRAN,FSTYPE,LABEL,UUID,MOUNTPOINT',
  blockIds: 'blkid',
  mounts: 'findmnt -J',
  volumeGroups: 'vgs --readonly --noheadings --units b --nosuffix --separator | -o vg_name,vg_size,vg_free',
  logicalVolumes: 'lvs --readonly --noheadings --units b --nosuffix --separator | -o vg_name,lv_name,lv_size',
  stateSpace: 'df -P -k /var/lib/rancher',
  addresses: 'ip -j addr',
  addressesText: 'ip addr',
  routes: 'ip -j route',
  routes6: 'ip -6 -j route',
} as const

/** Disk use below one path, on its own file system. */
export function usageProbe(path: string): string {
  return `du -skx ${path}`
}

/** Paths whose data may have to stay; the keys of `NodeFacts.usage`. */
export const usagePaths = [
  '/var/lib/rancher/k3s/server/db',
  '/var/lib/rancher/k3s/storage',
  '/var/lib/longhorn',
  '/var/lib/kubelet',
  '/var/log',
  '/var/local',
  '/home',
  '/opt',
  '/root',
  '/mnt',
  '/var/lib/rancher/k3s/agent',
] as const

/** Where local-path puts volumes unless told otherwise. */
export const localPathDirectory = '/var/lib/rancher/k3s/storage'

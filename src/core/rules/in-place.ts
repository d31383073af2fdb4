import type { ForeignLine } from '../in-place/grub-cfg.ts'
import { hint, rule } from './assess-shapes.ts'

interface OfNode {
  readonly node: string
}

/** What must be true of a node before its new system is put beside k3OS on the same disk. */
export const inPlaceRules = {
  'PRE-INPLACE-INSTALL': rule<OfNode & { mode: string }>({
    severity: 'inhibitor',
    title: 'k3OS is not installed on a disk of its own',
    text: ({ node, mode }) => ({
      summary: `${node} runs k3OS in the mode "${mode}", without a boot menu on its own STATE file system`,
      diagnosis:
        'On overlay installations the boot loader is the one of another system; a live system has none.',
      remediations: [hint('move this node with the method command or manual')],
    }),
  }),
  'PRE-INPLACE-MENU': rule<OfNode & { lines: readonly ForeignLine[] }>({
    severity: 'inhibitor',
    title: "The boot menu is not the one of k3OS's installer",
    text: ({ node, lines }) => ({
      summary: `${node}: /boot/grub/grub.cfg has ${lines.length === 1 ? '1 line' : `${lines.length} lines`} that k3OS's installer did not write`,
      diagnosis: lines
        .slice(0, 8)
        .map(({ line, text, reason }) => `${line === null ? '' : `line ${line}: `}"${text}": ${reason}`)
        .join('; '),
      remediations: [
        hint(
          'take these lines out if nobody needs them, or move this node with the method command or manual',
        ),
      ],
    }),
  }),
  'PRE-INPLACE-MODULES': rule<OfNode & { platform: string; modules: readonly string[] }>({
    severity: 'inhibitor',
    title: 'GRUB lacks modules for a boot on trial',
    text: ({ node, platform, modules }) => ({
      summary: `${node}: /boot/grub/${platform} lacks ${modules.map((name) => `${name}.mod`).join(', ')}`,
      diagnosis: 'Without them GRUB cannot choose an entry once, and nothing would lead back to k3OS.',
      remediations: [hint('copy the modules of the same version of GRUB there, or use the method command')],
    }),
  }),
  'PRE-INPLACE-LABEL': rule<OfNode & { count: number }>({
    severity: 'inhibitor',
    title: 'The label K3OS_STATE is not there exactly once',
    text: ({ node, count }) => ({
      summary: `${node} has ${count} file systems with the label K3OS_STATE`,
      diagnosis: 'k3OS finds its disk by this label; with two of them each boot may find the other one.',
      remediations: [hint('give the one that k3OS does not use another label with tune2fs -L')],
    }),
  }),
  'PRE-INPLACE-SPACE': rule<OfNode & { what: 'MiB' | 'inodes'; free: number; needed: number }>({
    severity: 'inhibitor',
    title: 'Too little room on STATE for a second system',
    text: ({ node, what, free, needed }) => ({
      summary: `${node} has ${free} ${what} free on STATE; the new system and its margin need ${needed}`,
      diagnosis:
        'From 85 % on, kubelet removes images that no pod uses; after a drain no pod uses any, and they would have to be pulled again.',
      remediations: [hint('remove old versions below /k3os/system, logs or unused images')],
    }),
  }),
  'PRE-INPLACE-ERRORS': rule<OfNode & { state: string }>({
    severity: 'inhibitor',
    title: 'The file system has recorded errors',
    text: ({ node, state }) => ({
      summary: `${node}: the superblock of STATE says "${state}"`,
      diagnosis: 'A disk that loses data must not take a second system, and k3OS may not come back from it.',
      remediations: [hint('check it from a rescue system: e2fsck -f')],
    }),
  }),
  'PRE-INPLACE-MEMORY': rule<OfNode & { mib: number; needed: number }>({
    severity: 'inhibitor',
    title: 'Too little memory for the new system',
    text: ({ node, mib, needed }) => ({ summary: `${node} has ${mib} MiB of memory, it takes ${needed}` }),
  }),
  'PRE-INPLACE-MARKER': rule<OfNode & { marker: string }>({
    severity: 'inhibitor',
    title: 'k3OS will change its disk at the next boot',
    text: ({ node, marker }) => ({
      summary: `${node}: /k3os/system/${marker} exists`,
      diagnosis: 'k3OS acts on it when it boots again, which is the way back (rancher/k3os mode-disk).',
      remediations: [
        hint(`unless it is wanted: mount -o remount,rw /k3os/system && rm /k3os/system/${marker}`),
      ],
    }),
  }),
  'PRE-INPLACE-ETCD': rule<OfNode>({
    severity: 'inhibitor',
    title: 'Servers with embedded etcd cannot be moved in place yet',
    text: ({ node }) => ({
      summary: `${node} is a member of an embedded etcd`,
      remediations: [hint('move it with the method command or manual, one member at a time')],
    }),
  }),
  'PRE-INPLACE-CGROUP': rule<OfNode & { k3s: string }>({
    severity: 'inhibitor',
    title: 'k3s needs cgroup v1, which the root tree does not have',
    text: ({ node, k3s }) => ({
      summary: `${node} runs k3s ${k3s}, and the kernel of the root tree has no whole cgroup v1`,
      diagnosis: 'k3s before v1.20.4 does not start on cgroup v2.',
      remediations: [
        hint('k3os-migrate image build --target debian --release bookworm; its kernel has it'),
        hint('or upgrade k3s to v1.20.4 or newer while still on k3OS'),
      ],
    }),
  }),
  'PRE-INPLACE-DISKS': rule<OfNode & { devices: readonly string[] }>({
    severity: 'inhibitor',
    title: 'A disk that the new system would have to put together',
    text: ({ node, devices }) => ({
      summary: `${node} has mounted ${devices.join(', ')}, which is made of other devices`,
      diagnosis: 'Volume groups, arrays, multipath and encryption are not assembled by the new system.',
      remediations: [hint('move this node with the method command or manual')],
    }),
  }),
  'PRE-INPLACE-NETWORK': rule<OfNode & { lines: readonly string[] }>({
    severity: 'inhibitor',
    title: 'The node has no default route',
    text: ({ node, lines }) => ({
      summary: `${node} says ${lines.length === 0 ? 'nothing' : `"${lines.join('", "')}"`} of its network, and no default route`,
      diagnosis: 'k3s is held back until the new system has the addresses and the default route of k3OS.',
      remediations: [hint('move this node with the method command or manual')],
    }),
  }),
  'PRE-INPLACE-FIRMWARE': rule<OfNode & { driver: string; files: readonly string[] }>({
    severity: 'medium',
    title: 'The root tree lacks firmware that k3OS has',
    text: ({ node, driver, files }) => ({
      summary: `${node}: its driver ${driver} may ask for ${files.slice(0, 3).join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}, which k3OS has and the root tree has not`,
      diagnosis:
        'Whether the device needs it is not said by the kernel; without a network card the new system is not confirmed, and k3OS comes back.',
      remediations: [
        hint('make a root tree with firmware (image build without --no-firmware), or add the files to yours'),
      ],
    }),
  }),
  'PRE-INPLACE-CLOCK': rule<OfNode & { seconds: number }>({
    severity: 'inhibitor',
    title: 'The clock of the node is wrong',
    text: ({ node, seconds }) => ({
      summary: `the clock of ${node} differs by ${seconds} s from the one here`,
      diagnosis: 'Certificates and deadlines are judged by it.',
      remediations: [hint('let it be set by NTP, then try again')],
    }),
  }),
} as const

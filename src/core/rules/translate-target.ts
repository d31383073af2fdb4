import type { Rule } from '../findings.ts'

/** Texts about what the target system itself has or does otherwise than k3OS, whatever the configuration says. */
export const targetTexts = {
  'TRN-HOST-KEYS-NEW': {
    severity: 'low',
    title: 'The node gets new SSH host keys',
    text: () => ({
      summary: 'the SSH host keys of the node are not known, so it makes new ones: clients will warn',
      diagnosis: 'With the keys of the node its identity can be checked before and after the move.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' }],
    }),
  },
  'TRN-CGROUP-V1': {
    severity: 'medium',
    title: 'This k3s needs the old cgroup hierarchy',
    text: ({ version, target }: { version: string; target: string }) => ({
      summary: `k3s ${version} only runs on cgroup v1: ${target} is booted with it by kernel arguments`,
      diagnosis: 'k3s before v1.20.4 does not start on a pure cgroup v2 system.',
      remediations: [
        {
          type: 'hint',
          text: 'upgrade k3s to 1.20.4 or newer while still on k3OS, or as the first step after the move',
        },
      ],
    }),
  },
  'TRN-CGROUP-V1-MISSING': {
    severity: 'inhibitor',
    title: 'The target cannot run this k3s',
    text: ({ version, target }: { version: string; target: string }) => ({
      summary: `k3s ${version} only runs on cgroup v1, which ${target} does not have: k3s would not start`,
      diagnosis: 'k3s before v1.20.4 does not start on a pure cgroup v2 system.',
      remediations: [
        { type: 'hint', text: 'upgrade k3s to 1.20.4 or newer while still on k3OS' },
        { type: 'command', text: 'k3os-migrate translate --target debian' },
      ],
    }),
  },
  'TRN-CGROUP-V1-TREE': {
    severity: 'high',
    title: 'This k3s needs a root tree of Debian 12',
    text: ({ version }: { version: string }) => ({
      summary: `k3s ${version} only runs on cgroup v1, which the kernel of Debian 12 has and that of Debian 13 lacks`,
      diagnosis: 'On a root tree of Debian 13 k3s would not start, and the node would go back to k3OS.',
      remediations: [
        { type: 'command', text: 'k3os-migrate image build --target debian --release bookworm' },
        { type: 'hint', text: 'or upgrade k3s to 1.20.4 or newer while still on k3OS' },
      ],
    }),
  },
  'TRN-CGROUP-V2': {
    severity: 'low',
    title: 'The cgroup hierarchy changes',
    text: ({ target }: { target: string }) => ({
      summary: `k3OS runs cgroup v1, ${target} runs cgroup v2`,
      diagnosis: 'k3s works with both. Old Java, .NET and monitoring agents may read v1 files only.',
      remediations: [{ type: 'hint', text: 'look for pods that mount /sys/fs/cgroup from the host' }],
    }),
  },
  'TRN-SELINUX': {
    severity: 'medium',
    title: 'SELinux is on',
    text: ({ target }: { target: string }) => ({
      summary: `${target} enforces SELinux, which k3OS does not have: the first boot installs k3s-selinux from rpm.rancher.io`,
      diagnosis:
        'Without the package pods fail. Data from k3OS gets its labels once, before k3s starts; hostPath volumes outside /var/lib/rancher do not.',
      remediations: [
        { type: 'hint', text: 'without internet: put k3s-selinux into the image before the move' },
        { type: 'command', text: 'sudo transactional-update pkg install k3s-selinux && sudo reboot' },
        { type: 'command', text: 'sudo ausearch -m avc -ts boot' },
      ],
    }),
  },
  'TRN-UPDATES': {
    severity: 'info',
    title: 'How the target updates itself',
    text: ({ target, does, later }: { target: string; does: string; later: string | null }) => ({
      summary: `${target} ${does}`,
      diagnosis: 'k3OS only changes when somebody says so.',
      remediations: later === null ? [] : [{ type: 'command', text: `once all nodes are moved: ${later}` }],
    }),
  },
  'TRN-DISK-UNKNOWN': {
    severity: 'medium',
    title: 'The disk to install on is not known',
    text: ({ file, next }: { file: string; next: string }) => ({
      summary: `${file} names no disk, as none is known: ${next}`,
      diagnosis: 'An installer that guesses may erase the wrong disk.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' }],
    }),
  },
  'TRN-FILE-IN-PLACE': {
    severity: 'info',
    title: 'A file is in its place already',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is not written: it lies in k3OS's data, which the new system has at the same place`,
      diagnosis: 'k3OS wrote it at its last boot.',
    }),
  },
  'TRN-STORAGE-CLIENTS': {
    severity: 'low',
    title: 'Clients for network storage are not in the image',
    text: ({ packages, target }: { packages: string; target: string }) => ({
      summary: `k3OS has an iSCSI initiator (running) and an NFS client; the plain image of ${target} runs neither`,
      diagnosis: 'Longhorn, other iSCSI volumes and NFS volumes cannot be mounted without them.',
      remediations: [{ type: 'command', text: packages }],
    }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>

import type { Rule } from '../findings.ts'

/** Texts about Talos, which shares least with k3OS: no shell, no files, no k3s. */
export const talosTexts = {
  'TRN-TALOS-NEW-CLUSTER': {
    severity: 'high',
    title: 'Talos is a new cluster',
    text: () => ({
      summary: 'the node does not come back to its cluster: it becomes part of a new one beside it',
      diagnosis:
        'Talos speaks none of the protocols by which nodes join k3s. Workloads and their data have to be moved to the new cluster; a single node needs a spare machine for that time.',
      remediations: [{ type: 'hint', text: 'MOVE.md in the output has the commands' }],
    }),
  },
  'TRN-TALOS-NO-LOGIN': {
    severity: 'high',
    title: 'There is no login on Talos',
    text: () => ({
      summary: 'not carried: Talos has no accounts, no SSH and no shell',
      diagnosis: 'Whoever logged in to the node uses talosctl with a client certificate instead.',
      remediations: [{ type: 'command', text: 'talosctl config new talosconfig-reader --roles os:reader' }],
    }),
  },
  'TRN-TALOS-COMMAND': {
    severity: 'high',
    title: 'Commands do not run on Talos',
    text: ({ list }: { list: string }) => ({
      summary: `a command of ${list} is not carried: nothing runs commands on Talos`,
      diagnosis: 'What it did at every boot does not happen.',
      remediations: [
        {
          type: 'hint',
          text: 'say it in a document of Talos (SysctlConfig, KernelModuleConfig, UserVolumeConfig, LinkConfig), or run it in a privileged DaemonSet',
        },
      ],
    }),
  },
  'TRN-TALOS-FILE': {
    severity: 'high',
    title: 'A file is not carried',
    text: ({ file, reason }: { file: string; reason: string }) => ({
      summary: `${file} is not carried: ${reason}`,
      remediations: [{ type: 'hint', text: 'put it into a ConfigMap or Secret of what reads it' }],
    }),
  },
  'TRN-TALOS-ETC': {
    severity: 'low',
    title: 'A file below /etc may have no reader',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is written, but most programs that read /etc on k3OS are not on Talos`,
    }),
  },
  'TRN-TALOS-MANIFEST': {
    severity: 'medium',
    title: 'A manifest is applied once',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is applied at the bootstrap only: k3s watches its folder, Talos does not`,
      diagnosis: 'Later changes and removals need kubectl or a GitOps tool.',
    }),
  },
  'TRN-TALOS-FLAG': {
    severity: 'medium',
    title: 'A flag of k3s has no counterpart',
    text: ({ flag, reason }: { flag: string; reason: string }) => ({
      summary: `--${flag} is not carried: ${reason}`,
    }),
  },
  'TRN-TALOS-ARGUMENT': {
    severity: 'medium',
    title: 'An argument of a component is not carried',
    text: ({ component, name, reason }: { component: string; name: string; reason: string }) => ({
      summary: `the argument ${name} of ${component} is not carried: ${reason}`,
    }),
  },
  'TRN-TALOS-OWN': {
    severity: 'info',
    title: 'Talos does it in its own way',
    text: ({ what, how }: { what: string; how: string }) => ({ summary: `${what} is not carried: ${how}` }),
  },
  'TRN-TALOS-LABEL': {
    severity: 'medium',
    title: 'A worker may not give itself this label',
    text: ({ label }: { label: string }) => ({
      summary: `the label ${label} is not carried: the admission plugin NodeRestriction refuses it to workers`,
      remediations: [{ type: 'command', text: `kubectl label node NODE ${label}=VALUE` }],
    }),
  },
  'TRN-TALOS-WIFI': {
    severity: 'inhibitor',
    title: 'There is no Wi-Fi on Talos',
    text: () => ({
      summary: 'the node uses Wi-Fi, and the kernel of Talos is built without it',
      remediations: [{ type: 'hint', text: 'add a cable, or choose another target' }],
    }),
  },
  'TRN-TALOS-PORT-UNKNOWN': {
    severity: 'high',
    title: 'Nobody knows which port gets the address',
    text: () => ({
      summary: 'an address is not carried: neither MAC nor name of its port are known',
      diagnosis: 'Without an address of its own the machine asks DHCP.',
      remediations: [
        { type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml --target talos' },
      ],
    }),
  },
  'TRN-TALOS-IPV6': {
    severity: 'low',
    title: 'An IPv6 setting is not carried',
    text: ({ port, wanted }: { port: string; wanted: string }) => ({
      summary: `IPv6 of ${port} stays as the kernel of Talos has it, not "${wanted}"`,
      remediations: [
        { type: 'hint', text: 'add net.ipv6.conf.PORT.disable_ipv6 or use_tempaddr to SysctlConfig' },
      ],
    }),
  },
  'TRN-TALOS-NAMESERVER': {
    severity: 'medium',
    title: 'A name server without an address',
    text: ({ server }: { server: string }) => ({
      summary: `the name server ${server} is not carried: Talos takes addresses only`,
    }),
  },
  'TRN-TALOS-DNS-FIRST': {
    severity: 'low',
    title: 'Configured name servers go first',
    text: () => ({
      summary: 'the configured name servers replace those of DHCP; on k3OS they were a last resort',
    }),
  },
  'TRN-TALOS-REGISTRIES': {
    severity: 'high',
    title: 'A setting of registries.yaml is not carried',
    text: ({ what, reason }: { what: string; reason: string }) => ({
      summary: `${what} is not carried: ${reason}`,
      diagnosis: 'Images that need it cannot be pulled.',
    }),
  },
  'TRN-TALOS-DEFAULTS': {
    severity: 'medium',
    title: 'Workloads meet other defaults',
    text: ({ minor }: { minor: number }) => ({
      summary: `pods meet Kubernetes up to 1.${minor}, Pod Security "baseline" and other subnets than on k3s`,
      diagnosis:
        'Privileged, hostPath and hostNetwork pods outside kube-system are refused; seccomp is RuntimeDefault; 1.14 isolates workloads from the host; kube-proxy uses nftables. Pods get 10.244.0.0/16 and services 10.96.0.0/12 unless KubeNetworkConfig says otherwise. API versions that the old cluster serves may be gone.',
      remediations: [
        {
          type: 'command',
          text: 'kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged',
        },
        { type: 'command', text: 'k3os-migrate assess' },
      ],
    }),
  },
  'TRN-TALOS-SUPPLY': {
    severity: 'high',
    title: 'Parts that k3s brought are missing',
    text: ({ parts }: { parts: readonly string[] }) => ({
      summary: `k3s brought ${parts.join(', ')}; Talos brings none of them`,
      remediations: [
        {
          type: 'hint',
          text: 'install what is used: an ingress controller, MetalLB or kube-vip, metrics-server, local-path-provisioner on a UserVolumeConfig',
        },
      ],
    }),
  },
  'TRN-TALOS-CNI': {
    severity: 'medium',
    title: 'The network plugin has to be installed',
    text: () => ({ summary: 'no Flannel: nodes stay NotReady until a network plugin is installed' }),
  },
  'TRN-TALOS-IFACE': {
    severity: 'medium',
    title: 'Flannel names a port',
    text: () => ({
      summary: 'Flannel is told which port to use: on Talos it has another name unless net.ifnames=0 is set',
      remediations: [{ type: 'command', text: 'talosctl get links' }],
    }),
  },
  'TRN-TALOS-DISK': {
    severity: 'high',
    title: 'The disk to install on is not known',
    text: ({ image }: { image: string }) => ({
      summary: 'the disk is not known, so machine.yaml does not name one',
      diagnosis: `Talos wipes the disk it installs on. The installer of this machine is ${image}.`,
      remediations: [
        { type: 'command', text: 'talosctl get disks --insecure --nodes ADDRESS' },
        { type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml --target talos' },
      ],
    }),
  },
  'TRN-TALOS-DISK-NAME': {
    severity: 'medium',
    title: 'The disk is chosen by its name',
    text: ({ disk }: { disk: string }) => ({
      summary: `the disk has no serial number that is known, so ${disk} is named: another kernel may name another one so`,
      remediations: [{ type: 'command', text: 'talosctl get disks --insecure --nodes ADDRESS' }],
    }),
  },
  'TRN-TALOS-MEMORY': {
    severity: 'high',
    title: 'Too little memory for a control plane',
    text: ({ memoryMib, neededMib }: { memoryMib: number; neededMib: number }) => ({
      summary: `${memoryMib} MiB of memory; a control plane of Talos needs ${neededMib} MiB`,
      remediations: [{ type: 'hint', text: 'make it a worker, or add memory' }],
    }),
  },
} satisfies Record<`TRN-TALOS-${string}`, Rule<never>>

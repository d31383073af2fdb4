import type { Rule } from '../findings.ts'

/** Texts about k3s: flags, token, labels, taints. */
export const k3sTexts = {
  'TRN-K3S-VERSION-UNKNOWN': {
    severity: 'medium',
    title: 'The k3s version of the node is not known',
    text: () => ({
      summary:
        'the k3s version is not known: the result is for k3s v1.20.4 or newer, and flags are not checked against it',
      diagnosis:
        'The node keeps its k3s version. Before v1.19.1 there is no config.yaml, before v1.20.4 cgroup v1 is needed.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' }],
    }),
  },
  'TRN-K3S-NONE': {
    severity: 'medium',
    title: 'The node runs no k3s',
    text: () => ({
      summary: 'k3OS does not start k3s with this configuration, so the target does not either',
    }),
  },
  'TRN-K3S-FLAG-REFUSED': {
    severity: 'high',
    title: 'k3s does not take an argument',
    text: ({ word, reason }: { word: string; reason: string }) => ({
      summary: `${word} is not carried: ${reason}`,
      diagnosis: 'k3s stops with an error at an argument it does not know, so the node may not run k3s now.',
      remediations: [{ type: 'hint', text: 'correct or remove it in k3os.k3s_args' }],
    }),
  },
  'TRN-K3S-FLAG-DOUBTFUL': {
    severity: 'medium',
    title: 'k3s of this version may not know a flag',
    text: ({ word, reason, version }: { word: string; reason: string; version: string }) => ({
      summary: `${word} is carried, though k3s ${version} may not know it: ${reason}`,
      diagnosis:
        'If k3s runs on the node with this flag, it knows it: some flags came to older lines as patches.',
      remediations: [{ type: 'command', text: `k3s server --help | grep -- ${word}` }],
    }),
  },
  'TRN-K3S-ARGUMENT-IGNORED': {
    severity: 'high',
    title: 'k3s ignores an argument',
    text: () => ({
      summary: 'an entry of k3s_args is not carried: k3s reads no arguments after a word that is no flag',
      diagnosis:
        'k3s ignores it on k3OS as well, with all that follows: labels and taints of the configuration too.',
      remediations: [{ type: 'hint', text: 'remove the stray word, or give it its flag' }],
    }),
  },
  'TRN-K3S-CONFIG-MERGED': {
    severity: 'low',
    title: 'Two k3s configurations become one',
    text: ({ file }: { file: string }) => ({
      summary: `${file} of write_files and the arguments of k3OS become one file`,
      diagnosis:
        'A single value given in both places is taken from the arguments, as k3s does. Of lists both parts are kept: k3s documents otherwise than it does.',
    }),
  },
  'TRN-K3S-DROP-IN-WINS': {
    severity: 'medium',
    title: 'A drop-in beats what the arguments of k3OS said',
    text: ({ key, file }: { key: string; file: string }) => ({
      summary: `${key} in ${file} wins over the arguments of k3OS`,
      diagnosis:
        'On k3OS it stands on the command line too, and the command line wins. The translation puts the command line into config.yaml, and a drop-in beside it wins over that.',
      remediations: [
        { type: 'hint', text: `take ${key} out of ${file}, or out of k3os.k3s_args, and translate again` },
      ],
    }),
  },
  'TRN-K3S-CONFIG-UNREAD': {
    severity: 'high',
    title: 'A k3s configuration file cannot be carried',
    text: ({ file, reason }: { file: string; reason: string }) => ({
      summary: `${file} is not carried: ${reason}`,
      remediations: [{ type: 'hint', text: 'put its settings into k3os.k3s_args' }],
    }),
  },
  'TRN-K3OS-LABEL': {
    severity: 'info',
    title: 'A label of k3OS is not carried',
    text: ({ label }: { label: string }) => ({
      summary: `the label ${label} is not carried: k3OS's upgrade controller selects nodes by it`,
      diagnosis: 'It stays on the Node object until it is removed there.',
      remediations: [{ type: 'command', text: `kubectl label node NODE ${label}-` }],
    }),
  },
  'TRN-TAINT-NOT-REGISTERED': {
    severity: 'medium',
    title: 'A configured taint is not in force',
    text: ({ taint, evidence }: { taint: string; evidence: 'node-object' | 'last-wins' }) => ({
      summary:
        evidence === 'node-object'
          ? `the taint ${taint} is not carried: the Node object does not have it`
          : `the taint ${taint} is not carried: of several taints k3OS registers the last one only`,
      diagnosis:
        'k3OS hands each taint to the kubelet as a flag of its own, and the last one replaces the others. Registering all of them now could evict pods that run.',
      remediations: [
        { type: 'command', text: 'kubectl get node NODE -o jsonpath={.spec.taints}' },
        { type: 'command', text: `kubectl taint node NODE ${taint}` },
      ],
    }),
  },
  'TRN-TOKEN-MISSING': {
    severity: 'high',
    title: 'An agent without a token',
    text: () => ({
      summary: 'the node joins a server but no token is known: k3s will not start',
      remediations: [
        { type: 'hint', text: 'set k3os.token; it is /var/lib/rancher/k3s/server/token on a server' },
      ],
    }),
  },
  'TRN-NODE-PASSWORD-UNKNOWN': {
    severity: 'medium',
    title: 'The node password is not carried',
    text: () => ({
      summary: 'the node password is not known, so the result does not hold it',
      diagnosis:
        'A node that comes back under its name with another password is refused ("Node password rejected"). Take it from /var/lib/rancher/k3os/node/password of the node.',
      remediations: [
        { type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' },
        { type: 'hint', text: 'or put the file at /etc/rancher/node/password (0600) before k3s is released' },
      ],
    }),
  },
  'TRN-KUBECONFIG-MODE': {
    severity: 'info',
    title: 'The kubeconfig stays readable for everybody',
    text: () => ({
      summary: 'K3S_KUBECONFIG_MODE=0644 is carried: k3OS sets it by itself',
      diagnosis: 'Every user of the machine can read /etc/rancher/k3s/k3s.yaml and with it rule the cluster.',
      remediations: [
        { type: 'hint', text: 'set K3S_KUBECONFIG_MODE: "0600" in k3os.environment if nobody needs that' },
      ],
    }),
  },
  'TRN-MANIFEST-ON-AGENT': {
    severity: 'low',
    title: 'A manifest on an agent',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is not carried: only servers apply manifests, and this node is an agent`,
    }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>

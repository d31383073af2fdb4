import type { Rule } from '../findings.ts'

/** Texts about the maintained image of k3OS: the same configuration, read by the same rules, on a newer system. */
export const maintainedTexts = {
  'TRN-MAINTAINED-IMAGE': {
    severity: 'high',
    title: 'There is no image to move to yet',
    text: () => ({
      summary: 'the maintained image of k3OS does not exist yet: what is written is its configuration only',
      diagnosis:
        'config.yaml and its differences can be reviewed now. Nothing can be moved with them, and plan refuses this target.',
      remediations: [
        { type: 'command', text: 'k3os-migrate translate config.yaml --compare' },
        { type: 'hint', text: 'debian and alpine run on the same old machines today' },
      ],
    }),
  },
  'TRN-MAINTAINED-K3S-UNKNOWN': {
    severity: 'low',
    title: 'The k3s version is not known',
    text: () => ({
      summary: 'the k3s version is not known: arguments of k3s are left as they are',
      remediations: [
        { type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' },
        { type: 'hint', text: 'or name the k3s of the image: --k3s-version v1.31.5+k3s1' },
      ],
    }),
  },
  'TRN-MAINTAINED-K3S-NEWER': {
    severity: 'high',
    title: 'k3s would become newer with the move',
    text: ({ from, to, minors }: { from: string; to: string; minors: number }) => ({
      summary:
        minors > 1
          ? `the node has k3s ${from}, this configuration is for ${to}, ${minors} minors on: move with ${from} first`
          : `the node has k3s ${from}, this configuration is for ${to}: move with ${from} first`,
      diagnosis:
        'Two changes at once cannot be told apart when something fails, and only one of them has a way back. k3s takes one minor after the other, servers before agents.',
      remediations: [
        { type: 'command', text: 'k3os-migrate assess' },
        { type: 'hint', text: 'without --k3s-version the configuration is for the k3s that the node has' },
      ],
    }),
  },
  'TRN-MAINTAINED-K3S-OLDER': {
    severity: 'inhibitor',
    title: 'k3s would become older',
    text: ({ from, to }: { from: string; to: string }) => ({
      summary: `the node has k3s ${from}, this configuration is for the older ${to}: its data cannot go back`,
      remediations: [{ type: 'hint', text: `name ${from} or newer: --k3s-version ${from}` }],
    }),
  },
  'TRN-MAINTAINED-CHANGED': {
    severity: 'medium',
    title: 'An argument gets its newer form',
    text: ({ gone, becomes, version, instead }: Corrected & { becomes: readonly string[] }) => ({
      summary: `${gone.join(', ')} becomes ${becomes.join(' and ')}: k3s ${version} does not start with the old form`,
      remediations: instead === null ? [] : [{ type: 'hint', text: instead }],
    }),
  },
  'TRN-MAINTAINED-TRIMMED': {
    severity: 'medium',
    title: 'A part of an argument is left out',
    text: ({ gone, version, instead }: Corrected) => ({
      summary: `${gone.join(', ')} is left out: k3s ${version} does not start with it`,
      remediations: instead === null ? [] : [{ type: 'hint', text: `instead: ${instead}` }],
    }),
  },
  'TRN-MAINTAINED-REMOVED': {
    severity: 'medium',
    title: 'An argument is left out',
    text: ({ gone, version, instead }: Corrected) => ({
      summary: `${gone.join(', ')} is left out: k3s ${version} does not start with it`,
      diagnosis: 'What it set is what k3s does by itself from now on.',
      remediations: [
        {
          type: 'hint',
          text:
            instead === null ? 'nothing takes its place: look whether it is missed' : `instead: ${instead}`,
        },
      ],
    }),
  },
  'TRN-MAINTAINED-REFUSED': {
    severity: 'high',
    title: 'k3s does not start with an argument',
    text: ({ word, reason }: { word: string; reason: string }) => ({
      summary: `${word} is carried as it is, but k3s does not start with it: ${reason}`,
      remediations: [{ type: 'hint', text: 'correct or remove it in config.yaml before the node starts' }],
    }),
  },
  'TRN-MAINTAINED-DOUBTFUL': {
    severity: 'medium',
    title: 'k3s may not start with an argument',
    text: ({ word, version, reason }: { word: string; version: string; reason: string | null }) => ({
      summary: `${word} is carried as it is, but k3s ${version} may not take it${reason === null ? '' : `: ${reason}`}`,
      remediations: [{ type: 'hint', text: 'start k3s of this version with it on a spare machine' }],
    }),
  },
  'TRN-MAINTAINED-TOKEN': {
    severity: 'medium',
    title: 'The token needs another variable',
    text: ({ version }: { version: string }) => ({
      summary: `the token is carried; k3s ${version} takes it as K3S_TOKEN only, and k3OS hands this one on as K3S_CLUSTER_SECRET`,
      diagnosis:
        'k3OS takes only what begins with K10 for a token (rancher/k3os pkg/cc/funcs.go). k3s stops at the old variable from v1.25 on.',
      remediations: [
        { type: 'hint', text: 'use the whole token of the server: /var/lib/rancher/k3s/server/node-token' },
      ],
    }),
  },
  'TRN-MAINTAINED-API': {
    severity: 'high',
    title: 'A manifest names an API that k3s no longer serves',
    text: ({ file, kinds, version }: { file: string; kinds: readonly string[]; version: string }) => ({
      summary: `${file} is carried as it is, but k3s ${version} does not serve ${kinds.join(', ')}`,
      diagnosis: 'k3s logs an error and applies nothing of the file.',
      remediations: [{ type: 'hint', text: 'write the manifest for the newer version' }],
    }),
  },
  'TRN-MAINTAINED-SYSCTL': {
    severity: 'medium',
    title: 'A kernel setting is left out',
    text: ({ key, since }: { key: string; since: string }) => ({
      summary: `${key} is left out: kernels have not had it since ${since}`,
      diagnosis:
        'The first setting that fails ends the rest, in an order that k3OS draws anew at each boot: one that is gone takes others with it.',
    }),
  },
  'TRN-MAINTAINED-MODULE': {
    severity: 'medium',
    title: 'A kernel module has another name, or is gone',
    text: ({ module, becomes, since }: { module: string; becomes: string | null; since: string }) => ({
      summary:
        becomes === null ? `${module} is left out: ${since}` : `${module} becomes ${becomes}: ${since}`,
      diagnosis:
        'The first module that cannot be loaded ends the list, so the ones after it are missing too.',
      remediations:
        becomes === null
          ? [{ type: 'hint', text: 'look what needs it; build it for the kernel of the image if it must be' }]
          : [],
    }),
  },
  'TRN-MAINTAINED-TOOL': {
    severity: 'medium',
    title: 'A program is called that Debian does not have',
    text: ({ place, tools }: { place: string; tools: readonly string[] }) => ({
      summary: `${place} is carried as it is, but calls ${tools.join(', ')}, which Debian does not have`,
      diagnosis: 'In a list of commands the first that fails ends the list, as on k3OS.',
      remediations: [{ type: 'hint', text: 'write it for systemd and apt before the move' }],
    }),
  },
  'TRN-MAINTAINED-OPENRC': {
    severity: 'high',
    title: 'A file for OpenRC is written and not used',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is carried as it is, but nothing starts it: Debian has systemd instead of OpenRC`,
      remediations: [
        { type: 'hint', text: 'call it from run_cmd, or write a unit below /etc/systemd/system beside it' },
      ],
    }),
  },
  'TRN-MAINTAINED-SOURCES': {
    severity: 'medium',
    title: 'A metadata service may undo corrections',
    text: () => ({
      summary: 'data_sources is carried: what the service says at each boot overrides the corrected file',
      remediations: [{ type: 'hint', text: 'correct the user data there as well, or remove data_sources' }],
    }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>

interface Corrected {
  readonly gone: readonly string[]
  readonly version: string
  readonly instead: string | null
}

import { finding, type Finding, type Occurrence, type Rule, type Severity } from '../findings.ts'
import type { ConfigPath } from '../path.ts'
import { imageTexts } from './translate-images.ts'
import { k3sTexts } from './translate-k3s.ts'
import { maintainedTexts } from './translate-maintained.ts'
import { networkTexts } from './translate-network.ts'
import { targetTexts } from './translate-target.ts'
import { talosTexts } from './translate-talos.ts'

/** Texts of everything a translation has to say, whatever the target. `target` is the target's title. */
const systemTexts = {
  'TRN-UNACCOUNTED': {
    severity: 'high',
    title: 'A setting is not accounted for',
    text: ({ path, target }: { path: string; target: string }) => ({
      summary: `${path} arrives nowhere on ${target}, and no other finding says why`,
      diagnosis: 'This is a gap in the translator. The setting is not carried.',
      remediations: [{ type: 'hint', text: `set what ${path} means by hand, and report the gap` }],
    }),
  },
  'TRN-REFUSED': {
    severity: 'inhibitor',
    title: 'A system that cannot be a target',
    text: ({ target, reason }: { target: string; reason: string }) => ({
      summary: `nothing is translated to ${target}: ${reason}`,
      remediations: [{ type: 'command', text: 'k3os-migrate targets' }],
    }),
  },
  'TRN-REFUSED-VALUE': {
    severity: 'low',
    title: 'A value has no place on a system that is no target',
    text: ({ target }: { target: string }) => ({ summary: `not carried: ${target} is no target` }),
  },
  'TRN-REJECTED': {
    severity: 'inhibitor',
    title: 'k3OS rejects the configuration',
    text: ({ reason }: { reason: string }) => ({
      summary: `nothing is translated: k3OS rejects the whole configuration: ${reason}`,
      diagnosis:
        'With a configuration it cannot read, k3OS applies nothing: no keys, no host name, no k3s. What the node does now is not what the files say.',
      remediations: [
        { type: 'hint', text: 'correct the value, reboot the node into k3OS, and read it again' },
      ],
    }),
  },
  'TRN-SKIPPED-BY-K3OS': {
    severity: 'medium',
    title: 'k3OS itself does not apply a setting',
    text: ({ message }: { message: string }) => ({
      summary: `not carried, as k3OS does not apply it either: ${message}`,
      diagnosis: 'The translation follows what k3OS does, not what was meant.',
      remediations: [{ type: 'hint', text: 'correct the value if it is wanted on the new system' }],
    }),
  },
  'TRN-INIT-CMD': {
    severity: 'medium',
    title: 'init_cmd is not carried',
    text: () => ({
      summary: 'an init_cmd is not carried: it belongs to the initramfs',
      diagnosis:
        'k3OS runs init_cmd before the disk is mounted, so commands of a configuration file never ran on a disk install; only those on the kernel command line, and on overlay installs, did.',
      remediations: [{ type: 'hint', text: 'if it is needed, move it to boot_cmd' }],
    }),
  },
  'TRN-HOSTNAME-UNKNOWN': {
    severity: 'medium',
    title: 'The host name is not known',
    text: () => ({
      summary: 'no host name is configured, and none was read from the node',
      diagnosis:
        'k3OS made one up at the first boot and keeps it in /var/lib/rancher/k3os/hostname. k3s joins under the host name: another name is another node.',
      remediations: [
        { type: 'command', text: 'k3os-migrate inventory' },
        { type: 'hint', text: 'or put the node name as "hostname" into the configuration' },
      ],
    }),
  },
  'TRN-HOSTNAME-LIVE': {
    severity: 'medium',
    title: 'The node runs under another host name than configured',
    text: ({ configured, live }: { configured: string; live: string }) => ({
      summary: `the node calls itself ${live}, its configuration says ${configured}: ${live} is carried`,
      diagnosis: 'On k3OS, DHCP may override the configured name. k3s registered under the live name.',
      remediations: [{ type: 'hint', text: `compare with: kubectl get node ${live}` }],
    }),
  },
  'TRN-KEY-SOURCE': {
    severity: 'medium',
    title: 'SSH keys have to be fetched',
    text: ({ entry, url }: { entry: string; url: string }) => ({
      summary: `the keys of ${entry} are not in the result: k3OS fetches them at every boot, the target does not`,
      diagnosis: 'Without another key nobody can log in.',
      remediations: [
        { type: 'command', text: `curl -fsS ${url}` },
        {
          type: 'hint',
          text: 'put the keys into ssh_authorized_keys, or translate from an inventory of the node',
        },
      ],
    }),
  },
  'TRN-KEY-SOURCE-KNOWN': {
    severity: 'info',
    title: 'SSH keys are carried as k3OS fetched them',
    text: ({ entry }: { entry: string }) => ({
      summary: `the keys of ${entry} are carried as they are on the node, and no longer refreshed`,
    }),
  },
  'TRN-DATA-SOURCES': {
    severity: 'info',
    title: 'Metadata services are no longer asked',
    text: () => ({
      summary: 'data_sources is not carried: what the service said is part of the configuration by now',
      diagnosis: 'Only k3OS reads its configuration from there at every boot.',
    }),
  },
  'TRN-INSTALL': {
    severity: 'info',
    title: 'Settings of the k3OS installer end with k3OS',
    text: ({ tty }: { tty: string | null }) => ({
      summary:
        tty === null
          ? 'k3os.install only steered the k3OS installer'
          : `k3os.install only steered the k3OS installer; its console ${tty} is not set on the target`,
      ...(tty === null
        ? {}
        : {
            remediations: [
              { type: 'hint', text: `add console=${tty} to the kernel arguments of the target` },
            ],
          }),
    }),
  },
  'TRN-FILE-ONCE': {
    severity: 'info',
    title: 'Files are written once',
    text: ({ count, target }: { count: number; target: string }) => ({
      summary: `${count === 1 ? 'one file of write_files is' : `${count} files of write_files are`} written once`,
      diagnosis: `k3OS writes them anew at every boot, which undoes changes made on the node. On ${target} later changes stay.`,
    }),
  },
  'TRN-FILE-EPHEMERAL': {
    severity: 'info',
    title: 'A file in memory is made again at each boot',
    text: ({ file }: { file: string }) => ({
      summary: `${file} lies in memory: it is written again at each boot, before the commands`,
    }),
  },
  'TRN-FILE-UNWRITABLE': {
    severity: 'medium',
    title: 'A file k3OS cannot write is not carried',
    text: ({ file, reason }: { file: string; reason: string }) => ({
      summary: `${file} is not carried: k3OS cannot write it (${reason})`,
      diagnosis: 'The entry never had an effect, so the target does without it too.',
      remediations: [
        { type: 'hint', text: 'for kernel settings use k3os.sysctls; for programs use /usr/local or /opt' },
      ],
    }),
  },
  'TRN-FILE-OPENRC': {
    severity: 'high',
    title: 'A file for OpenRC has no meaning on the target',
    text: ({ file, target }: { file: string; target: string }) => ({
      summary: `${file} is not carried: ${target} starts its services with systemd, not OpenRC`,
      diagnosis: 'What the service did on k3OS does not happen on the target.',
      remediations: [
        { type: 'hint', text: `write a systemd unit for it: ${unitFor(file)}` },
        { type: 'hint', text: 'or move its commands to run_cmd' },
      ],
    }),
  },
  'TRN-FILE-OWN-BOOT': {
    severity: 'medium',
    title: 'A file that decides how the system starts is not carried',
    text: ({ file, target }: { file: string; target: string }) => ({
      summary: `${file} is not carried: with it ${target} would start as k3OS does, not as itself`,
      diagnosis: 'The services of k3OS and of the target differ, and so does what init has to start.',
      remediations: [{ type: 'command', text: 'rc-update add NAME default' }],
    }),
  },
  'TRN-FILE-READ-ONLY': {
    severity: 'high',
    title: 'A file has no place on the target',
    text: ({ file, target }: { file: string; target: string }) => ({
      summary: `${file} is not carried: ${target} has that file system read-only`,
      diagnosis: 'What the file does on k3OS does not happen on the target.',
      remediations: [{ type: 'hint', text: `put it into /opt/bin or /etc, and change what uses ${file}` }],
    }),
  },
  'TRN-FILE-COLLIDES': {
    severity: 'high',
    title: 'A file stands where the translation has its own',
    text: ({ file }: { file: string }) => ({
      summary: `${file} of write_files is not carried: the translation makes this file itself`,
      remediations: [
        {
          type: 'hint',
          text: 'rename the file, or move what it says to the key of k3OS that is meant for it',
        },
      ],
    }),
  },
  'TRN-FILE-OWNER': {
    severity: 'low',
    title: 'A file belongs to a user that may not exist',
    text: ({ file, owner, target }: { file: string; owner: string; target: string }) => ({
      summary: `${file} belongs to ${owner}, who may not exist or have another number on ${target}`,
      remediations: [{ type: 'hint', text: 'give the owner as numbers, such as 1000:1000' }],
    }),
  },
  'TRN-ENVIRONMENT-FILE': {
    severity: 'medium',
    title: 'Lines of /etc/environment are not carried',
    text: ({ lines }: { lines: string }) => ({
      summary: `/etc/environment of write_files has lines that are no NAME=VALUE: ${lines}`,
      diagnosis: 'k3OS sources the file with sh. The target only reads variables from it.',
      remediations: [{ type: 'hint', text: 'move them to a command or a profile.d file' }],
    }),
  },
  'TRN-ENVIRONMENT-EXPANDED': {
    severity: 'low',
    title: 'A variable was expanded by the shell on k3OS',
    text: ({ name }: { name: string }) => ({
      summary: `the value of ${name} holds $, a backquote or a line break: it is carried as written`,
      diagnosis: 'k3OS sources /etc/environment with sh, which may have made something else of it.',
      remediations: [{ type: 'hint', text: `compare on the node: . /etc/environment; printenv ${name}` }],
    }),
  },
  'TRN-ALPINE-COMMAND': {
    severity: 'high',
    title: 'A command needs a program that only k3OS has',
    text: ({ list, tools, target }: { list: string; tools: readonly string[]; target: string }) => ({
      summary: `a ${list} is not carried: it calls ${tools.join(', ')}, which ${target} does not have`,
      diagnosis: 'It would fail there and, as on k3OS, end the list. The commands after it are carried.',
      remediations: tools.map((tool) => ({
        type: 'hint' as const,
        text: `${tool}: ${alpineTools[tool] ?? 'no equivalent'}`,
      })),
    }),
  },
  'TRN-ALPINE-SCRIPT': {
    severity: 'medium',
    title: 'A script calls programs that only k3OS has',
    text: ({ file, tools, target }: { file: string; tools: readonly string[]; target: string }) => ({
      summary: `${file} is carried, but calls ${tools.join(', ')}, which ${target} does not have`,
      remediations: tools.map((tool) => ({
        type: 'hint' as const,
        text: `${tool}: ${alpineTools[tool] ?? 'no equivalent'}`,
      })),
    }),
  },
  'TRN-SYSCTL-GONE': {
    severity: 'low',
    title: 'A kernel setting no longer exists',
    text: ({ key, since }: { key: string; since: string }) => ({
      summary: `${key} is carried, but kernels have not had it since ${since}: setting it is logged as an error`,
    }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>

export const translateRules = {
  ...systemTexts,
  ...networkTexts,
  ...k3sTexts,
  ...imageTexts,
  ...talosTexts,
  ...maintainedTexts,
  ...targetTexts,
}
export type TranslateRule = keyof typeof translateRules
type FactsOf<Id extends TranslateRule> = Parameters<(typeof translateRules)[Id]['text']>[0]

export interface Where {
  readonly node: string
  /** The value meant, in canonical spelling. Its file and line are added where the reading is known. */
  readonly path?: ConfigPath | undefined
  readonly discriminator?: string
  readonly severity?: Severity
}

/** The file name stands for "the configuration" until `translateNode` knows which file it was. */
export const unknownFile = 'config.yaml'

export function translateFinding<Id extends TranslateRule>(
  id: Id,
  facts: FactsOf<Id>,
  where: Where,
): Finding {
  const occurrence: Occurrence = {
    subject: { kind: 'Node', name: where.node },
    location: where.path === undefined ? undefined : { file: unknownFile, path: where.path },
    ...(where.discriminator === undefined ? {} : { discriminator: where.discriminator }),
    ...(where.severity === undefined ? {} : { severity: where.severity }),
  }
  return finding(id, translateRules[id] as unknown as Rule<FactsOf<Id>>, facts, occurrence)
}

/** Programs of k3OS that no systemd distribution has, each with what to write instead. */
export const alpineTools: Readonly<Record<string, string>> = {
  connmanctl: 'put the address into a connman *.config file in write_files, which is translated',
  'rc-service': 'systemctl start|stop|restart NAME',
  'rc-update': 'systemctl enable|disable NAME',
  'rc-status': 'systemctl status',
  openrc: 'systemctl',
  '/etc/init.d': 'systemctl start|stop|restart NAME',
  apk: 'the package manager of the target, or a package put into the image',
  lbu: 'nothing: changes stay by themselves',
  k3os: 'nothing: the configuration is files now',
  mdev: 'udevadm trigger',
  'setup-interfaces': 'the translated network configuration',
  'setup-timezone': 'timedatectl set-timezone ZONE',
  'setup-keymap': '/etc/vconsole.conf',
  'setup-hostname': 'hostnamectl set-hostname NAME',
  'setup-ntp': '/etc/systemd/timesyncd.conf.d',
  'setup-dns': '/etc/systemd/resolved.conf.d',
}

function unitFor(file: string): string {
  return `/etc/systemd/system/${file.slice(file.lastIndexOf('/') + 1)}.service`
}

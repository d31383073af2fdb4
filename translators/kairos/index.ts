import type { Finding } from '../../src/core/findings.ts'
import type { HostModel } from '../../src/core/host/model.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type {
  TraceEntry,
  Translation,
  TranslationSource,
  TranslateTools,
  Translator,
} from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { sshFiles } from '../linux/access.ts'
import { seedDelivery } from '../linux/delivery.ts'
import { systemFindings } from '../linux/findings.ts'
import { k3sConfiguration } from '../linux/k3s.ts'
import { architecture, systemDisk } from '../linux/machine.ts'
import { networkdFiles } from '../linux/networkd.ts'
import { passwordParts } from '../linux/password.ts'
import { rootFile, traceInto, traceTo, type RootFile } from '../linux/root-file.ts'
import type { LinuxSystem } from '../linux/system.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { ownerSteps, yipFiles, yipSteps } from '../linux/yip.ts'

const system: LinuxSystem = {
  title: 'Kairos 4.2',
  init: 'systemd',
  k3sBinary: '/usr/bin/k3s',
  shell: 'bash',
  hasTools: new Set(),
  readOnly: ['/usr/'],
  cgroupV1: null,
  dns: 'fallback',
  time: { kind: 'fallback' },
  beforeK3s: [],
}

const userData = 'user-data'

/** Kairos with the k3s of the node in its image, by one `#cloud-config`; the node rejoins its cluster. */
export const translator: Translator = {
  id: 'kairos',
  title: system.title,
  requires: {
    machines: ['x86_64', 'aarch64'],
    memoryMib: 2048,
    diskMib: 16384,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v2'],
    rejoins: true,
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'none' },
  },
  translate(source, tools): Translation {
    const { host, facts } = source
    const node = systemdNode(source, system, tools, [...sshFiles(host), ...networkdFiles(host.network)])
    const password = passwordParts(host, tools)
    const gate = gateFiles(host, tools)
    // k3s is started by Kairos itself, from its own unit: ours would be a second one.
    const isUnit = ({ path }: RootFile): boolean => path === `/etc/systemd/system/${serviceOf(host)}.service`
    const files = [...node.files.filter((file) => !isUnit(file)), ...password.files, ...gate]
    const units = [...node.units.filter((unit) => unit !== `${serviceOf(host)}.service`), ...password.units]
    const disk = systemDisk(facts)
    const version = host.k3s.version ?? 'of the node'
    return {
      files: [
        {
          path: userData,
          content: `#cloud-config\n${yaml(cloudConfig(host, disk, files, units))}`,
          mode: 0o600,
        },
        { path: 'meta-data', content: '', mode: 0o644 },
        {
          path: 'build-image.sh',
          content: tools.render('kairos/build-image.sh.hbs', {
            version: host.k3s.version ?? 'VERSION',
            architecture: architecture(facts, { x86_64: 'amd64', aarch64: 'arm64' }),
          }),
          mode: 0o755,
        },
      ],
      delivery: {
        ...seedDelivery(host, system, {
          label: 'cidata',
          place: 'new',
          files: [userData, 'meta-data'],
          image: 'build/kairos.iso, made by build-image.sh',
        }),
        // It is part of the image.
        payload: [],
      },
      findings: [
        ...node.findings,
        ...systemFindings(source, system, { wifi: null, storage: null }),
        ...ownFindings(source, version, disk === null),
      ],
      trace: [
        ...traceInto(userData, files),
        ...traceTo(userData, `${blockOf(host)}.enabled`, host.k3s.roleFrom),
        ...traceTo(userData, `${blockOf(host)}.args`, host.k3s.configFileSupported ? [] : settingsFrom(host)),
        ...traceOfUser(source),
      ],
    }
  },
}

function serviceOf({ k3s }: HostModel): string {
  return k3s.role === 'agent' ? 'k3s-agent' : 'k3s'
}

/** The key of provider-kairos that turns k3s on; nothing but `enabled`, `env` and `args` in it is read. */
function blockOf(host: HostModel): string {
  return serviceOf(host)
}

function settingsFrom({ k3s }: HostModel): string[] {
  return [...(k3s.serverUrl?.from ?? []), ...k3s.settings.flatMap((setting) => setting.from)]
}

/** Kairos's own unit must wait as ours would: for the commands before it, and for the release. */
function gateFiles(host: HostModel, tools: TranslateTools): RootFile[] {
  if (host.k3s.role === 'none') return []
  return [
    rootFile(
      `/etc/systemd/system/${serviceOf(host)}.service.d/10-k3os-migrate.conf`,
      tools.render('kairos/gate.conf.hbs', {
        release: releasePath,
        environmentFile: `/etc/systemd/system/${serviceOf(host)}.service.env`,
      }),
    ),
  ]
}

function cloudConfig(
  host: HostModel,
  disk: ReturnType<typeof systemDisk>,
  files: readonly RootFile[],
  units: readonly string[],
): object {
  const { user, hostname, k3s } = host
  return {
    ...(hostname === null ? {} : { hostname: hostname.value }),
    users: [
      {
        name: user.name,
        // Installing is refused without a user in this group, which has sudo.
        groups: ['admin'],
        ...(user.password?.encrypted === true ? { passwd: user.password.value } : {}),
        ...(user.authorizedKeys.length === 0
          ? {}
          : { ssh_authorized_keys: user.authorizedKeys.map(({ value }) => value) }),
      },
    ],
    ...(disk === null ? {} : { install: { device: `/dev/${disk.name}`, auto: true, reboot: true } }),
    // Everything else is in /etc/rancher/k3s/config.yaml: what stands here is only read at the first boot.
    ...(k3s.role === 'none'
      ? {}
      : {
          [blockOf(host)]: {
            enabled: true,
            // k3s before 1.19.1 reads no file.
            ...(k3s.configFileSupported
              ? {}
              : { args: k3sConfiguration(k3s, system.k3sBinary)?.command.slice(2) ?? [] }),
          },
        }),
    stages: stages(files, units),
  }
}

/** Kairos makes its users in the stage `boot` only, so what is theirs waits for its end. */
function stages(files: readonly RootFile[], units: readonly string[]): object {
  const atHome = files.filter(({ path }) => path.startsWith('/home/'))
  const afterUsers = [
    ...(atHome.length === 0 ? [] : [yipFiles('k3OS: files of users', atHome)]),
    ...ownerSteps(files),
  ]
  return {
    initramfs: yipSteps(
      files.filter((file) => !atHome.includes(file)),
      units,
      null,
    ),
    ...(afterUsers.length === 0 ? {} : { 'boot.after': afterUsers }),
  }
}

function ownFindings({ host, name }: TranslationSource, version: string, noDisk: boolean): Finding[] {
  const { title: target } = system
  const where = { node: name }
  return [
    ...(host.k3s.role === 'none'
      ? []
      : [
          translateFinding('TRN-IMAGE-BUILD', { target, version }, where),
          translateFinding('TRN-IMAGE-K3S-OLD', { target, version }, where),
        ]),
    ...(noDisk
      ? [
          translateFinding(
            'TRN-DISK-UNKNOWN',
            { file: userData, next: 'add install.device, or it waits for somebody' },
            where,
          ),
        ]
      : []),
    ...(host.network.wifi?.networks ?? []).flatMap((network) =>
      network.from.length === 0
        ? []
        : [translateFinding('TRN-IMAGE-NO-WIFI', { target }, { ...where, path: network.from[0] })],
    ),
  ]
}

function traceOfUser({ host: { user, hostname } }: TranslationSource): TraceEntry[] {
  return [
    ...traceTo(userData, 'hostname', hostname?.from ?? []),
    ...traceTo(userData, 'users[0].passwd', user.password?.encrypted === true ? user.password.from : []),
    ...user.authorizedKeys.flatMap((key) => traceTo(userData, 'users[0].ssh_authorized_keys', key.from)),
  ]
}

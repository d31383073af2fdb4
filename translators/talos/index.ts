import type { HostModel, K3sSetting } from '../../src/core/host/model.ts'
import type { RuleId } from '../../src/core/findings.ts'
import { configPath } from '../../src/core/path.ts'
import type { Requirements } from '../../src/core/requirements.ts'
import type {
  OutputFile,
  Translation,
  TranslationSource,
  TranslateTools,
  Translator,
} from '../../src/core/translation.ts'
import { commands } from './commands.ts'
import { installDisk } from './disk.ts'
import { Draft, machineFile } from './draft.ts'
import { module, writtenFiles } from './files.ts'
import { missingParts, placeFlag, impossibleSubnets } from './flags.ts'
import { network } from './network.ts'
import { releases, type Dialect } from './places.ts'
import { registries } from './registries.ts'
import { schematicFor, schematicId, schematicText } from './schematic.ts'

/** Talos documents' checks: siderolabs/talos internal/app/init (CPU), pkg/minimal (memory, disk), siderolabs/overlays (boards). */
const requires: Requirements = {
  machines: ['x86_64', 'aarch64'],
  memoryMib: 1024,
  diskMib: 6144,
  x86Level: 2,
  firmware: ['uefi', 'bios'],
  cgroup: ['v2'],
  rejoins: false,
  network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'none' },
  boards: {
    boots: [
      'Raspberry Pi 4',
      'Raspberry Pi Compute Module 4',
      'Raspberry Pi 5',
      'Hardkernel ODROID-C4',
      'FriendlyElec NanoPi R4S',
      'FriendlyElec NanoPi R5S',
      'Pine64 Rock64',
      'Pine64 RockPro64',
      'Radxa ROCK',
      'Xunlong Orange Pi 5',
      'NVIDIA Jetson Nano',
      'Turing Machines RK1',
    ],
    never: ['Raspberry Pi 3', 'Raspberry Pi 2', 'Raspberry Pi Model', 'Raspberry Pi Zero'],
  },
}

const subnetCount = 'Talos wants as many pod subnets as service subnets, at most one IPv4 and one IPv6'

/** Below this a control plane starves; `siderolabs/talos` pkg/minimal/limits.go only warns. */
const controlPlaneMib = 1698

/** The host model speaks of a node that comes back with k3s and its users; none of this is so here. */
const untrueOf: readonly RuleId[] = [
  'TRN-KEY-SOURCE',
  'TRN-KEY-SOURCE-KNOWN',
  'TRN-KUBECONFIG-MODE',
  'TRN-NODE-PASSWORD-UNKNOWN',
  'TRN-TOKEN-MISSING',
  'TRN-K3S-VERSION-UNKNOWN',
  'TRN-K3S-FLAG-DOUBTFUL',
  'TRN-K3S-DROP-IN-WINS',
]

/** Talos Linux as a cluster beside the old one: patches for `talosctl gen config`, a schematic, and what to type. */
function talos(id: string, dialect: Dialect): Translator {
  const { version } = releases[dialect]
  const title = `Talos Linux ${version.slice(1)}`
  return {
    id,
    title,
    requires,
    untrueOf,
    translate(source, tools): Translation {
      const draft = new Draft(dialect, source.name)
      const { oldNames } = machine(source, draft)
      const schematic = schematicFor(source.facts, oldNames)
      const idOfImage = schematicId(schematic)
      const installer = `factory.talos.dev/metal-installer/${idOfImage}:${version}`
      installDisk(source.facts, installer, draft)
      const architecture = source.facts?.machine === 'aarch64' ? 'arm64' : 'amd64'
      const image = `https://factory.talos.dev/image/${idOfImage}/${version}/metal-${architecture}.raw.xz`
      const names = { version, installer, image, architecture, schematic: idOfImage }
      return {
        files: [
          { path: machineFile, content: draft.render(), mode: 0o600 },
          { path: 'schematic.yaml', content: schematicText(schematic), mode: 0o644 },
          guide(source, names, tools),
        ],
        delivery: {
          kind: 'push',
          files: [machineFile],
          image,
          push: `talosctl apply-config --insecure --nodes ADDRESS --file ${source.name}.yaml`,
        },
        findings: draft.findings,
        trace: draft.trace,
      }
    },
  }
}

export const translator = talos('talos', '1.14')
export const translator113 = talos('talos-1.13', '1.13')

function machine(source: TranslationSource, draft: Draft): { readonly oldNames: boolean } {
  const { host, facts } = source
  const { k3s } = host
  draft.report('TRN-TALOS-NEW-CLUSTER', undefined, [])
  if (host.hostname !== null) {
    // `talosctl gen config` writes `auto: stable`, which excludes a name.
    draft.set('hostnameAuto', 'off', [])
    draft.set('hostname', host.hostname.value, host.hostname.from)
  }
  login(source, draft)
  const names = network(host, draft)
  kernel(host, draft)
  environment(host, draft)
  writtenFiles(host, draft)
  commands(host, draft)
  if (k3s.registries !== null) registries(k3s.registries, draft)
  if (k3s.role !== 'none') {
    draft.trace.push(...k3s.roleFrom.map((from) => ({ from, to: { file: 'MOVE.md', path: 'output type' } })))
    const apart = impossibleSubnets(k3s.settings)
    for (const setting of k3s.settings)
      if (apart.includes(setting.key))
        draft.report('TRN-TALOS-FLAG', { flag: setting.key, reason: subnetCount }, setting.from)
      else if (setting.key === 'flannel-iface' && isWithoutFlannel(k3s.settings))
        draft.report('TRN-TALOS-FLAG', { flag: setting.key, reason: 'there is no Flannel' }, setting.from)
      else placeFlag(setting, k3s.role, draft)
    for (const secret of [k3s.token, k3s.serverUrl])
      if (secret !== null && secret.from.length > 0)
        draft.report(
          'TRN-TALOS-OWN',
          { what: secret === k3s.token ? 'the token' : 'the server', how: 'the new cluster has its own' },
          secret.from,
        )
    draft.report('TRN-TALOS-DEFAULTS', { minor: releases[draft.dialect].newestMinor }, [])
  }
  if (k3s.role === 'server') controlPlane(source, draft)
  if (
    k3s.role === 'server' &&
    facts?.memoryMib !== undefined &&
    (facts.memoryMib ?? controlPlaneMib) < controlPlaneMib
  )
    draft.report('TRN-TALOS-MEMORY', { memoryMib: facts.memoryMib ?? 0, neededMib: controlPlaneMib }, [])
  return names
}

/** What a server of k3s does by itself, and a control plane of Talos only when told to. */
function controlPlane({ host }: TranslationSource, draft: Draft): void {
  const { settings } = host.k3s
  const given = new Set(settings.map(({ key }) => key))
  const noFlannel = isWithoutFlannel(settings)
  // Options of Flannel are refused beside a network without a name.
  if (!noFlannel && draft.dialect === '1.13')
    draft.setLegacy(['cluster', 'network', 'cni', 'name'], 'flannel', [])
  if (!noFlannel && !given.has('disable-network-policy')) draft.set('networkPolicies', true, [])
  // Pods run on servers of k3s; the generated configuration keeps them away.
  if (draft.dialect === '1.13') draft.setLegacy(['cluster', 'allowSchedulingOnControlPlanes'], true, [])
  else draft.set('nodeTaints', { $patch: 'delete' }, [], 'node-role.kubernetes.io/control-plane')
  const parts = missingParts(settings)
  if (parts.length > 0) draft.report('TRN-TALOS-SUPPLY', { parts }, [])
}

function isWithoutFlannel(settings: readonly K3sSetting[]): boolean {
  return settings.some(
    ({ key, value }) => key === 'no-flannel' || (key === 'flannel-backend' && value === 'none'),
  )
}

function login({ config, host: { user } }: TranslationSource, draft: Draft): void {
  const from = [
    // All of them, also those whose keys are known from the node.
    ...(config.sshAuthorizedKeys ?? []).map((_, index) => configPath('sshAuthorizedKeys', index)),
    ...(user.password?.from ?? []),
  ]
  if (from.length > 0) draft.report('TRN-TALOS-NO-LOGIN', undefined, from)
}

/**
 * Of k3OS's own kernel settings those that workloads lean on; the others are Talos's defaults, or harder there (siderolabs/talos
 * pkg/kernel/kspp).
 */
const workloadSysctls = /^(?:vm\.max_map_count|fs\.aio-max-nr|net\.ipv4\.neigh\.default\.gc_thresh[123])$/

function kernel(host: HostModel, draft: Draft): void {
  for (const { key, value, from } of host.sysctls)
    if (key === '') draft.report('TRN-TALOS-OWN', { what: 'a kernel setting', how: 'it has no name' }, from)
    else if (from.length > 0 || workloadSysctls.test(key))
      draft.set('sysctls', value, from, key.replaceAll('/', '.'))
  for (const { value, parameters, from } of host.modules) module(value, parameters, from, draft)
}

function environment(host: HostModel, draft: Draft): void {
  for (const { name, value, from } of host.environment)
    if (name.startsWith('K3S_'))
      draft.report('TRN-TALOS-OWN', { what: name, how: 'it is a setting of k3s' }, from, name)
    else draft.set('environment', value, from, name)
}

function guide(
  { name, host, facts }: TranslationSource,
  names: Record<'version' | 'installer' | 'image' | 'architecture' | 'schematic', string>,
  tools: TranslateTools,
): OutputFile {
  const server = host.k3s.role === 'server'
  return {
    path: 'MOVE.md',
    mode: 0o644,
    content: tools.render('talos/move.md.hbs', {
      ...names,
      name,
      type: server ? 'controlplane' : 'worker',
      server,
      minor: names.version.slice(1, names.version.lastIndexOf('.')),
      address: facts?.interfaces.flatMap(({ addresses }) => addresses)[0]?.replace(/\/.*/, '') ?? 'ADDRESS',
      machineFile,
    }),
  }
}

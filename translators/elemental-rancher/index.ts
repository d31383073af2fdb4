import type { Finding } from '../../src/core/findings.ts'
import type { HostModel } from '../../src/core/host/model.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type {
  TraceEntry,
  Translation,
  TranslationSource,
  TranslateTools,
  Translator,
} from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { sudoersFile } from '../linux/access.ts'
import { hostKeyFiles } from '../linux/host-keys.ts'
import { fallbackIsUsed, systemFindings } from '../linux/findings.ts'
import { systemDisk } from '../linux/machine.ts'
import { keyfiles } from '../linux/network-manager.ts'
import { passwordParts } from '../linux/password.ts'
import { rootFile, traceInto, traceTo, type RootFile } from '../linux/root-file.ts'
import { elementalFindings, elementalHardware, slMicro } from '../linux/sl-micro.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { ownerSteps, yipSteps, yipUser } from '../linux/yip.ts'
import { clusterFile, clusterParts, kubernetesVersion, namespace } from './cluster.ts'

const osImage = 'registry.suse.com/suse/sl-micro/6.2'
const label = 'k3os-migrate/node'

const registrationFile = 'registration.yaml'

/** Elemental through Rancher: manifests of a new cluster that Rancher provisions; never the old one. */
export const translator: Translator = {
  id: 'elemental-rancher',
  title: 'Elemental with Rancher',
  requires: { ...elementalHardware, rejoins: false },
  untrueOf: [
    'TRN-NODE-PASSWORD-UNKNOWN',
    'TRN-TOKEN-MISSING',
    'TRN-KUBECONFIG-MODE',
    'TRN-K3S-VERSION-UNKNOWN',
    'TRN-K3S-FLAG-DOUBTFUL',
    'TRN-K3S-DROP-IN-WINS',
    'TRN-HOSTNAME-UNKNOWN',
  ],
  translate(source, tools): Translation {
    const { host, name } = source
    const machine = machineName(host.hostname?.value ?? name)
    const os = operatingSystem(source, tools)
    const cluster = clusterParts(host, machine)
    return {
      files: [
        {
          path: registrationFile,
          content: documents(
            registration(machine, source, os),
            seedImage(machine),
            selectorTemplate(machine),
          ),
          mode: 0o600,
        },
        { path: clusterFile, content: documents(cluster.document), mode: 0o600 },
        {
          path: 'HANDOVER.md',
          content: tools.render('elemental-rancher/handover.md.hbs', {
            name,
            machine,
            namespace,
            server: host.k3s.role !== 'agent',
            registrationFile,
            clusterFile,
          }),
          mode: 0o644,
        },
      ],
      delivery: {
        kind: 'push',
        files: [registrationFile, clusterFile],
        image: `the ISO that Rancher builds: kubectl -n ${namespace} get seedimage ${machine} -o jsonpath={.status.downloadURL}`,
        push: `kubectl apply -f ${registrationFile} -f ${clusterFile}`,
      },
      findings: [
        translateFinding('TRN-RANCHER-NEW-CLUSTER', undefined, { node: name }),
        ...os.findings,
        ...systemFindings(source, slMicro, { wifi: null, storage: null }).filter(
          ({ rule }) => rule !== 'TRN-CGROUP-V1-MISSING',
        ),
        ...elementalFindings(source),
        ...cluster.findings(name),
        ...ownFindings(source, machine),
      ],
      trace: [...os.trace, ...cluster.trace],
    }
  },
}

interface OperatingSystem {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
  readonly findings: readonly Finding[]
  readonly trace: readonly TraceEntry[]
}

/** The machine without k3s, which Rancher installs. */
function operatingSystem(source: TranslationSource, tools: TranslateTools): OperatingSystem {
  const { host } = source
  const { registries } = host.k3s
  const withoutK3s: HostModel = { ...host, k3s: { ...host.k3s, role: 'none', environment: [] } }
  // Manifests go by the role, which is Rancher's choice now; they are reported below like other parts of k3s.
  const node = systemdNode({ ...source, host: withoutK3s }, slMicro, tools, [
    ...hostKeyFiles(host),
    sudoersFile(host),
    ...keyfiles(host.network, fallbackIsUsed(host) ? host.fallbackNameservers : []),
    ...(registries === null
      ? []
      : [
          rootFile('/etc/rancher/k3s/registries.yaml', registries.value, {
            mode: 0o600,
            from: registries.from,
          }),
        ]),
  ])
  const password = passwordParts(host, tools)
  const files = [...node.files, ...password.files]
  const at = `spec.config.cloud-config.stages.initramfs.users.${host.user.name}`
  return {
    files,
    units: [...node.units, ...password.units],
    findings: node.findings,
    trace: [
      ...traceInto(registrationFile, files),
      ...traceTo(registrationFile, 'spec.machineName', host.hostname?.from ?? []),
      ...traceTo(
        registrationFile,
        `${at}.passwd`,
        host.user.password?.encrypted === true ? host.user.password.from : [],
      ),
      ...host.user.authorizedKeys.flatMap((key) =>
        traceTo(registrationFile, `${at}.ssh_authorized_keys`, key.from),
      ),
    ],
  }
}

/** Lower case, no dots, no more than 63 characters (rancher/elemental-operator: dots become hyphens there too). */
function machineName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
  return name === '' ? 'node' : name
}

function registration(machine: string, { host, facts }: TranslationSource, os: OperatingSystem): object {
  const disk = systemDisk(facts)
  return {
    apiVersion: 'elemental.cattle.io/v1beta1',
    kind: 'MachineRegistration',
    metadata: { name: machine, namespace },
    spec: {
      machineName: machine,
      machineInventoryLabels: { [label]: machine },
      config: {
        elemental: {
          registration: { auth: 'tpm' },
          install: {
            ...(disk === null ? {} : { device: `/dev/${disk.name}` }),
            reboot: true,
            'eject-cd': true,
            snapshotter: { type: 'btrfs', maxSnaps: 4 },
          },
        },
        // One dialect only: beside `stages`, keys of cloud-init would be lost without a word.
        'cloud-config': {
          name: 'k3OS configuration',
          stages: {
            initramfs: [...yipSteps(os.files, os.units, yipUser(host, [])), ...ownerSteps(os.files)],
          },
        },
      },
    },
  }
}

function seedImage(machine: string): object {
  return {
    apiVersion: 'elemental.cattle.io/v1beta1',
    kind: 'SeedImage',
    metadata: { name: machine, namespace },
    spec: {
      type: 'iso',
      baseImage: `${osImage}/baremetal-iso-image:2.3.0-6.1`,
      registrationRef: {
        apiVersion: 'elemental.cattle.io/v1beta1',
        kind: 'MachineRegistration',
        name: machine,
        namespace,
      },
    },
  }
}

function selectorTemplate(machine: string): object {
  return {
    apiVersion: 'elemental.cattle.io/v1beta1',
    kind: 'MachineInventorySelectorTemplate',
    metadata: { name: machine, namespace },
    spec: { template: { spec: { selector: { matchLabels: { [label]: machine } } } } },
  }
}

function ownFindings({ host, name, facts }: TranslationSource, machine: string): Finding[] {
  const where = { node: name }
  const before = host.hostname?.value ?? name
  return [
    ...(before === machine
      ? []
      : [translateFinding('TRN-RANCHER-NAME', { name: before, becomes: machine }, where)]),
    translateFinding(
      'TRN-RANCHER-VERSION',
      { from: host.k3s.version ?? 'an unknown version', to: kubernetesVersion },
      where,
    ),
    ...(systemDisk(facts) === null
      ? [
          translateFinding(
            'TRN-DISK-UNKNOWN',
            { file: registrationFile, next: 'add install.device or install.device-selector' },
            where,
          ),
        ]
      : []),
  ]
}

function documents(...list: readonly object[]): string {
  return list.map((one) => yaml(one)).join('---\n')
}

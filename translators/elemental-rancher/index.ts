import type { Finding } from '../../src/core/findings.ts'
import type { HostModel, K3sSetting } from '../../src/core/host/model.ts'
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

const namespace = 'fleet-default'
const osImage = 'registry.suse.com/suse/sl-micro/6.2'
/** The newest k3s that SUSE Edge 3.6 brings. */
const kubernetesVersion = 'v1.35.3+k3s1'
const label = 'k3os-migrate/node'

const registrationFile = 'registration.yaml'
const clusterFile = 'cluster.yaml'

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

/** Settings that Rancher's planner sets itself (rancher/rancher pkg/capr/planner/config.go). */
const planned: Readonly<Record<string, string>> = {
  'cluster-init': 'Rancher sets it on the first server',
  'node-name': 'it is the name of the machine',
  'with-node-id': 'it is the name of the machine',
  'token-file': 'Rancher makes its own',
  'agent-token': 'Rancher makes its own',
  'agent-token-file': 'Rancher makes its own',
  'datastore-endpoint': 'Rancher runs etcd on the servers it provisions',
  'datastore-cafile': 'Rancher runs etcd on the servers it provisions',
  'datastore-certfile': 'Rancher runs etcd on the servers it provisions',
  'datastore-keyfile': 'Rancher runs etcd on the servers it provisions',
  docker: 'k3s of today has containerd only',
}

interface ClusterParts {
  readonly document: object
  readonly trace: readonly TraceEntry[]
  readonly findings: (node: string) => Finding[]
}

/** A Cluster with this machine as its pool; further machines are further pools of one and the same. */
function clusterParts({ k3s, environment }: HostModel, machine: string): ClusterParts {
  const server = k3s.role !== 'agent'
  const labels = listOf(k3s.settings, 'node-label')
  const allTaints = listOf(k3s.settings, 'node-taint')
  const taints = allTaints.filter((text) => /^[^:]+:(?:NoSchedule|PreferNoSchedule|NoExecute)$/.test(text))
  const taintsFrom = fromOf(k3s.settings, 'node-taint')
  const config = k3s.settings.filter(
    ({ key }) => !(key in planned) && key !== 'node-label' && key !== 'node-taint',
  )
  const own = k3s.settings.filter(({ key }) => key in planned)
  const variables = environment.filter(({ name }) => !name.startsWith('K3S_'))
  const pool = 'spec.rkeConfig.machinePools[0]'
  return {
    document: {
      apiVersion: 'provisioning.cattle.io/v1',
      kind: 'Cluster',
      metadata: { name: 'CLUSTER', namespace },
      spec: {
        kubernetesVersion,
        ...(variables.length === 0
          ? {}
          : { agentEnvVars: variables.map(({ name, value }) => ({ name, value })) }),
        rkeConfig: {
          ...(config.length === 0
            ? {}
            : {
                machineSelectorConfig: [
                  {
                    // The label Rancher itself gives to the machines of a pool.
                    machineLabelSelector: { matchLabels: { 'rke.cattle.io/rke-machine-pool-name': machine } },
                    config: Object.fromEntries(config.map(({ key, value }) => [key, value])),
                  },
                ],
              }),
          machinePools: [
            {
              name: machine,
              quantity: 1,
              controlPlaneRole: server,
              etcdRole: server,
              workerRole: true,
              ...(labels.length === 0
                ? {}
                : { labels: Object.fromEntries(labels.map((text) => pair(text, '='))) }),
              ...(taints.length === 0 ? {} : { taints: taints.map(taint) }),
              machineConfigRef: {
                apiVersion: 'elemental.cattle.io/v1beta1',
                kind: 'MachineInventorySelectorTemplate',
                name: machine,
              },
            },
          ],
        },
      },
    },
    trace: [
      ...traceTo(clusterFile, `${pool}.controlPlaneRole`, k3s.roleFrom),
      ...traceTo(clusterFile, `${pool}.labels`, fromOf(k3s.settings, 'node-label')),
      ...traceTo(clusterFile, `${pool}.taints`, taints.length === 0 ? [] : taintsFrom),
      ...config.flatMap(({ key, from }) =>
        traceTo(clusterFile, `spec.rkeConfig.machineSelectorConfig[0].config.${key}`, from),
      ),
    ],
    findings: (node) => [
      ...(taints.length === allTaints.length
        ? []
        : ownedBy(node, 'a taint', 'it has no effect that Kubernetes knows', taintsFrom)),
      ...own.flatMap(({ key, from }) => ownedBy(node, `--${key}`, planned[key] ?? '', from)),
      ...ownedBy(node, 'the token', 'the new cluster has its own', k3s.token?.from ?? []),
      ...ownedBy(node, 'the server', 'the new cluster has its own', k3s.serverUrl?.from ?? []),
      ...environment
        .filter(({ name }) => name.startsWith('K3S_'))
        .flatMap(({ name, from }) =>
          ownedBy(node, name, 'it is a setting of k3s, which Rancher installs', from),
        ),
    ],
  }
}

function ownedBy(node: string, what: string, how: string, from: readonly string[]): Finding[] {
  return from.map((path) =>
    translateFinding('TRN-RANCHER-OWN', { what, how }, { node, path, discriminator: `${what} ${path}` }),
  )
}

function listOf(settings: readonly K3sSetting[], key: string): string[] {
  return settings
    .filter((one) => one.key === key)
    .flatMap(({ value }) => (typeof value === 'object' ? value : [String(value)]))
}

function fromOf(settings: readonly K3sSetting[], key: string): string[] {
  return settings.filter((one) => one.key === key).flatMap(({ from }) => from)
}

function pair(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function taint(text: string): object {
  const at = text.lastIndexOf(':')
  const [key, value] = pair(text.slice(0, at), '=')
  return { key, value, effect: text.slice(at + 1) }
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

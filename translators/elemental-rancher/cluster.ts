import type { Finding } from '../../src/core/findings.ts'
import type { HostModel, K3sSetting } from '../../src/core/host/model.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TraceEntry } from '../../src/core/translation.ts'
import { traceTo } from '../linux/root-file.ts'

export const namespace = 'fleet-default'
/** The newest k3s that SUSE Edge 3.6 brings. */
export const kubernetesVersion = 'v1.35.3+k3s1'
export const clusterFile = 'cluster.yaml'

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
export function clusterParts({ k3s, environment }: HostModel, machine: string): ClusterParts {
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

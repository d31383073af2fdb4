/**
 * Where each setting stands in the two dialects of Talos. They are never mixed in one file: many pairs are refused
 * (siderolabs/talos pkg/machinery/config/types, V1Alpha1ConflictValidate). `kind` null is the document without a kind, which
 * 1.13 has for nearly everything.
 */
export type Dialect = '1.14' | '1.13'

export interface Place {
  readonly kind: string | null
  readonly path: readonly string[]
}

const document = (kind: string, ...path: string[]): Place => ({ kind, path })
const legacy = (...path: string[]): Place => ({ kind: null, path })

const same = (place: Place): Record<Dialect, Place> => ({ '1.14': place, '1.13': place })
const moved = (now: Place, before: Place): Record<Dialect, Place> => ({ '1.14': now, '1.13': before })

export const places = {
  hostname: same(document('HostnameConfig', 'hostname')),
  hostnameAuto: same(document('HostnameConfig', 'auto')),
  nameservers: same(document('ResolverConfig', 'nameservers')),
  searchDomains: same(document('ResolverConfig', 'searchDomains', 'domains')),
  timeservers: same(document('TimeSyncConfig', 'ntp', 'servers')),
  environment: same(document('EnvironmentConfig', 'variables')),
  talosSans: same(legacy('machine', 'certSANs')),
  etcdArgs: same(legacy('cluster', 'etcd', 'extraArgs')),

  sysctls: moved(document('SysctlConfig', 'params'), legacy('machine', 'sysctls')),
  udevRules: moved(document('UdevRulesConfig', 'rules'), legacy('machine', 'udev', 'rules')),
  nodeLabels: moved(document('KubeNodeConfig', 'labels'), legacy('machine', 'nodeLabels')),
  nodeTaints: moved(document('KubeNodeConfig', 'taints'), legacy('machine', 'nodeTaints')),
  nodeSubnets: moved(
    document('KubeNodeConfig', 'nodeIP', 'validSubnets'),
    legacy('machine', 'kubelet', 'nodeIP', 'validSubnets'),
  ),
  kubeletArgs: moved(document('KubeletConfig', 'extraArgs'), legacy('machine', 'kubelet', 'extraArgs')),
  clusterDns: moved(document('KubeletConfig', 'clusterDNS'), legacy('machine', 'kubelet', 'clusterDNS')),
  podSubnets: moved(document('KubeNetworkConfig', 'podSubnets'), legacy('cluster', 'network', 'podSubnets')),
  serviceSubnets: moved(
    document('KubeNetworkConfig', 'serviceSubnets'),
    legacy('cluster', 'network', 'serviceSubnets'),
  ),
  dnsDomain: moved(document('KubeNetworkConfig', 'dnsDomain'), legacy('cluster', 'network', 'dnsDomain')),
  apiServerArgs: moved(
    document('KubeAPIServerConfig', 'extraArgs'),
    legacy('cluster', 'apiServer', 'extraArgs'),
  ),
  apiServerSans: moved(
    document('KubeAPIServerConfig', 'certExtraSANs'),
    legacy('cluster', 'apiServer', 'certSANs'),
  ),
  apiServerPort: moved(
    document('KubeAPIServerConfig', 'apiPort'),
    legacy('cluster', 'controlPlane', 'localAPIServerPort'),
  ),
  controllerManagerArgs: moved(
    document('KubeControllerManagerConfig', 'extraArgs'),
    legacy('cluster', 'controllerManager', 'extraArgs'),
  ),
  schedulerArgs: moved(
    document('KubeSchedulerConfig', 'extraArgs'),
    legacy('cluster', 'scheduler', 'extraArgs'),
  ),
  proxyArgs: moved(document('KubeProxyConfig', 'extraArgs'), legacy('cluster', 'proxy', 'extraArgs')),
  proxyMode: moved(document('KubeProxyConfig', 'mode'), legacy('cluster', 'proxy', 'mode')),
  networkPolicies: moved(
    document('KubeFlannelCNIConfig', 'kubeNetworkPoliciesEnabled'),
    legacy('cluster', 'network', 'cni', 'flannel', 'kubeNetworkPoliciesEnabled'),
  ),
  flannelArgs: moved(
    document('KubeFlannelCNIConfig', 'extraArgs'),
    legacy('cluster', 'network', 'cni', 'flannel', 'extraArgs'),
  ),
} as const satisfies Record<string, Record<Dialect, Place>>

export type Setting = keyof typeof places

/** Parts that are switched on or off: the words differ, and so does the sense (`enabled`, `disabled`). */
export const switches = {
  coredns: {
    '1.14': { place: document('KubeCoreDNSConfig', 'enabled'), off: false },
    '1.13': { place: legacy('cluster', 'coreDNS', 'disabled'), off: true },
  },
  'kube-proxy': {
    '1.14': { place: document('KubeProxyConfig', 'enabled'), off: false },
    '1.13': { place: legacy('cluster', 'proxy', 'disabled'), off: true },
  },
  scheduler: {
    '1.14': { place: document('KubeSchedulerConfig', 'enabled'), off: false },
    '1.13': { place: legacy('machine', 'controlPlane', 'scheduler', 'disabled'), off: true },
  },
} as const satisfies Record<string, Record<Dialect, { place: Place; off: boolean }>>

/** The release each dialect is written for, and the newest Kubernetes minor that release runs. */
export const releases: Readonly<Record<Dialect, { readonly version: string; readonly newestMinor: number }>> =
  {
    '1.14': { version: 'v1.14.1', newestMinor: 37 },
    '1.13': { version: 'v1.13.9', newestMinor: 36 },
  }

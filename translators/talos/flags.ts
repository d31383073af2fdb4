import type { K3sSetting } from '../../src/core/host/model.ts'
import { breaksOf } from '../../src/core/k3s/ladder.ts'
import { isAddress, isSubnet } from './address.ts'
import type { Draft } from './draft.ts'
import { releases, type Setting } from './places.ts'

/**
 * What becomes of each flag of k3s. `component`: words for a component, one `name=value` each; `list`, `text`: a setting;
 * `own`: k3s's own machinery, which Talos does in its way; `none`: there is no counterpart, and somebody will miss it.
 */
type Fate =
  | { readonly component: Setting; readonly named: Component }
  | { readonly list: Setting }
  | { readonly text: Setting }
  | { readonly argument: Setting }
  | { readonly own: string }
  | { readonly none: string }
  | { readonly special: (setting: K3sSetting, draft: Draft, role: Role) => void }

type Role = 'server' | 'agent'
type Component =
  | 'kubelet'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'etcd'

/** Puts one flag where Talos has it, or says why not. */
export function placeFlag(setting: K3sSetting, role: Role, draft: Draft): void {
  const { key, value, from } = setting
  const fate = fates[key] ?? { none: 'Talos has nothing like it' }
  if ('special' in fate) fate.special(setting, draft, role)
  else if ('own' in fate) draft.report('TRN-TALOS-OWN', { what: `--${key}`, how: fate.own }, from)
  else if ('none' in fate) draft.report('TRN-TALOS-FLAG', { flag: key, reason: fate.none }, from)
  else if ('component' in fate)
    for (const word of valuesOf(value)) component(fate, key, word, from, role, draft)
  else if ('list' in fate) addressList(fate.list, setting, draft)
  else if ('argument' in fate && role === 'agent')
    draft.report('TRN-TALOS-FLAG', { flag: key, reason: 'a worker has no such component' }, from)
  else if ('argument' in fate) draft.addArgument(fate.argument, key, valuesOf(value).at(-1) ?? '', from)
  else draft.set(fate.text, valuesOf(value).at(-1) ?? '', from)
}

/** What each list may hold; Talos refuses everything for one item that it cannot read. */
const isItem: Readonly<Record<string, (text: string) => boolean>> = {
  'cluster-cidr': isSubnet,
  'service-cidr': isSubnet,
  'cluster-dns': isAddress,
  'node-ip': (text) => isAddress(text) || isSubnet(text),
}

function addressList(place: Setting, { key, value, from }: K3sSetting, draft: Draft): void {
  const items = valuesOf(value)
    .flatMap((item) => item.split(','))
    .filter((item) => item !== '')
  const addresses = items.filter((item) => isItem[key]?.(item) ?? false)
  if (addresses.length > 0) draft.add(place, addresses, from)
  if (addresses.length < items.length || items.length === 0)
    // It may be anything, even the secret of a flag that was swallowed.
    draft.report('TRN-TALOS-FLAG', { flag: key, reason: 'a value of it is no address' }, from)
}

function valuesOf(value: K3sSetting['value']): readonly string[] {
  return typeof value === 'object' ? value : [String(value)]
}

function component(
  { component: setting, named }: { component: Setting; named: Component },
  flag: string,
  word: string,
  from: K3sSetting['from'],
  role: Role,
  draft: Draft,
): void {
  const equals = word.indexOf('=')
  const name = word.slice(0, equals === -1 ? undefined : equals).replace(/^-+/, '')
  const value = equals === -1 ? 'true' : word.slice(equals + 1)
  const isName = /^[a-z0-9][a-z0-9-]*$/.test(name)
  const refuse = (reason: string): void => {
    // What is no name may be anything, even the secret of a flag that was swallowed.
    draft.report(
      'TRN-TALOS-ARGUMENT',
      { component: named, name: isName ? name : 'a word', reason },
      from,
      isName ? name : 'word',
    )
  }
  const limit = releases[draft.dialect].newestMinor
  const gone = breaksOf([role, `--${flag}`, word]).find((one) => one.from <= limit)
  if (!isName) refuse('it is no argument')
  else if (managed[named].includes(name)) refuse('Talos sets it itself')
  else if (named === 'kube-proxy' && role === 'agent') refuse('Talos sets it once, on the control plane')
  else if (gone !== undefined)
    refuse(
      `Kubernetes 1.${gone.to} has no ${gone.what}${gone.instead === null ? '' : `; instead: ${gone.instead}`}`,
    )
  else if (named === 'kubelet' && name === 'register-with-taints')
    for (const taint of value.split(',')) placeTaint(taint, from, draft)
  else if (named === 'kubelet' && name === 'node-labels')
    for (const label of value.split(',')) placeLabel(label, role, from, draft)
  else if (named === 'kube-proxy' && name === 'proxy-mode') draft.set('proxyMode', value, from)
  else draft.addArgument(setting, name, value, from)
}

const nameOfLabel =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
const valueOfLabel = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/

/** `key=value:Effect` and `key:Effect`; Talos keeps them as `key: value:Effect`. */
function placeTaint(taint: string, from: K3sSetting['from'], draft: Draft): void {
  const [, key = '', value = '', effect = ''] =
    /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(taint) ?? []
  if (!nameOfLabel.test(key) || !valueOfLabel.test(value))
    draft.report(
      'TRN-TALOS-FLAG',
      { flag: 'node-taint', reason: 'Kubernetes does not take it as a taint' },
      from,
    )
  else draft.set('nodeTaints', value === '' ? effect : `${value}:${effect}`, from, key)
}

/** A worker may only give itself what the admission plugin NodeRestriction allows. */
const allowed =
  /^(?:kubernetes\.io\/(?:hostname|arch|os)|node\.kubernetes\.io\/instance-type|topology\.kubernetes\.io\/(?:region|zone)|(?:[^/]+\.)?(?:kubelet|node)\.kubernetes\.io\/.+)$/

function placeLabel(label: string, role: Role, from: K3sSetting['from'], draft: Draft): void {
  const equals = label.indexOf('=')
  const key = equals === -1 ? label : label.slice(0, equals)
  const value = equals === -1 ? '' : label.slice(equals + 1)
  const reserved = /^(?:[^/]+\.)?(?:kubernetes|k8s)\.io\//.test(key)
  if (!nameOfLabel.test(key) || !valueOfLabel.test(value))
    draft.report(
      'TRN-TALOS-FLAG',
      { flag: 'node-label', reason: 'Kubernetes does not take it as a label' },
      from,
    )
  else if (role === 'agent' && reserved && !allowed.test(key))
    draft.report('TRN-TALOS-LABEL', { label: key }, from, key)
  else draft.set('nodeLabels', value, from, key)
}

/**
 * Talos wants as many pod subnets as service subnets, at most one of each family; what is not given keeps its one. Flags that
 * cannot be carried then.
 */
export function impossibleSubnets(settings: readonly K3sSetting[]): readonly string[] {
  const families = (name: string): string[] | undefined =>
    settings
      .find(({ key }) => key === name)
      ?.value?.toString()
      .split(',')
      .map((subnet) => (subnet.includes(':') ? 'IPv6' : 'IPv4'))
      .toSorted()
  const pods = families('cluster-cidr') ?? ['IPv4']
  const services = families('service-cidr') ?? ['IPv4']
  const fits = pods.join() === services.join() && new Set(pods).size === pods.length
  return fits ? [] : ['cluster-cidr', 'service-cidr']
}

/** What k3s brings unless told otherwise; Talos brings none of it. */
const bundled = ['traefik', 'servicelb', 'metrics-server', 'local-storage'] as const

export function missingParts(settings: readonly K3sSetting[]): string[] {
  const off = settings
    .filter(({ key }) => key === 'disable' || key === 'no-deploy')
    .flatMap(({ value }) => valuesOf(value))
    .flatMap((value) => value.split(',').map((part) => part.trim()))
  return bundled.filter((part) => !off.includes(part))
}

function disable({ value, from, key }: K3sSetting, draft: Draft): void {
  for (const part of valuesOf(value).flatMap((item) => item.split(',').map((one) => one.trim())))
    if (part === 'coredns') draft.turnOff('coredns', from)
    else {
      const known = bundled.find((name) => name === part) ?? 'of another part'
      draft.report(
        'TRN-TALOS-OWN',
        { what: `--${key} ${known}`, how: 'Talos brings no such part' },
        from,
        known,
      )
    }
}

function flannelBackend({ value, from }: K3sSetting, draft: Draft): void {
  const backend = String(value)
  const old = draft.dialect === '1.13'
  const types: Readonly<Record<string, string>> = {
    vxlan: 'vxlan',
    'host-gw': 'host-gw',
    'wireguard-native': 'wireguard',
  }
  if (backend === 'none') {
    if (old) draft.setLegacy(['cluster', 'network', 'cni', 'name'], 'none', from)
    else draft.document('KubeFlannelCNIConfig', null, { $patch: 'delete' }, from)
    draft.report('TRN-TALOS-CNI', undefined, [])
  } else if (types[backend] === undefined || (old && backend !== 'vxlan'))
    draft.report(
      'TRN-TALOS-FLAG',
      { flag: 'flannel-backend', reason: 'Flannel of Talos has no such backend in this dialect' },
      from,
    )
  else if (old)
    draft.report('TRN-TALOS-OWN', { what: '--flannel-backend vxlan', how: 'it is the default' }, from)
  else draft.document('KubeFlannelCNIConfig', null, { backendType: types[backend] }, from)
}

const snapshots = 'Talos takes none by itself: talosctl etcd snapshot, or the job siderolabs/talos-backup'
const ownToken = 'the new cluster has its own: talosctl gen secrets'
const images = 'put it into a system extension, or into CRICustomizationConfig'
const datastore = 'Talos runs etcd on its control plane and nothing else'

const fates: Readonly<Record<string, Fate>> = {
  'cluster-cidr': { list: 'podSubnets' },
  'service-cidr': { list: 'serviceSubnets' },
  'cluster-domain': {
    special({ value, from }, draft) {
      const domain = valuesOf(value).at(-1) ?? ''
      if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(domain))
        draft.set('dnsDomain', domain, from)
      else draft.report('TRN-TALOS-FLAG', { flag: 'cluster-domain', reason: 'it is no domain' }, from)
    },
  },
  'cluster-dns': { list: 'clusterDns' },
  'service-node-port-range': { argument: 'apiServerArgs' },
  'bind-address': { argument: 'apiServerArgs' },
  'advertise-address': { argument: 'apiServerArgs' },
  'node-ip': { list: 'nodeSubnets' },
  'kubelet-arg': { component: 'kubeletArgs', named: 'kubelet' },
  'kube-apiserver-arg': { component: 'apiServerArgs', named: 'kube-apiserver' },
  'kube-controller-manager-arg': { component: 'controllerManagerArgs', named: 'kube-controller-manager' },
  'kube-controller-arg': { component: 'controllerManagerArgs', named: 'kube-controller-manager' },
  'kube-scheduler-arg': { component: 'schedulerArgs', named: 'kube-scheduler' },
  'kube-proxy-arg': { component: 'proxyArgs', named: 'kube-proxy' },
  'etcd-arg': { component: 'etcdArgs', named: 'etcd' },
  'tls-san': {
    special({ value, from }, draft) {
      const names = valuesOf(value).flatMap((item) => item.split(','))
      draft.add('apiServerSans', names, from)
      draft.add('talosSans', names, from)
    },
  },
  'https-listen-port': {
    special({ value, from }, draft) {
      const port = Number(value)
      if (Number.isInteger(port)) draft.set('apiServerPort', port, from)
      else draft.report('TRN-TALOS-FLAG', { flag: 'https-listen-port', reason: 'it is no number' }, from)
    },
  },
  'node-name': {
    special({ value, from }, draft) {
      draft.set('hostnameAuto', 'off', [])
      draft.set('hostname', valuesOf(value).at(-1) ?? '', from)
    },
  },
  'node-label': {
    special({ value, from }, draft, role) {
      for (const label of valuesOf(value)) placeLabel(label, role, from, draft)
    },
  },
  'node-taint': {
    special({ value, from }, draft) {
      for (const taint of valuesOf(value)) placeTaint(taint, from, draft)
    },
  },
  disable: { special: disable },
  'no-deploy': { special: disable },
  'disable-kube-proxy': { special: ({ from }, draft) => draft.turnOff('kube-proxy', from) },
  'disable-scheduler': { special: ({ from }, draft) => draft.turnOff('scheduler', from) },
  'disable-network-policy': { own: 'network policies are off unless asked for' },
  'flannel-backend': { special: flannelBackend },
  'no-flannel': {
    special: (setting, draft) => {
      flannelBackend({ ...setting, value: 'none' }, draft)
    },
  },
  'flannel-iface': {
    special({ value, from }, draft, role) {
      if (role === 'agent')
        draft.report(
          'TRN-TALOS-FLAG',
          {
            flag: 'flannel-iface',
            reason: 'Flannel has one configuration for the whole cluster, on the control plane',
          },
          from,
        )
      else {
        draft.add('flannelArgs', [`--iface=${String(value)}`], from)
        draft.report('TRN-TALOS-IFACE', undefined, from)
      }
    },
  },
  'etcd-expose-metrics': {
    special({ from }, draft) {
      draft.addArgument('etcdArgs', 'listen-metrics-urls', 'http://0.0.0.0:2381', from)
    },
  },
  'system-default-registry': {
    special({ value, from }, draft) {
      for (const host of ['docker.io', 'registry.k8s.io', 'ghcr.io', 'quay.io'])
        draft.document(
          'RegistryMirrorConfig',
          host,
          { endpoints: [{ url: `https://${String(value)}` }] },
          from,
        )
    },
  },
  'embedded-registry': { none: 'install Spegel instead' },
  'disable-default-registry-endpoint': { none: 'set skipFallback: true in each RegistryMirrorConfig' },
  'airgap-extra-registry': { none: 'use RegistryMirrorConfig' },
  'disable-helm-controller': { own: 'there is no HelmChart controller' },
  'disable-cloud-controller': { own: 'there is no cloud controller of k3s' },
  'secrets-encryption': { own: 'a new cluster always encrypts its Secrets' },
  'secrets-encryption-provider': { own: 'a new cluster always encrypts its Secrets' },
  'protect-kernel-defaults': { own: 'it is always so' },
  selinux: { own: 'it is a kernel argument, selinux=1, and on' },
  'cluster-init': { own: 'talosctl bootstrap, once' },
  'cluster-reset': { own: 'talosctl bootstrap --recover-from' },
  token: { own: ownToken },
  'token-file': { own: ownToken },
  'agent-token': { own: ownToken },
  'agent-token-file': { own: ownToken },
  'write-kubeconfig': { own: 'talosctl kubeconfig' },
  'write-kubeconfig-mode': { own: 'talosctl kubeconfig' },
  'write-kubeconfig-group': { own: 'talosctl kubeconfig' },
  'write-kubeconfig-name': { own: 'talosctl kubeconfig' },
  'with-node-id': { own: 'the name of the Node is the host name' },
  'lb-server-port': { own: 'KubePrism does it, on port 7445' },
  'disable-apiserver-lb': { own: 'KubePrism does it, on port 7445' },
  'prefer-bundled-bin': { own: 'everything is part of the image' },
  'default-local-storage-path': {
    none: 'install local-path-provisioner on a UserVolumeConfig below /var/mnt',
  },
  'node-external-ip': { none: 'only a cloud controller sets an ExternalIP' },
  'node-external-dns': { none: 'only a cloud controller sets it' },
  'resolv-conf': { none: 'Talos protects it; name servers are in ResolverConfig' },
  'data-dir': { none: 'the places of Talos are fixed' },
  docker: { none: 'there is containerd only' },
  'container-runtime-endpoint': { none: 'there is containerd only' },
  'image-service-endpoint': { none: 'there is containerd only' },
  rootless: { none: 'Talos has no such mode' },
  'pause-image': { none: images },
  snapshotter: { none: images },
  'default-runtime': { none: images },
  'nonroot-devices': { none: images },
  'image-credential-provider-bin-dir': {
    none: 'KubeCredentialProviderConfig, and an extension with the program',
  },
  'image-credential-provider-config': {
    none: 'KubeCredentialProviderConfig, and an extension with the program',
  },
  'vpn-auth': { none: 'the extension tailscale, with ExtensionServiceConfig' },
  'vpn-auth-file': { none: 'the extension tailscale, with ExtensionServiceConfig' },
  'egress-selector-mode': { none: 'the API server must reach the kubelets on port 10250 directly' },
  'disable-agent': { none: 'a control plane of Talos always runs a kubelet; a taint keeps pods away' },
  'datastore-endpoint': { none: datastore },
  'datastore-cafile': { none: datastore },
  'datastore-certfile': { none: datastore },
  'datastore-keyfile': { none: datastore },
  'kine-tls': { none: datastore },
  'etcd-disable-snapshots': { own: snapshots },
  'etcd-snapshot-name': { none: snapshots },
  'etcd-snapshot-schedule-cron': { none: snapshots },
  'etcd-snapshot-retention': { none: snapshots },
  'etcd-snapshot-dir': { none: snapshots },
  'etcd-snapshot-compress': { none: snapshots },
  'etcd-s3': { none: snapshots },
  debug: { own: 'talosctl logs and talosctl dmesg' },
  v: { own: 'talosctl logs and talosctl dmesg' },
  vmodule: { own: 'talosctl logs and talosctl dmesg' },
  log: { own: 'talosctl logs and talosctl dmesg' },
  alsologtostderr: { own: 'talosctl logs and talosctl dmesg' },
}

/**
 * Arguments that Talos sets itself. `talosctl validate` lets them pass, the controllers do not (siderolabs/talos
 * internal/app/machined/pkg/controllers/k8s/{control_plane_final,kubelet_spec}.go and services/etcd.go).
 */
const managed: Readonly<Record<Component, readonly string[]>> = {
  'kube-apiserver': words(`etcd-servers client-ca-file requestheader-client-ca-file proxy-client-cert-file
    proxy-client-key-file encryption-provider-config etcd-cafile etcd-certfile etcd-keyfile kubelet-client-certificate
    kubelet-client-key service-account-key-file service-account-signing-key-file tls-cert-file tls-private-key-file
    tls-min-version authorization-config`),
  'kube-controller-manager':
    words(`cluster-signing-cert-file cluster-signing-key-file authentication-kubeconfig
    authorization-kubeconfig root-ca-file service-account-private-key-file`),
  'kube-scheduler': words('kubeconfig authentication-kubeconfig authorization-kubeconfig config'),
  'kube-proxy': [],
  kubelet: words(`bootstrap-kubeconfig kubeconfig container-runtime container-runtime-endpoint config cert-dir
    cgroup-root system-cgroups kubelet-cgroups protect-kernel-defaults resolv-conf rotate-certificates pod-manifest-path
    seccomp-default authentication-token-webhook authorization-mode port`),
  etcd: words(`name data-dir listen-peer-urls listen-client-urls advertise-client-urls initial-advertise-peer-urls
    initial-cluster initial-cluster-state initial-cluster-token cert-file key-file trusted-ca-file peer-cert-file
    peer-key-file peer-trusted-ca-file client-cert-auth peer-client-cert-auth tls-min-version`),
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { templateTools } from '../../../src/adapters/templates.ts'
import type { NodeFacts } from '../../../src/core/inventory.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { flagTable } from '../../../src/core/k3s/flag-table.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { Draft } from '../../../translators/talos/draft.ts'
import { placeFlag } from '../../../translators/talos/flags.ts'
import { translator, translator113 } from '../../../translators/talos/index.ts'
import { places } from '../../../translators/talos/places.ts'
import { schematicId } from '../../../translators/talos/schematic.ts'
import { factsWith } from '../../support/golden-node.ts'
import { nodeFrom } from '../../support/translation.ts'

const tools = templateTools()

function talos(config: K3osConfig, options: { facts?: NodeFacts; old?: boolean } = {}) {
  const node = nodeFrom(config, options.facts === undefined ? {} : { facts: options.facts })
  const { files, findings } = translateNode(node, options.old === true ? translator113 : translator, tools)
  const text = String(files.find(({ path }) => path === 'machine.yaml')?.content)
  const documents = parseAllDocuments(text).map((one) => one.toJS() as Record<string, unknown>)
  return {
    findings,
    text,
    documents,
    kind: (kind: string) => documents.filter((one) => one['kind'] === kind),
    legacy: documents.find((one) => one['kind'] === undefined),
    rules: findings.map(({ rule }) => rule),
    guide: String(files.find(({ path }) => path === 'MOVE.md')?.content),
  }
}

const agent = (k3os: Partial<K3osConfig['k3os']> = {}): K3osConfig => ({
  hostname: 'n1',
  k3os: { k3sArgs: ['agent'], serverUrl: 'https://10.0.0.1:6443', token: 't', ...k3os },
})
const server = (...args: string[]): K3osConfig => ({ hostname: 'n1', k3os: { k3sArgs: ['server', ...args] } })

describe('the id of a schematic is the one the image factory answers', () => {
  // Published values: siderolabs/image-factory pkg/schematic/schematic_test.go and the pages of Talos about it.
  it.each([
    ['nothing', {}, '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba'],
    ['kernel arguments', { extraKernelArgs: ['noapic', 'nolapic'] }, '9cba8e32'],
    ['META', { meta: [{ key: 10, value: 'foo' }] }, 'd308a2a5'],
    [
      'the overlay of a Raspberry Pi',
      { overlay: { image: 'siderolabs/sbc-raspberrypi', name: 'rpi_generic' } },
      'ee21ef4a',
    ],
    ['the agent of QEMU', { extensions: ['siderolabs/qemu-guest-agent'] }, 'ce4c9805'],
  ])('%s', (_, schematic, id) => {
    expect(schematicId(schematic).slice(0, id.length)).toBe(id)
  })
})

describe('flags of k3s', () => {
  const names = flagTable
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')

  it.each(['1.14', '1.13'] as const)('every one of them arrives or is reported (%s)', (dialect) => {
    const silent = names.filter((key) => {
      const draft = new Draft(dialect, 'n1')
      placeFlag({ key, value: 'x=1', from: ['k3os.k3sArgs[0]'] }, 'server', draft)
      return draft.trace.length + draft.findings.length === 0
    })
    expect(silent).toEqual([])
  })

  it('an argument that Talos sets itself is not carried', () => {
    const { kind, rules } = talos(server('--kube-apiserver-arg=etcd-servers=http://10.0.0.1:2379'))
    expect(kind('KubeAPIServerConfig')).toEqual([])
    expect(rules).toContain('TRN-TALOS-ARGUMENT')
  })

  it('an argument that Kubernetes dropped is not carried', () => {
    const { kind, findings } = talos(agent({ k3sArgs: ['agent', '--kubelet-arg=network-plugin=cni'] }))
    expect(kind('KubeletConfig')).toEqual([])
    expect(findings.find(({ rule }) => rule === 'TRN-TALOS-ARGUMENT')?.summary).toMatch(/network-plugin/)
  })

  it('a repeated argument becomes a list', () => {
    const { kind } = talos(
      server(
        '--kube-apiserver-arg=service-account-issuer=https://a',
        '--kube-apiserver-arg=service-account-issuer=https://b',
      ),
    )
    expect(kind('KubeAPIServerConfig')[0]).toMatchObject({
      extraArgs: { 'service-account-issuer': ['https://a', 'https://b'] },
    })
  })

  it('a name that only --node-name gives turns the automatic one off, beside which Talos refuses it', () => {
    const { kind } = talos({ k3os: { k3sArgs: ['agent', '--node-name=n7'] } })
    expect(kind('HostnameConfig')[0]).toMatchObject({ auto: 'off', hostname: 'n7' })
  })

  it.each([
    '--node-ip=--server',
    '--cluster-dns=10.43.0.0/16',
    '--cluster-cidr=10.42.0.0/33',
    '--cluster-cidr=10.42.0.1',
    '--cluster-domain=a=b',
  ])('an address or domain that is none is not carried: %s', (flag) => {
    const { text, rules } = talos(server(flag))
    expect(rules).toContain('TRN-TALOS-FLAG')
    expect(text).not.toContain(flag.slice(flag.indexOf('=') + 1))
  })

  it('a port for Flannel is not carried beside no Flannel', () => {
    const { text, rules } = talos(server('--flannel-iface=eth7', '--flannel-backend=none'))
    expect(text).not.toContain('eth7')
    expect(rules).toContain('TRN-TALOS-FLAG')
  })

  it('a worker gets no document of the API server', () => {
    const { kind, rules } = talos(agent({ k3sArgs: ['agent', '--bind-address=10.0.0.5'] }))
    expect(kind('KubeAPIServerConfig')).toEqual([])
    expect(rules).toContain('TRN-TALOS-FLAG')
  })

  it.each(['10.0.0.5', 'fd00::5', '10.0.0.0/24', 'fd00::/64'])('an address is: %s', (address) => {
    expect(talos(server(`--node-ip=${address}`)).kind('KubeNodeConfig')[0]).toMatchObject({
      nodeIP: { validSubnets: [address] },
    })
  })

  it('a label that NodeRestriction refuses is left to kubectl', () => {
    const { kind, rules } = talos(agent({ labels: { 'node-role.kubernetes.io/db': '', disk: 'ssd' } }))
    expect(kind('KubeNodeConfig')[0]?.['labels']).toEqual({ disk: 'ssd' })
    expect(rules).toContain('TRN-TALOS-LABEL')
  })
})

describe('what has no name or address, for which Talos refuses everything', () => {
  it.each([
    ['a name server', { dnsNameservers: ['bad', '1.1.1.1'] }, 'TRN-TALOS-NAMESERVER'],
    ['a module', { modules: [''] }, 'TRN-TALOS-OWN'],
    ['a kernel setting', { sysctls: { '': '1' } }, 'TRN-TALOS-OWN'],
  ])('%s is reported', (_, k3os, rule) => {
    const { text, rules } = talos(agent(k3os))
    expect(rules).toContain(rule)
    expect(text).not.toMatch(/address: bad|name: ""|"": /)
  })
})

describe('the two dialects', () => {
  const config: K3osConfig = {
    hostname: 'n1',
    k3os: {
      k3sArgs: ['agent', '--kubelet-arg=max-pods=200'],
      serverUrl: 'https://10.0.0.1:6443',
      token: 't',
      modules: ['wireguard'],
      sysctls: { 'vm.swappiness': '10' },
      labels: { disk: 'ssd' },
    },
  }

  it('1.14 says Kubernetes and kernel in documents, and nothing in the one without a kind', () => {
    const { legacy, kind } = talos(config)
    expect(legacy).toBeUndefined()
    expect(kind('KubeletConfig')[0]).toMatchObject({ extraArgs: { 'max-pods': '200' } })
    expect(kind('KernelModuleConfig')[0]).toMatchObject({ name: 'wireguard' })
  })

  it('1.13 says them in the one without a kind', () => {
    const { legacy, documents } = talos(config, { old: true })
    expect(legacy).toMatchObject({
      machine: {
        kubelet: { extraArgs: { 'max-pods': '200' } },
        kernel: { modules: [{ name: 'wireguard' }] },
        sysctls: { 'vm.swappiness': '10' },
        nodeLabels: { disk: 'ssd' },
      },
    })
    expect(JSON.stringify(documents.map((one) => one['kind']))).not.toMatch(/"Kube|"Sysctl|"KernelModule/)
  })

  it('no setting of 1.13 stands in a document that 1.14 brought', () => {
    const brought = Object.values(places)
      .filter((place) => place['1.14'].kind !== place['1.13'].kind)
      .map((place) => place['1.14'].kind)
    for (const place of Object.values(places)) expect(brought).not.toContain(place['1.13'].kind ?? '')
  })
})

it('a port is found again by its MAC', () => {
  const { kind } = talos({
    ...agent(),
    writeFiles: [
      {
        path: '/var/lib/connman/default.config',
        content: '[service_a]\nType=ethernet\nMAC=52:54:00:aa:bb:01\nIPv4=10.0.0.5/24/10.0.0.1\n',
        encoding: '',
        owner: '',
        permissions: '',
      },
    ],
  })
  expect(kind('LinkAliasConfig')[0]).toMatchObject({
    name: 'net0',
    selector: { match: 'mac(link.permanent_addr) == "52:54:00:aa:bb:01"' },
  })
  expect(kind('LinkConfig')[0]).toMatchObject({
    name: 'net0',
    addresses: [{ address: '10.0.0.5/24' }],
    routes: [{ gateway: '10.0.0.1' }],
  })
})

it('commands that only load a module or set a kernel value are said in documents; others are reported', () => {
  const { kind, findings } = talos({
    ...agent(),
    bootCmd: [
      'modprobe br_netfilter',
      'modprobe nf_conntrack hashsize=1024',
      'sysctl -w vm.swappiness=1',
      'mount /dev/sdb1 /data',
    ],
  })
  expect(kind('KernelModuleConfig').map(({ name }) => name)).toEqual(['br_netfilter', 'nf_conntrack'])
  expect(kind('SysctlConfig')[0]).toMatchObject({ params: { 'vm.swappiness': '1' } })
  expect(
    findings.filter(({ rule }) => rule === 'TRN-TALOS-COMMAND').map(({ location }) => location?.path),
  ).toEqual(['bootCmd[3]'])
})

it('the disk of k3OS is chosen by its serial number', () => {
  const facts = factsWith({
    disks: [
      {
        name: 'sda',
        sizeMib: 20_000,
        model: 'SSD',
        serial: 'S3Z9NB0K',
        transport: 'sata',
        partitions: [
          { name: 'sda1', sizeMib: 19_000, fsType: 'ext4', label: 'K3OS_STATE', uuid: 'u', mountpoint: null },
        ],
      },
    ],
  })
  expect(talos(agent(), { facts }).kind('UnattendedInstallConfig')[0]).toMatchObject({
    provisioning: { diskSelector: { match: 'disk.serial == "S3Z9NB0K"' }, wipe: false },
  })
})

it('without a serial number the disk is named, and that is said', () => {
  const facts = factsWith({
    disks: [
      {
        name: 'vda',
        sizeMib: 20_000,
        model: null,
        serial: null,
        transport: 'virtio',
        partitions: [
          { name: 'vda1', sizeMib: 19_000, fsType: 'ext4', label: 'K3OS_STATE', uuid: 'u', mountpoint: null },
        ],
      },
    ],
  })
  expect(talos(agent(), { facts }).rules).toContain('TRN-TALOS-DISK-NAME')
})

it('Wi-Fi stops the move', () => {
  const { findings } = talos(agent({ wifi: [{ name: 'shop', passphrase: 'secret-4711' }] }))
  expect(findings.find(({ rule }) => rule === 'TRN-TALOS-WIFI')?.severity).toBe('inhibitor')
})

it('a HelmChart in a manifest is not handed to Talos', () => {
  const manifest = (content: string) => ({
    path: '/var/lib/rancher/k3s/server/manifests/a.yaml',
    content,
    encoding: '',
    owner: '',
    permissions: '',
  })
  const chart = talos({
    ...server(),
    writeFiles: [manifest('apiVersion: helm.cattle.io/v1\nkind: HelmChart\n')],
  })
  const plain = talos({ ...server(), writeFiles: [manifest('apiVersion: v1\nkind: Namespace\n')] })
  expect(chart.kind('KubeInlineManifestConfig')).toEqual([])
  expect(chart.rules).toContain('TRN-TALOS-FILE')
  expect(plain.kind('KubeInlineManifestConfig')[0]).toMatchObject({ name: 'a' })
})

it('registries keep mirrors and passwords; what Talos cannot do is reported', () => {
  const { kind, findings } = talos({
    ...agent(),
    writeFiles: [
      {
        path: '/etc/rancher/k3s/registries.yaml',
        content: [
          'mirrors:',
          '  docker.io:',
          '    endpoint: [https://mirror.example]',
          '    rewrite: {"^library/(.*)": "lib/$1"}',
          'configs:',
          '  mirror.example:',
          '    auth: {username: u, password: secret-4711}',
          '    tls: {insecure_skip_verify: true}',
          '',
        ].join('\n'),
        encoding: '',
        owner: '',
        permissions: '',
      },
    ],
  })
  expect(kind('RegistryMirrorConfig')[0]).toMatchObject({
    name: 'docker.io',
    endpoints: [{ url: 'https://mirror.example' }],
  })
  expect(kind('RegistryAuthConfig')[0]).toMatchObject({
    name: 'mirror.example',
    username: 'u',
    password: 'secret-4711',
  })
  expect(kind('RegistryTLSConfig')[0]).toMatchObject({ insecureSkipVerify: true })
  expect(
    findings.filter(({ rule }) => rule === 'TRN-TALOS-REGISTRIES').map(({ summary }) => summary),
  ).toEqual([expect.stringContaining('rewrite')])
  expect(JSON.stringify(findings)).not.toContain('secret-4711')
})

it('the guide bootstraps only from a control plane', () => {
  expect(talos(server()).guide).toContain('bootstrap')
  expect(talos(agent()).guide).not.toContain('bootstrap')
})

it('servers keep taking pods, as those of k3s do', () => {
  expect(talos(server()).text).toContain('node-role.kubernetes.io/control-plane:\n    $patch: delete')
})

import type { Addressing, NetworkModel, NetworkPort } from '../../src/core/host/model.ts'
import { rootFile, type RootFile } from './root-file.ts'

/** Files of systemd-networkd for the wired ports; it knows no Wi-Fi passwords. */
export function networkdFiles({ ports }: NetworkModel): RootFile[] {
  return [
    // Interfaces of k3s and of pods: a catch-all of the distribution must not ask DHCP on them.
    rootFile(
      '/etc/systemd/network/05-k3os-pods.network',
      '[Match]\nName=cni* flannel* veth* cali* kube-*\n\n[Link]\nUnmanaged=yes\n',
    ),
    ...portLinks(ports),
    ...ports.map((port) =>
      rootFile(`/etc/systemd/network/20-k3os-${fileName(port)}.network`, network(port), {
        from: port.from,
        mode: 0o644,
      }),
    ),
  ]
}

/** The same for the wireless port; another program connects it, and only a node without cable waits for it. */
export function networkdWifi({ ports, wifi }: NetworkModel): RootFile[] {
  if (wifi === null) return []
  const port = { ...wifi, mac: null, name: wifi.name ?? 'wlan0', optional: ports.length > 0, from: [] }
  return [rootFile('/etc/systemd/network/20-k3os-wifi.network', network(port))]
}

/** The names k3OS gave the ports: k3s flags and scripts may use them. udev reads these whoever runs the network. */
export function portLinks(ports: readonly NetworkPort[]): RootFile[] {
  return ports.flatMap(({ mac, name }) =>
    mac === null || name === null
      ? []
      : [
          rootFile(
            `/etc/systemd/network/10-k3os-${name}.link`,
            `[Match]\nPermanentMACAddress=${mac}\n\n[Link]\nName=${name}\n`,
          ),
        ],
  )
}

/** A word for file and connection names. */
export function fileName({ name, mac }: Pick<NetworkPort, 'name' | 'mac'>): string {
  return (name ?? mac ?? 'wired').replaceAll(/[^A-Za-z0-9.-]/g, '-')
}

function network(port: NetworkPort): string {
  const match =
    port.mac !== null
      ? `PermanentMACAddress=${port.mac}`
      : port.name === null
        ? // Not every Ethernet: the ends of pods' cables are such too.
          'Name=en* eth*'
        : `Name=${port.name}`
  return [
    '[Match]',
    match,
    '',
    '[Link]',
    `RequiredForOnline=${port.optional ? 'no' : 'yes'}`,
    '',
    '[Network]',
    ...networkKeys(port),
    // connman's lease is for the MAC; networkd would ask under an identifier of its own and get another address.
    ...(port.dhcp4 ? ['', '[DHCPv4]', 'ClientIdentifier=mac'] : []),
    '',
  ].join('\n')
}

function networkKeys(port: Addressing): string[] {
  return [
    `DHCP=${port.dhcp4 ? 'ipv4' : 'no'}`,
    `LinkLocalAddressing=${port.ipv6 === 'off' ? 'no' : 'ipv6'}`,
    `IPv6AcceptRA=${port.ipv6 === 'auto' ? 'yes' : 'no'}`,
    ...(port.ipv6Privacy ? ['IPv6PrivacyExtensions=yes'] : []),
    ...port.addresses.map((address) => `Address=${address}`),
    ...port.gateways.map((gateway) => `Gateway=${gateway}`),
    ...port.nameservers.map((server) => `DNS=${server}`),
    ...(port.searchDomains.length === 0 ? [] : [`Domains=${port.searchDomains.join(' ')}`]),
  ]
}

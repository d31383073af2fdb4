import type { Addressing, NetworkModel, NetworkPort, Traced, WifiModel } from '../../src/core/host/model.ts'
import { fileName } from './networkd.ts'
import { rootFile, type RootFile } from './root-file.ts'

const folder = '/etc/NetworkManager/system-connections'

/** One keyfile for each port and Wi-Fi network; `nameservers` are for ports that have none and cannot get any. */
export function keyfiles({ ports, wifi }: NetworkModel, nameservers: readonly Traced<string>[]): RootFile[] {
  const servers = nameservers.map((server) => server.value)
  const from = nameservers.flatMap((server) => server.from)
  return [
    ...ports.map((port) =>
      keyfile(`k3os-${fileName(port)}`, wired(port), port, servers, [...port.from, ...from]),
    ),
    ...(wifi === null
      ? []
      : wifi.networks.map((network, index) =>
          keyfile(`k3os-wifi-${index}`, wireless(wifi, network), wifi, servers, [...network.from, ...from]),
        )),
  ]
}

/** Sections with their keys, in order. */
type Sections = readonly (readonly [string, readonly string[]])[]

function keyfile(
  id: string,
  device: { readonly type: string; readonly name: string | null; readonly sections: Sections },
  addressing: Addressing,
  servers: readonly string[],
  from: readonly string[],
): RootFile {
  const sections: Sections = [
    [
      'connection',
      [`id=${id}`, `type=${device.type}`, ...(device.name === null ? [] : [`interface-name=${device.name}`])],
    ],
    ...device.sections,
    [
      'ipv4',
      ipv4(
        addressing,
        servers.filter((server) => !server.includes(':')),
      ),
    ],
    [
      'ipv6',
      ipv6(
        addressing,
        servers.filter((server) => server.includes(':')),
      ),
    ],
  ]
  const text = sections.map(([section, keys]) => `[${section}]\n${keys.map((key) => `${key}\n`).join('')}`)
  // NetworkManager ignores connections that others can read.
  return rootFile(`${folder}/${id}.nmconnection`, text.join('\n'), { mode: 0o600, from })
}

function wired(port: NetworkPort): Parameters<typeof keyfile>[1] {
  return {
    type: 'ethernet',
    name: port.mac === null ? port.name : null,
    sections: [
      [
        'ethernet',
        port.mac === null
          ? []
          : // In upper case, as NetworkManager itself writes it.
            [`mac-address=${port.mac.toUpperCase()}`],
      ],
    ],
  }
}

function wireless(wifi: WifiModel, network: WifiModel['networks'][number]): Parameters<typeof keyfile>[1] {
  return {
    type: 'wifi',
    name: null,
    sections: [
      [
        'wifi',
        [
          ...(network.hidden ? ['hidden=true'] : []),
          ...(wifi.mac === null ? [] : [`mac-address=${wifi.mac.toUpperCase()}`]),
          `ssid=${ssid(network.ssid)}`,
        ],
      ],
      ...(network.passphrase === ''
        ? []
        : ([['wifi-security', ['key-mgmt=wpa-psk', `psk=${escaped(network.passphrase)}`]]] as const)),
    ],
  }
}

function ipv4(port: Addressing, servers: readonly string[]): string[] {
  const addresses = port.addresses.filter((address) => !address.includes(':'))
  const gateway = port.gateways.find((address) => !address.includes(':'))
  if (!port.dhcp4 && addresses.length === 0) return ['method=disabled']
  return [
    ...addressKeys(addresses, gateway),
    // connman's lease is for the MAC; another identifier would get another address.
    ...(port.dhcp4 ? ['dhcp-client-id=mac'] : []),
    ...nameKeys(
      port,
      port.nameservers.filter((server) => !server.includes(':')),
      servers,
    ),
    port.dhcp4 ? 'method=auto' : 'method=manual',
  ]
}

function ipv6(port: Addressing, servers: readonly string[]): string[] {
  if (port.ipv6 === 'off') return ['method=disabled']
  const gateway = port.gateways.find((address) => address.includes(':'))
  return [
    ...addressKeys(
      port.addresses.filter((address) => address.includes(':')),
      gateway,
    ),
    ...nameKeys(
      port,
      port.nameservers.filter((server) => server.includes(':')),
      servers,
    ),
    ...(port.ipv6Privacy ? ['ip6-privacy=2'] : []),
    port.ipv6 === 'static' ? 'method=manual' : 'method=auto',
  ]
}

function addressKeys(addresses: readonly string[], gateway: string | undefined): string[] {
  return addresses.map(
    (address, index) =>
      `address${index + 1}=${address}${index === 0 && gateway !== undefined ? `,${gateway}` : ''}`,
  )
}

function nameKeys(port: Addressing, own: readonly string[], fallback: readonly string[]): string[] {
  const servers = port.nameservers.length > 0 ? own : fallback
  return [
    ...(servers.length === 0 ? [] : [`dns=${servers.join(';')};`]),
    ...(port.searchDomains.length === 0 ? [] : [`dns-search=${port.searchDomains.join(';')};`]),
  ]
}

/** As text only where a reader cannot take it for something else, otherwise as the numbers of its bytes. */
function ssid(text: string): string {
  if (/^[A-Za-z][\w .-]*$/.test(text) && !text.endsWith(' ')) return text
  return [...new TextEncoder().encode(text)].map((byte) => `${byte};`).join('')
}

/** A value of a GLib key file. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\t', String.raw`\t`)
    .replaceAll(/^ +| +$/g, (blanks) => String.raw`\s`.repeat(blanks.length))
}

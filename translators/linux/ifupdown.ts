import type { Addressing, NetworkModel } from '../../src/core/host/model.ts'
import { rootFile, type RootFile } from './root-file.ts'

/** A port by the name it has on the new system; ifupdown knows no other way. */
export interface NamedPort extends Addressing {
  readonly name: string
  /** Null where the machine is not known: the name is a guess then. */
  readonly mac: string | null
  readonly optional: boolean
  readonly from: readonly string[]
}

/** Wired ports with the names k3OS gave them; without any name the first ones free of those that kernels without udev give. */
export function namedPorts({ ports }: NetworkModel): NamedPort[] {
  const taken = new Set(ports.flatMap(({ name }) => name ?? []))
  const free = (word: string): string => {
    let index = 0
    while (taken.has(`${word}${index}`)) index += 1
    taken.add(`${word}${index}`)
    return `${word}${index}`
  }
  return ports.map((port) => ({ ...port, name: port.name ?? free(port.mac === null ? 'eth' : 'port') }))
}

/**
 * /etc/network/interfaces, as Debian's ifupdown and Alpine's ifupdown-ng both read it. `nameservers` says whether something
 * is there that makes /etc/resolv.conf of them.
 */
export function interfacesFile(
  network: NetworkModel,
  options: { readonly nameservers: boolean; readonly wifiLines: readonly string[] },
): RootFile {
  const ports = namedPorts(network)
  const stanzas = [
    ['auto lo', 'iface lo inet loopback'],
    ...ports.map((port) => stanza(port.name, port, options.nameservers)),
    ...(network.wifi === null
      ? []
      : [stanza(network.wifi.name ?? 'wlan0', network.wifi, options.nameservers, options.wifiLines)]),
  ]
  return rootFile('/etc/network/interfaces', `${stanzas.map((lines) => lines.join('\n')).join('\n\n')}\n`, {
    from: ports.flatMap((port) => port.from),
  })
}

function stanza(
  name: string,
  port: Addressing,
  withNameservers: boolean,
  extra: readonly string[] = [],
): string[] {
  const v4 = port.addresses.filter((address) => !address.includes(':'))
  const v6 = port.addresses.filter((address) => address.includes(':'))
  const gateway = (of: (address: string) => boolean): string[] =>
    port.gateways
      .filter(of)
      .slice(0, 1)
      .map((address) => `\tgateway ${address}`)
  const names = withNameservers
    ? [
        ...(port.nameservers.length === 0 ? [] : [`\tdns-nameservers ${port.nameservers.join(' ')}`]),
        ...(port.searchDomains.length === 0 ? [] : [`\tdns-search ${port.searchDomains.join(' ')}`]),
      ]
    : []
  const inet = port.dhcp4
    ? [`iface ${name} inet dhcp`]
    : v4.length > 0
      ? [
          `iface ${name} inet static`,
          ...v4.map((address) => `\taddress ${address}`),
          ...gateway((address) => !address.includes(':')),
        ]
      : [`iface ${name} inet manual`]
  const own = '/proc/sys/net/ipv6/conf/$IFACE'
  const inet6 =
    port.ipv6 === 'off'
      ? [`iface ${name} inet6 manual`, `\tpre-up echo 1 > ${own}/disable_ipv6`]
      : port.ipv6 === 'static'
        ? [
            `iface ${name} inet6 static`,
            ...v6.map((address) => `\taddress ${address}`),
            ...gateway((address) => address.includes(':')),
          ]
        : [`iface ${name} inet6 auto`]
  return [
    `auto ${name}`,
    ...inet,
    ...names,
    ...extra,
    '',
    ...inet6,
    ...(port.ipv6Privacy ? [`\tpre-up echo 2 > ${own}/use_tempaddr`] : []),
  ]
}

/** Networks of wpa_supplicant; names and passwords as bytes where its quoting could not hold them. */
export function wpaSupplicantFile({ wifi }: NetworkModel, path: string): RootFile[] {
  if (wifi === null) return []
  const networks = wifi.networks.map(({ ssid, passphrase, hidden }) =>
    [
      'network={',
      `\tssid=${quoted(ssid)}`,
      ...(hidden ? ['\tscan_ssid=1'] : []),
      ...(passphrase === '' ? ['\tkey_mgmt=NONE'] : [`\tpsk=${preSharedKey(passphrase)}`]),
      '}',
    ].join('\n'),
  )
  return [
    rootFile(path, `${['ctrl_interface=/run/wpa_supplicant', ...networks].join('\n\n')}\n`, {
      mode: 0o600,
      from: wifi.networks.flatMap((network) => network.from),
    }),
  ]
}

/** 64 hex digits are the key itself. Anything else is a text of printable ASCII that ends at the last quote. */
function preSharedKey(passphrase: string): string {
  return /^[0-9A-Fa-f]{64}$/.test(passphrase) ? passphrase : `"${passphrase.replaceAll(/[\r\n]/g, '')}"`
}

function quoted(ssid: string): string {
  if (/^[\u0020-\u007e]*$/.test(ssid) && !ssid.includes('"')) return `"${ssid}"`
  return [...new TextEncoder().encode(ssid)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

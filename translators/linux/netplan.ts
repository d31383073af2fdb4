import type { Addressing, NetworkModel, NetworkPort } from '../../src/core/host/model.ts'
import { rootFile, type RootFile } from './root-file.ts'

/** The network configuration, version 2: what cloud-init hands to netplan as it is. */
export function networkConfig(network: NetworkModel): object {
  const ethernets = Object.fromEntries(
    network.ports.map((port, index) => [
      port.name ?? (port.mac === null ? 'wired' : `port${index}`),
      ethernet(port),
    ]),
  )
  return {
    version: 2,
    ...(network.ports.length === 0 ? {} : { ethernets }),
    ...(network.wifi === null
      ? {}
      : {
          wifis: {
            [network.wifi.name ?? 'wlan0']: {
              ...addressing(network.wifi),
              'access-points': Object.fromEntries(
                network.wifi.networks.map(({ ssid, passphrase, hidden }) => [
                  ssid,
                  { ...(hidden ? { hidden } : {}), ...(passphrase === '' ? {} : { password: passphrase }) },
                ]),
              ),
            },
          },
        }),
  }
}

function ethernet(port: NetworkPort): object {
  const match =
    port.mac === null
      ? port.name === null
        ? { match: { name: 'e*' } }
        : {}
      : {
          match: { macaddress: port.mac },
          // The name k3OS gave the port: k3s flags and scripts may use it.
          ...(port.name === null ? {} : { 'set-name': port.name }),
        }
  return { ...match, ...addressing(port), ...(port.optional ? { optional: true } : {}) }
}

function addressing(port: Addressing): object {
  const { nameservers, searchDomains } = port
  const servers = {
    ...(nameservers.length === 0 ? {} : { addresses: nameservers }),
    ...(searchDomains.length === 0 ? {} : { search: searchDomains }),
  }
  return {
    dhcp4: port.dhcp4,
    // connman's lease is for the MAC; networkd would ask under an identifier of its own and get another address.
    ...(port.dhcp4 ? { 'dhcp-identifier': 'mac' } : {}),
    'accept-ra': port.ipv6 === 'auto',
    ...(port.ipv6 === 'off' ? { 'link-local': [] } : {}),
    ...(port.ipv6Privacy ? { 'ipv6-privacy': true } : {}),
    ...(port.addresses.length === 0 ? {} : { addresses: port.addresses }),
    ...(port.gateways.length === 0 ? {} : { routes: port.gateways.map((via) => ({ to: 'default', via })) }),
    ...(Object.keys(servers).length === 0 ? {} : { nameservers: servers }),
  }
}

/** networkd takes no wifi port by MAC, so the port gets the name that the network configuration uses. */
export function wifiLink({ wifi }: NetworkModel): RootFile[] {
  if (wifi === null) return []
  const match = wifi.mac === null ? 'Type=wlan' : `PermanentMACAddress=${wifi.mac}`
  return [
    rootFile(
      '/etc/systemd/network/10-k3os-wifi.link',
      `[Match]\n${match}\n\n[Link]\nName=${wifi.name ?? 'wlan0'}\n`,
    ),
  ]
}

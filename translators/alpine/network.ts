import type { HostModel } from '../../src/core/host/model.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { fallbackIsUsed } from '../linux/findings.ts'
import { interfacesFile, namedPorts, wpaSupplicantFile } from '../linux/ifupdown.ts'
import { ownFolder, rootFile, type RootFile } from '../linux/root-file.ts'

/** What the network needs, on the installation medium as well as on the disk. */
export interface NetworkParts {
  readonly files: readonly RootFile[]
  /** Services of the boot runlevel. */
  readonly services: readonly string[]
  readonly nameservers: readonly string[]
  readonly searchDomains: readonly string[]
}

export function networkParts(host: HostModel, tools: TranslateTools): NetworkParts {
  const { network } = host
  const ports = namedPorts(network)
  const all = [...network.ports, ...(network.wifi === null ? [] : [network.wifi])]
  const own = all.flatMap((port) => port.nameservers)
  const fallback = fallbackIsUsed(host) ? host.fallbackNameservers : []
  const nameservers = [...new Set([...own, ...fallback.map((server) => server.value)])]
  const searchDomains = [...new Set(all.flatMap((port) => port.searchDomains))]
  const byMac = ports.filter((port) => port.mac !== null)
  const wifiName = network.wifi?.name ?? 'wlan0'
  return {
    files: [
      interfacesFile(network, { nameservers: false, wifiLines: [] }),
      ...(byMac.length === 0
        ? []
        : [
            rootFile(
              `${ownFolder}/net-names.sh`,
              tools.render('alpine/net-names.sh.hbs', {
                ports: byMac.map((port) => `${port.mac}=${port.name}`).join(' '),
              }),
              { mode: 0o755 },
            ),
            rootFile('/etc/init.d/k3os-net-names', tools.render('alpine/net-names.hbs', {}), { mode: 0o755 }),
          ]),
      ...(nameservers.length === 0
        ? []
        : [
            rootFile('/etc/resolv.conf', resolvConf(nameservers, searchDomains), {
              from: fallback.flatMap((server) => server.from),
            }),
            // The configured servers stay, whatever a DHCP server of another port says.
            rootFile('/etc/udhcpc/udhcpc.conf', 'RESOLV_CONF="no"\n'),
          ]),
      ...wpaSupplicantFile(network, '/etc/wpa_supplicant/wpa_supplicant.conf'),
      ...(network.wifi === null
        ? []
        : [rootFile('/etc/conf.d/wpa_supplicant', `wpa_supplicant_args="-i${wifiName}"\n`)]),
    ],
    services: [
      ...(byMac.length === 0 ? [] : ['k3os-net-names']),
      ...(network.wifi === null ? [] : ['wpa_supplicant']),
      'networking',
    ],
    nameservers,
    searchDomains,
  }
}

function resolvConf(nameservers: readonly string[], searchDomains: readonly string[]): string {
  return [
    ...(searchDomains.length === 0 ? [] : [`search ${searchDomains.join(' ')}`]),
    ...nameservers.map((server) => `nameserver ${server}`),
    '',
  ].join('\n')
}

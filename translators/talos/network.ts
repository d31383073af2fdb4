import type { Addressing, HostModel, NetworkPort } from '../../src/core/host/model.ts'
import { isAddress } from './address.ts'
import type { Draft } from './draft.ts'

/**
 * Ports, name servers and time servers. Talos names ports its own way, so each one known by its MAC gets an alias; one that
 * is known by its old name only needs `net.ifnames=0` on the kernel command line. Ports without configuration take DHCP.
 */
export function network(host: HostModel, draft: Draft): { readonly oldNames: boolean } {
  let oldNames = false
  for (const [index, port] of host.network.ports.entries()) {
    const name = port.mac === null ? port.name : `net${index}`
    if (name === null) {
      unnamed(port, draft)
      continue
    }
    if (port.mac === null) oldNames = true
    else
      draft.document('LinkAliasConfig', name, {
        selector: { match: `mac(link.permanent_addr) == "${port.mac}"` },
      })
    link(name, port, draft)
  }
  resolvers(host, draft)
  times(host, draft)
  const { wifi } = host.network
  if (wifi !== null) {
    const from = wifi.networks.flatMap((one) => one.from)
    draft.report('TRN-TALOS-WIFI', undefined, from)
  }
  return { oldNames }
}

/** Nobody knows which port is meant. Plain DHCP needs no words; an address must not go to any port. */
function unnamed(port: NetworkPort, draft: Draft): void {
  if (port.addresses.length > 0) draft.report('TRN-TALOS-PORT-UNKNOWN', undefined, port.from)
  else if (port.from.length > 0)
    draft.report(
      'TRN-TALOS-OWN',
      { what: 'DHCP on every port', how: 'it is what Talos does by itself' },
      port.from,
    )
}

function link(name: string, port: NetworkPort, draft: Draft): void {
  const addresses = port.addresses.map((address) => ({ address }))
  const routes = port.gateways.map((gateway) => ({ gateway }))
  draft.document(
    'LinkConfig',
    name,
    {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(routes.length === 0 ? {} : { routes }),
    },
    port.from,
  )
  // As on k3OS, a lease keeps its address as far as the server goes by MAC.
  if (port.dhcp4) draft.document('DHCPv4Config', name, { clientIdentifier: 'mac' })
  if (port.ipv6 === 'off' || port.ipv6Privacy)
    draft.report(
      'TRN-TALOS-IPV6',
      { port: port.name ?? name, wanted: port.ipv6 === 'off' ? 'off' : 'private addresses' },
      port.from.slice(0, 1),
      name,
    )
}

/** What k3OS takes only when nothing else gives servers goes before DHCP's on Talos. */
function resolvers(host: HostModel, draft: Draft): void {
  const ports: readonly Addressing[] = [
    ...host.network.ports,
    ...(host.network.wifi === null ? [] : [host.network.wifi]),
  ]
  const given = [...new Set(ports.flatMap((port) => port.nameservers))]
  const domains = [...new Set(ports.flatMap((port) => port.searchDomains))]
  const fallback = host.fallbackNameservers.filter(({ from }) => from.length > 0)
  const known = given.filter((address) => isAddress(address))
  for (const server of given)
    if (!known.includes(server)) draft.report('TRN-TALOS-NAMESERVER', { server }, [], server)
  if (known.length > 0)
    draft.add(
      'nameservers',
      known.map((address) => ({ address })),
      [],
    )
  if (domains.length > 0) draft.add('searchDomains', domains, [])
  for (const { value, from } of fallback) {
    if (isAddress(value)) draft.add('nameservers', [{ address: value.toLowerCase() }], from)
    else draft.report('TRN-TALOS-NAMESERVER', { server: value }, from)
  }
  if (fallback.length > 0) draft.report('TRN-TALOS-DNS-FIRST', undefined, [])
}

function times(host: HostModel, draft: Draft): void {
  for (const { value, from } of host.fallbackTimeservers) draft.add('timeservers', [value], from)
}

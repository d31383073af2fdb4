import { z } from 'zod'
import type { NetworkInterface, NodeFacts } from '../inventory.ts'
import { type Evidence, firstLine, jsonOf } from './evidence.ts'
import { lookupLink, lookupOutput, lookupPresence } from './lookup.ts'
import { probes } from './probes.ts'

/** Loopback and what container networks make; there can be hundreds and none outlives the node's pods. */
const plumbing =
  /^(lo$|veth|cni|flannel|cali|vxlan|tunl|docker|br-[0-9a-f]{12}$|kube-|lxc|cilium|nodelocaldns|dummy|sit0|gre|ip6tnl|ip_vti|ip6_vti|erspan)/

const addressAnswer = z.array(
  z.object({
    ifname: z.string(),
    address: z.string().optional(),
    operstate: z.string().optional(),
    addr_info: z
      .array(
        z.object({
          local: z.string().optional(),
          prefixlen: z.number().optional(),
          scope: z.string().optional(),
        }),
      )
      .optional(),
  }),
)

type Addressed = Pick<NetworkInterface, 'name' | 'mac' | 'state' | 'addresses'>

export function readInterfaces(evidence: Evidence): NetworkInterface[] {
  const found = readAddressesJson(evidence) ?? readAddressesText(evidence)
  return found
    .filter(({ name }) => !plumbing.test(name))
    .map((port) => {
      const at = `/sys/class/net/${port.name}`
      const driver = lookupLink(evidence.bundle, `${at}/device/driver`)
      if (driver.status === 'unknown') evidence.fail(`${at}/device/driver`, driver.reason)
      return {
        ...port,
        driver: driver.status === 'found' ? lastName(driver.value) : null,
        wireless: lookupPresence(evidence.bundle, `${at}/wireless`).status === 'found',
      }
    })
}

/** Undefined when this `ip` knows no JSON; then the text form is read. */
function readAddressesJson(evidence: Evidence): Addressed[] | undefined {
  const output = lookupOutput(evidence.bundle, probes.addresses)
  if (output.status !== 'found') return undefined
  const parsed = addressAnswer.safeParse(jsonOf(evidence, probes.addresses, output.value))
  if (!parsed.success) {
    evidence.fail(probes.addresses, 'the answer has an unknown form')
    return undefined
  }
  return parsed.data.map((port) => ({
    name: port.ifname,
    mac: port.address ?? '',
    state: port.operstate ?? 'UNKNOWN',
    addresses: (port.addr_info ?? [])
      .filter((address) => address.scope === 'global' && address.local !== undefined)
      .map((address) => `${address.local}/${address.prefixlen}`),
  }))
}

/**
 * `ip addr` of iproute2 and busybox: `2: eth0: <…> … state UP`, then indented `link/ether MAC` and `inet ADDR/LEN … scope
 * global`.
 */
function readAddressesText(evidence: Evidence): Addressed[] {
  const output = evidence.output(probes.addressesText)
  if (output === null) return []
  const ports: { name: string; mac: string; state: string; addresses: string[] }[] = []
  for (const line of output.split('\n')) {
    const [, name, rest = ''] = /^\d+:\s+([^\s:@]+)(?:@\S+)?:(.*)$/.exec(line) ?? []
    if (name !== undefined) {
      const file = firstLine(evidence.text(`/sys/class/net/${name}/operstate`))
      const [, state = file?.toUpperCase() ?? 'UNKNOWN'] = /\bstate (\S+)/.exec(rest) ?? []
      ports.push({ name, mac: '', state, addresses: [] })
    }
    const port = ports.at(-1)
    if (port === undefined) continue
    const [, mac] = /^\s+link\/\S+\s+([0-9a-f:]{17})\b/.exec(line) ?? []
    if (mac !== undefined) port.mac = mac
    const [, address] = /^\s+inet6?\s+(\S+\/\d+)\s.*\bscope global\b/.exec(line) ?? []
    if (address !== undefined) port.addresses.push(address)
  }
  return ports
}

const routeAnswer = z.array(
  z.object({ dst: z.string(), gateway: z.string().optional(), dev: z.string().optional() }),
)

export function readDefaultGateways(evidence: Evidence): NodeFacts['defaultGateways'] {
  const fallbacks = { [probes.routes]: readRouteTable, [probes.routes6]: readRouteTable6 }
  return Object.entries(fallbacks).flatMap(([probe, fallback]) => {
    const output = lookupOutput(evidence.bundle, probe)
    if (output.status !== 'found') return fallback(evidence)
    // No route at all prints nothing, not an empty list.
    const parsed = routeAnswer.safeParse(
      output.value.trim() === '' ? [] : jsonOf(evidence, probe, output.value),
    )
    if (!parsed.success) {
      evidence.fail(probe, 'the answer has an unknown form')
      return fallback(evidence)
    }
    return parsed.data.flatMap(({ dst, gateway, dev }) =>
      dst === 'default' && gateway !== undefined && dev !== undefined ? [{ via: gateway, device: dev }] : [],
    )
  })
}

/** `/proc/net/route`: interface, destination, gateway (hexadecimal, the machine's byte order), … */
function readRouteTable(evidence: Evidence): NodeFacts['defaultGateways'] {
  return routeLines(evidence, '/proc/net/route').flatMap(([device = '', destination, gateway = '']) => {
    const bytes = gateway.match(/../g) ?? []
    // All machines k3OS runs on are little endian.
    const via = bytes
      .map((byte) => Number.parseInt(byte, 16))
      .toReversed()
      .join('.')
    return destination === '00000000' && via !== '0.0.0.0' && bytes.length === 4 ? [{ via, device }] : []
  })
}

/** `/proc/net/ipv6_route`: destination, prefix length, source, its length, next hop, …, interface. */
function readRouteTable6(evidence: Evidence): NodeFacts['defaultGateways'] {
  const none = '0'.repeat(32)
  return routeLines(evidence, '/proc/net/ipv6_route').flatMap(
    ([destination, length, , , hop = '', ...rest]) => {
      const device = rest.at(-1) ?? ''
      const isDefault = destination === none && length === '00' && hop !== none && hop.length === 32
      return isDefault ? [{ via: shortIpv6(hop), device }] : []
    },
  )
}

function routeLines(evidence: Evidence, path: string): string[][] {
  const text = evidence.text(path)
  // A kernel without IPv6 has no such table.
  return (text ?? '').split('\n').map((line) => line.trim().split(/\s+/))
}

/** RFC 5952: no leading zeros, the longest run of zero groups (two or more) as `::`. */
function shortIpv6(hex: string): string {
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16)).join(':')
  const [longest] = (groups.match(/(?<![^:])0(:0)+(?![^:])/g) ?? []).toSorted((a, b) => b.length - a.length)
  if (longest === undefined) return groups
  // Colons around everything make every run look alike; single ones at the ends go again.
  return `:${groups}:`.replace(`:${longest}:`, '::').replaceAll(/^:(?!:)|(?<!:):$/g, '')
}

export function readNameservers(evidence: Evidence): string[] {
  const text = evidence.text('/etc/resolv.conf')
  return [...(text ?? '').matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server = '']) => server)
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

import type { Finding } from '../findings.ts'
import type { NodeFacts } from '../inventory.ts'
import { entriesOf, type ConfigPath } from '../path.ts'
import { translateFinding } from '../rules/translate.ts'
import { readConnmanFile, type ConnmanSection } from './connman.ts'
import type { Addressing, HostCommand, NetworkModel, NetworkPort, WifiModel } from './model.ts'
import { setsAddresses } from './commands.ts'

export interface NetworkSource {
  readonly node: string
  /** Service files of connman in the order k3OS has them; `from` is empty for those found on the node only. */
  readonly files: readonly {
    readonly path: string
    readonly text: string
    readonly from: readonly ConfigPath[]
  }[]
  readonly wifi: readonly { readonly name: string; readonly passphrase: string; readonly from: ConfigPath }[]
  readonly commands: readonly HostCommand[]
  /** Null or empty: not known. */
  readonly interfaces: NodeFacts['interfaces'] | null
}

type Interface = NodeFacts['interfaces'][number]
type Section = ConnmanSection & { readonly from: readonly ConfigPath[] }

/** connman without a service file: DHCP and router advertisements (rancher/k3os overlay/etc/connman). */
const connmanDefault: Addressing = {
  dhcp4: true,
  ipv6: 'auto',
  ipv6Privacy: false,
  addresses: [],
  gateways: [],
  nameservers: [],
  searchDomains: [],
}

/** The network as connman would bring it up: sections by MAC or name, DHCP on every other wired port. */
export function networkModel(source: NetworkSource): {
  readonly network: NetworkModel
  readonly timeservers: readonly { readonly value: string; readonly from: readonly ConfigPath[] }[]
  readonly findings: readonly Finding[]
} {
  const findings: Finding[] = []
  const sections: Section[] = []
  for (const { path, text, from } of source.files) {
    const read = readConnmanFile(path, text)
    if (read.length === 0)
      findings.push(
        netFinding(
          source,
          'TRN-NET-CONNMAN-UNREAD',
          { file: path, what: 'it has no [service_…] section' },
          from,
          path,
        ),
      )
    if (from.length === 0)
      findings.push(
        translateFinding('TRN-NET-SAVED-FILE', { file: path }, { node: source.node, discriminator: path }),
      )
    for (const section of read) {
      sections.push({ ...section, from })
      for (const what of section.problems)
        findings.push(
          netFinding(source, 'TRN-NET-CONNMAN-UNREAD', { file: path, what }, from, `${path} ${what}`),
        )
    }
  }
  const wired = (source.interfaces ?? []).filter((port) => port.driver !== null && !port.wireless)
  const ports = wiredPorts(
    source,
    sections.filter((section) => section.type === 'ethernet'),
    wired,
    findings,
  )
  reportLiveState(source, ports, wired, findings)
  const wifi = wifiModel(
    source,
    sections.filter((section) => section.type === 'wifi'),
    findings,
  )
  const timeservers = sections.flatMap((section) =>
    section.timeservers.map((value) => ({ value, from: section.from })),
  )
  return { network: { ports, wifi }, timeservers, findings }
}

function wiredPorts(
  source: NetworkSource,
  sections: readonly Section[],
  wired: readonly Interface[],
  findings: Finding[],
): NetworkPort[] {
  const bound = new Map<string, NetworkPort>()
  const boundBy = new Map<string, Section>()
  const named = sections.filter((section) => section.mac !== null || section.deviceName !== null)
  const general = sections.filter((section) => section.mac === null && section.deviceName === null)
  const up = wired.filter((port) => port.state !== 'DOWN')

  const bind = (section: Section, port: Pick<NetworkPort, 'mac' | 'name' | 'optional'>): void => {
    const key = port.mac ?? port.name ?? '*'
    const loser = boundBy.get(key)
    if (loser !== undefined) {
      const facts = { section: loser.section, file: loser.file, port: port.name ?? port.mac ?? 'every port' }
      findings.push(
        netFinding(
          source,
          'TRN-NET-LATER-SECTION',
          facts,
          loser.from,
          `${loser.file} ${loser.section} ${key}`,
        ),
      )
    }
    boundBy.set(key, section)
    bound.set(key, { ...addressing(section), ...port, from: section.from })
  }

  for (const section of named) {
    const real = wired.find(
      (port) =>
        port.mac.toLowerCase() === section.mac || (section.mac === null && port.name === section.deviceName),
    )
    const label = section.mac ?? section.deviceName ?? ''
    if (real === undefined && wired.length > 0)
      findings.push(netFinding(source, 'TRN-NET-MISSING-PORT', { port: label }, section.from, label))
    else if (real === undefined && section.mac === null)
      findings.push(netFinding(source, 'TRN-NET-NAME-ONLY', { name: label }, section.from, label))
    bind(section, {
      mac: real?.mac.toLowerCase() ?? section.mac,
      name: real?.name ?? section.deviceName,
      optional: real === undefined ? wired.length > 0 : real.state === 'DOWN',
    })
  }

  const free = up.filter((port) => !bound.has(port.mac.toLowerCase()))
  for (const section of general) {
    const only = free.length === 1 ? free[0] : undefined
    const facts = { section: section.section, file: section.file, port: only?.name ?? null }
    findings.push(
      translateFinding('TRN-NET-ANY-PORT', facts, {
        node: source.node,
        path: entriesOf(section.from)[0],
        discriminator: `${section.file} ${section.section}`,
        ...(only === undefined ? {} : { severity: 'low' as const }),
      }),
    )
    if (wired.length === 0) bind(section, { mac: null, name: null, optional: false })
    for (const port of only === undefined ? free : [only]) bind(section, known(port))
  }

  for (const port of wired) {
    if (!bound.has(port.mac.toLowerCase()))
      bound.set(port.mac.toLowerCase(), { ...connmanDefault, ...known(port), from: [] })
  }
  if (wired.length === 0) {
    findings.push(translateFinding('TRN-NET-PORTS-UNKNOWN', undefined, { node: source.node }))
    const hasWifi = source.wifi.length > 0 || source.files.some((file) => file.text.includes('Type=wifi'))
    if (!bound.has('*'))
      bound.set('*', {
        ...connmanDefault,
        mac: null,
        name: null,
        optional: bound.size > 0 || hasWifi,
        from: [],
      })
  }
  return [...bound.values()]
}

function known(port: Interface): Pick<NetworkPort, 'mac' | 'name' | 'optional'> {
  return { mac: port.mac.toLowerCase(), name: port.name, optional: port.state === 'DOWN' }
}

/** What the machine has now against what its configuration says. Only IPv4: IPv6 addresses come and go by themselves. */
function reportLiveState(
  source: NetworkSource,
  ports: readonly NetworkPort[],
  wired: readonly Interface[],
  findings: Finding[],
): void {
  for (const port of ports) {
    const real = wired.find((candidate) => candidate.mac.toLowerCase() === port.mac)
    if (real === undefined || real.state === 'DOWN') continue
    const live = real.addresses.filter((address) => !address.includes(':'))
    const configured = port.addresses.filter((address) => !address.includes(':'))
    const differs = configured.some((address) => !live.includes(address))
    if (differs)
      findings.push(
        netFinding(
          source,
          'TRN-NET-LIVE-DIFFERS',
          { port: real.name, configured: configured.join(', '), live: live.join(', ') || 'none' },
          port.from,
          real.name,
        ),
      )
    else if (port.dhcp4 && live.length > 1)
      findings.push(
        translateFinding(
          'TRN-NET-SEVERAL-ADDRESSES',
          { port: real.name, live: live.join(', ') },
          { node: source.node, discriminator: real.name },
        ),
      )
  }
  const live = wired
    .filter((port) => port.addresses.length > 0)
    .map((port) => `${port.name} ${port.addresses.join(' ')}`)
    .join(', ')
  for (const command of source.commands) {
    if (setsAddresses(command.command))
      findings.push(
        translateFinding(
          'TRN-NET-BY-COMMAND',
          { list: `${command.when}_cmd`, live: live === '' ? null : live },
          { node: source.node, path: command.from[0] },
        ),
      )
  }
}

function wifiModel(
  source: NetworkSource,
  sections: readonly Section[],
  findings: Finding[],
): WifiModel | null {
  const networks: WifiModel['networks'][number][] = []
  for (const { name, passphrase, from } of source.wifi) {
    if (name === '')
      findings.push(translateFinding('TRN-WIFI-DROPPED', undefined, { node: source.node, path: from }))
    else networks.push({ ssid: name, passphrase, hidden: false, from: [from] })
  }
  const usable = sections.filter((section) => {
    if (section.eap)
      findings.push(
        netFinding(
          source,
          'TRN-WIFI-EAP',
          { ssid: section.ssid ?? section.section },
          section.from,
          section.section,
        ),
      )
    return !section.eap && section.ssid !== null
  })
  for (const { ssid, passphrase, hidden, from } of usable)
    if (ssid !== null) networks.push({ ssid, passphrase, hidden, from })
  const joinable = networks.filter(({ ssid, passphrase, from }) => {
    const fits = isPassphrase(passphrase)
    if (!fits) findings.push(netFinding(source, 'TRN-WIFI-PASSPHRASE', { ssid }, from, ssid))
    return fits
  })
  if (joinable.length === 0) return null
  const real = (source.interfaces ?? []).find((port) => port.wireless)
  const fixed = usable.at(-1)
  return {
    ...(fixed === undefined ? connmanDefault : addressing(fixed)),
    mac: real?.mac.toLowerCase() ?? null,
    name: real?.name ?? null,
    networks: joinable,
  }
}

/**
 * What connman takes for WPA (connman src/service.c): 8 to 63 bytes, or the key as 64 hex digits; '' is an open network. One
 * that is neither makes netplan and wpa_supplicant refuse everything else in their file as well.
 */
function isPassphrase(passphrase: string): boolean {
  const { length } = new TextEncoder().encode(passphrase)
  return length === 0 || (length >= 8 && length <= 63) || /^[0-9A-Fa-f]{64}$/.test(passphrase)
}

function addressing(section: ConnmanSection): Addressing {
  const { dhcp4, ipv6, ipv6Privacy, addresses, gateways, nameservers, searchDomains } = section
  return { dhcp4, ipv6, ipv6Privacy, addresses, gateways, nameservers, searchDomains }
}

function netFinding<Id extends Parameters<typeof translateFinding>[0]>(
  source: NetworkSource,
  id: Id,
  facts: Parameters<typeof translateFinding<Id>>[1],
  from: readonly ConfigPath[],
  discriminator: string,
): Finding {
  return translateFinding(id, facts, { node: source.node, path: entriesOf(from)[0], discriminator })
}

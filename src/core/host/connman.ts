import type { Addressing } from './model.ts'

/** One `[service_…]` section of a connman `*.config` file. */
export interface ConnmanSection extends Addressing {
  readonly section: string
  readonly file: string
  readonly type: 'ethernet' | 'wifi'
  readonly mac: string | null
  readonly deviceName: string | null
  readonly timeservers: readonly string[]
  /** Wifi only. */
  readonly ssid: string | null
  readonly passphrase: string
  readonly hidden: boolean
  readonly eap: boolean
  /** What was not understood, one line each, without secrets. */
  readonly problems: readonly string[]
}

/**
 * Sections of a service file, by connman-service.config(5). A section without `Type` is one for ethernet when nothing
 * speaks of wifi. Key files of GLib: `#` starts a comment line, later keys win, blanks around `=` do not count.
 */
export function readConnmanFile(file: string, text: string): ConnmanSection[] {
  const groups: { name: string; keys: Map<string, string> }[] = []
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const header = /^\[(.+)\]$/.exec(line)
    if (header !== null) groups.push({ name: header[1] ?? '', keys: new Map() })
    const entry = /^([^=]+?)\s*=\s*(.*)$/.exec(line)
    if (header === null && entry !== null) groups.at(-1)?.keys.set(entry[1] ?? '', entry[2] ?? '')
  }
  return groups
    .filter((group) => group.name.startsWith('service_'))
    .map((group) => readSection(file, group.name, group.keys))
}

const known = new Set([
  'Type',
  'IPv4',
  'IPv6',
  'IPv6.Privacy',
  'MAC',
  'DeviceName',
  'Nameservers',
  'SearchDomains',
  'Timeservers',
  'Domain',
  'Name',
  'SSID',
  'Passphrase',
  'Security',
  'Hidden',
])

function readSection(file: string, section: string, keys: ReadonlyMap<string, string>): ConnmanSection {
  const problems: string[] = []
  const eap = keys.has('EAP')
  const list = (key: string): string[] => (keys.get(key) ?? '').split(/[,;\s]+/).filter((item) => item !== '')
  for (const key of keys.keys()) {
    if (!known.has(key) && !eap) problems.push(`[${section}] has the key ${key}, which is not translated`)
  }
  const v4 = keys.get('IPv4') ?? 'dhcp'
  const v6 = keys.get('IPv6') ?? 'auto'
  const static4 = v4 === 'dhcp' || v4 === 'off' ? null : readAddress4(v4)
  const static6 = v6 === 'auto' || v6 === 'off' ? null : readAddress6(v6)
  if (v4 !== 'dhcp' && v4 !== 'off' && static4 === null)
    problems.push(`[${section}] has IPv4=${v4}, which is no ADDRESS/MASK/GATEWAY: DHCP is used`)
  if (v6 !== 'auto' && v6 !== 'off' && static6 === null)
    problems.push(
      `[${section}] has IPv6=${v6}, which is no ADDRESS/LENGTH/GATEWAY: router advertisements are used`,
    )
  const fixed = [static4, static6].filter((address) => address !== null)
  const domain = keys.get('Domain')
  return {
    section,
    file,
    type: keys.get('Type') === 'wifi' ? 'wifi' : 'ethernet',
    mac: keys.get('MAC')?.toLowerCase() ?? null,
    deviceName: keys.get('DeviceName') ?? null,
    dhcp4: v4 === 'dhcp' || (v4 !== 'off' && static4 === null),
    ipv6: v6 === 'off' ? 'off' : static6 === null ? 'auto' : 'static',
    ipv6Privacy: ['enabled', 'prefered', 'preferred'].includes(keys.get('IPv6.Privacy') ?? ''),
    addresses: fixed.map((address) => address.cidr),
    gateways: fixed.flatMap((address) => (address.gateway === null ? [] : [address.gateway])),
    nameservers: list('Nameservers'),
    searchDomains: [...new Set([...(domain === undefined ? [] : [domain]), ...list('SearchDomains')])],
    timeservers: list('Timeservers'),
    ssid: keys.get('Name') ?? fromHex(keys.get('SSID')),
    passphrase: keys.get('Passphrase') ?? '',
    hidden: keys.get('Hidden') === 'true',
    eap,
    problems,
  }
}

/** `192.168.1.10/255.255.255.0/192.168.1.1`, the mask also as a length, the gateway optional. */
function readAddress4(text: string): { cidr: string; gateway: string | null } | null {
  const [address = '', mask = '', gateway] = text.split('/')
  const length = /^\d{1,2}$/.test(mask) ? Number(mask) : maskLength(mask)
  if (!isAddress4(address) || length === null || length > 32) return null
  if (gateway !== undefined && gateway !== '' && !isAddress4(gateway)) return null
  return { cidr: `${address}/${length}`, gateway: gateway === undefined || gateway === '' ? null : gateway }
}

function readAddress6(text: string): { cidr: string; gateway: string | null } | null {
  const [address = '', length = '', gateway] = text.split('/')
  if (!/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(address) || !/^\d{1,3}$/.test(length) || Number(length) > 128)
    return null
  return { cidr: `${address}/${length}`, gateway: gateway === undefined || gateway === '' ? null : gateway }
}

function isAddress4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
}

/** `255.255.255.0` → 24; null for a mask with holes. */
function maskLength(mask: string): number | null {
  if (!isAddress4(mask)) return null
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? (bits.indexOf('0') === -1 ? 32 : bits.indexOf('0')) : null
}

function fromHex(text: string | undefined): string | null {
  if (text === undefined || !/^(?:[0-9A-Fa-f]{2})+$/.test(text)) return null
  const bytes = new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
  return new TextDecoder().decode(bytes)
}

import { describe, expect, it } from 'vitest'
import type { NetworkModel, NetworkPort } from '../../../src/core/host/model.ts'
import { interfacesFile, wpaSupplicantFile } from '../../../translators/linux/ifupdown.ts'
import { networkdFiles } from '../../../translators/linux/networkd.ts'
import { keyfiles } from '../../../translators/linux/network-manager.ts'
import type { RootFile } from '../../../translators/linux/root-file.ts'

const port: NetworkPort = {
  dhcp4: true,
  ipv6: 'auto',
  ipv6Privacy: false,
  addresses: [],
  gateways: [],
  nameservers: [],
  searchDomains: [],
  mac: '52:54:00:aa:bb:01',
  name: 'eth0',
  optional: false,
  from: [],
}

const text = (file: RootFile | undefined): string => new TextDecoder().decode(file?.content)
const networks = (...ports: readonly Partial<NetworkPort>[]): NetworkModel => ({
  ports: ports.map((changes) => ({ ...port, ...changes })),
  wifi: null,
})
const wifi = (ssid: string, passphrase = 'secret-47', hidden = false): NetworkModel => ({
  ports: [],
  wifi: { ...port, networks: [{ ssid, passphrase, hidden, from: [] }] },
})

describe('a keyfile of NetworkManager', () => {
  const keyfile = (network: NetworkModel, ...servers: readonly string[]) =>
    text(
      keyfiles(
        network,
        servers.map((value) => ({ value, from: [] })),
      )[0],
    )

  it('asks DHCP for the MAC', () => {
    expect(keyfile(networks({}))).toContain('[ipv4]\ndhcp-client-id=mac\nmethod=auto\n')
  })

  it('puts the gateway to the first address, and each family into its own section', () => {
    const fixed = {
      dhcp4: false,
      ipv6: 'static',
      addresses: ['10.0.0.5/24', 'fd00::5/64', '10.0.0.6/24'],
    } as const
    const said = keyfile(networks({ ...fixed, gateways: ['fd00::1', '10.0.0.1'] }))
    expect(said).toContain('[ipv4]\naddress1=10.0.0.5/24,10.0.0.1\naddress2=10.0.0.6/24\nmethod=manual\n')
    expect(said).toContain('[ipv6]\naddress1=fd00::5/64,fd00::1\nmethod=manual\n')
  })

  it('switches off what connman has off', () => {
    const said = keyfile(networks({ dhcp4: false, ipv6: 'off' }))
    expect(said.match(/method=disabled/g)).toHaveLength(2)
  })

  it('takes fallback servers where the port has none, by family', () => {
    const fixed = { dhcp4: false, addresses: ['10.0.0.5/24'] } as const
    const said = keyfile(networks(fixed), '8.8.8.8', '2001:4860:4860::8888')
    expect(said).toContain('dns=8.8.8.8;\n')
    expect(said).toContain('dns=2001:4860:4860::8888;\n')
    expect(keyfile(networks({ ...fixed, nameservers: ['9.9.9.9'] }), '8.8.8.8')).not.toContain('8.8.8.8')
  })

  it.each([
    ['Shop Guest', 'ssid=Shop Guest\n'],
    ['1;2;3', 'ssid=49;59;50;59;51;\n'],
    [' x', 'ssid=32;120;\n'],
    ['Käse', 'ssid=75;195;164;115;101;\n'],
  ])('writes the network %j so that it is read as such', (ssid, expected) => {
    expect(keyfile(wifi(ssid))).toContain(expected)
  })

  it('escapes a password as GLib reads it', () => {
    expect(keyfile(wifi('x', String.raw` a\b `))).toContain(String.raw`psk=\sa\\b\s`)
  })
})

describe('a .network file', () => {
  it('matches by MAC, by name, or ports with a usual name', () => {
    const said = networkdFiles(networks({}, { mac: null, name: 'eth1' }, { mac: null, name: null })).map(text)
    expect(said.filter((file) => file.startsWith('[Match]\nPermanentMACAddress=')).length).toBe(2)
    expect(said.some((file) => file.startsWith('[Match]\nName=eth1\n'))).toBe(true)
    expect(said.some((file) => file.startsWith('[Match]\nName=en* eth*\n'))).toBe(true)
  })

  it('lets nothing wait for a port without a cable', () => {
    const [, , file] = networkdFiles(networks({ optional: true }))
    expect(text(file)).toContain('RequiredForOnline=no')
  })
})

describe('interfaces', () => {
  const interfaces = (network: NetworkModel) =>
    text(interfacesFile(network, { nameservers: true, wifiLines: [] }))

  it('names name servers for who makes resolv.conf of them', () => {
    expect(interfaces(networks({ nameservers: ['9.9.9.9', '1.1.1.1'], searchDomains: ['a.b'] }))).toContain(
      'iface eth0 inet dhcp\n\tdns-nameservers 9.9.9.9 1.1.1.1\n\tdns-search a.b\n',
    )
  })

  it('gives no two ports one name', () => {
    const said = interfaces(networks({ mac: null }, { mac: null, name: null }, { mac: null, name: 'eth2' }))
    expect(said.match(/^auto .*$/gm)).toEqual(['auto lo', 'auto eth0', 'auto eth1', 'auto eth2'])
  })

  it('gives a port a name when only its MAC is known', () => {
    expect(interfaces(networks({ name: null }))).toContain('auto port0\n')
  })

  it('switches IPv6 off, and prefers private addresses', () => {
    expect(interfaces(networks({ ipv6: 'off' }))).toContain(
      '\tpre-up echo 1 > /proc/sys/net/ipv6/conf/$IFACE/disable_ipv6\n',
    )
    expect(interfaces(networks({ ipv6Privacy: true }))).toContain('inet6 auto\n\tpre-up echo 2 > ')
  })
})

describe('a network of wpa_supplicant', () => {
  it.each([
    ['plain', 'secret-47', '\tssid="plain"\n\tpsk="secret-47"\n'],
    ['say "x"', 'a"b', `\tssid=73617920227822\n\tpsk="a"b"\n`],
    ['open', '', '\tssid="open"\n\tkey_mgmt=NONE\n'],
    ['key', 'a'.repeat(64), `\tpsk=${'a'.repeat(64)}\n`],
  ])('%j', (ssid, passphrase, expected) => {
    expect(text(wpaSupplicantFile(wifi(ssid, passphrase), '/w')[0])).toContain(expected)
  })

  it('looks for a hidden one', () => {
    expect(text(wpaSupplicantFile(wifi('x', 'secret-47', true), '/w')[0])).toContain('scan_ssid=1')
  })
})

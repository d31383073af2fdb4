import { describe, expect, it } from 'vitest'
import { networkModel, type NetworkSource } from '../../../../src/core/host/network.ts'

type Interface = NonNullable<NetworkSource['interfaces']>[number]

function port(name: string, mac: string, changes: Partial<Interface> = {}): Interface {
  return { name, mac, state: 'UP', addresses: [], driver: 'e1000', wireless: false, ...changes }
}

function model(changes: Partial<NetworkSource> & { readonly connman?: string } = {}) {
  const { connman, ...rest } = changes
  const files =
    connman === undefined
      ? []
      : [{ path: '/var/lib/connman/default.config', text: connman, from: ['writeFiles[0].content'] }]
  const { network, findings, timeservers } = networkModel({
    node: 'n1',
    files,
    wifi: [],
    commands: [],
    interfaces: null,
    ...rest,
  })
  const said = findings.map((found) => found.rule)
  return { ...network, said, findings, timeservers }
}

const eth0 = port('eth0', '52:54:00:AA:BB:01')
const eth1 = port('eth1', '52:54:00:aa:bb:02')

describe('without a connman file', () => {
  it('does DHCP on every wired port of the machine, and waits for none without a cable', () => {
    const cni0 = port('cni0', '0a:00:00:00:00:01', { driver: null })
    const wlan0 = port('wlan0', '52:54:00:aa:bb:09', { wireless: true })
    const { ports, said } = model({ interfaces: [eth0, { ...eth1, state: 'DOWN' }, cni0, wlan0] })
    expect(ports).toMatchObject([
      { name: 'eth0', mac: '52:54:00:aa:bb:01', dhcp4: true, ipv6: 'auto', optional: false },
      { name: 'eth1', mac: '52:54:00:aa:bb:02', dhcp4: true, optional: true },
    ])
    expect(ports).toHaveLength(2)
    expect(said).toEqual([])
  })

  it('does it on any port when the machine is not known, and says so', () => {
    const { ports, said } = model()
    expect(ports).toMatchObject([{ name: null, mac: null, dhcp4: true, optional: false }])
    expect(said).toEqual(['TRN-NET-PORTS-UNKNOWN'])
  })

  it('reports more addresses than DHCP gives', () => {
    const { said } = model({
      interfaces: [{ ...eth0, addresses: ['10.0.0.5/24', '10.0.0.99/32', 'fe80::1/64'] }],
    })
    expect(said).toEqual(['TRN-NET-SEVERAL-ADDRESSES'])
  })
})

describe('with sections of connman', () => {
  const section = (keys: string, name = 'eth') => `[service_${name}]\nType=ethernet\n${keys}\n`

  it('matches by MAC whatever its case, and keeps the name k3OS gave the port', () => {
    const { ports, said } = model({
      interfaces: [{ ...eth0, addresses: ['10.0.0.5/24'] }, eth1],
      connman: section('MAC=52:54:00:aa:bb:01\nIPv4=10.0.0.5/24/10.0.0.1'),
    })
    expect(ports).toMatchObject([
      {
        name: 'eth0',
        mac: '52:54:00:aa:bb:01',
        addresses: ['10.0.0.5/24'],
        gateways: ['10.0.0.1'],
        dhcp4: false,
      },
      { name: 'eth1', dhcp4: true },
    ])
    expect(said).toEqual([])
  })

  it('finds the MAC of a device named by the section', () => {
    const { ports, said } = model({ interfaces: [eth0, eth1], connman: section('DeviceName=eth1\nIPv4=off') })
    expect(ports[0]).toMatchObject({ name: 'eth1', mac: '52:54:00:aa:bb:02', dhcp4: false })
    expect(said).toEqual([])
  })

  it('matches by name, with a warning, when the machine is not known', () => {
    const { ports, said } = model({ connman: section('DeviceName=eth0\nIPv4=10.0.0.5/24') })
    expect(ports).toMatchObject([
      { name: 'eth0', mac: null, optional: false },
      { name: null, mac: null, dhcp4: true, optional: true },
    ])
    expect(said).toEqual(['TRN-NET-NAME-ONLY', 'TRN-NET-PORTS-UNKNOWN'])
  })

  it('gives a section without MAC and name to the only port that is up', () => {
    const { ports, findings } = model({
      interfaces: [
        { ...eth0, addresses: ['10.0.0.5/24'] },
        { ...eth1, state: 'DOWN' },
      ],
      connman: section('IPv4=10.0.0.5/24'),
    })
    expect(ports).toMatchObject([
      { name: 'eth0', addresses: ['10.0.0.5/24'] },
      { name: 'eth1', dhcp4: true },
    ])
    expect(findings).toMatchObject([{ rule: 'TRN-NET-ANY-PORT', severity: 'low' }])
  })

  it('gives it to every port that is up when there are more, as connman does', () => {
    const up = { addresses: ['10.0.0.5/24'] }
    const { ports, findings } = model({
      interfaces: [
        { ...eth0, ...up },
        { ...eth1, ...up },
      ],
      connman: section('IPv4=10.0.0.5/24'),
    })
    expect(ports.map((one) => one.addresses)).toEqual([['10.0.0.5/24'], ['10.0.0.5/24']])
    expect(findings).toMatchObject([{ rule: 'TRN-NET-ANY-PORT', severity: 'medium' }])
  })

  it('takes the last of two sections for one port and names the other', () => {
    const { ports, findings } = model({
      interfaces: [{ ...eth0, addresses: ['10.0.0.6/24'] }],
      connman:
        section('MAC=52:54:00:aa:bb:01\nIPv4=10.0.0.5/24', 'first') +
        section('MAC=52:54:00:aa:bb:01\nIPv4=10.0.0.6/24', 'second'),
    })
    expect(ports).toMatchObject([{ addresses: ['10.0.0.6/24'] }])
    expect(findings.map((found) => found.summary)).toEqual([
      '[service_first] of /var/lib/connman/default.config is not carried: a later section is for eth0 too',
    ])
  })

  it('reports a port that the machine does not have', () => {
    const { said } = model({ interfaces: [eth0], connman: section('MAC=52:54:00:ff:ff:ff') })
    expect(said).toEqual(['TRN-NET-MISSING-PORT'])
  })

  it('reports an address the node does not have', () => {
    const { findings } = model({
      interfaces: [{ ...eth0, addresses: ['10.0.0.7/24'] }],
      connman: section('MAC=52:54:00:aa:bb:01\nIPv4=10.0.0.5/24'),
    })
    expect(findings.map((found) => found.summary)).toEqual([
      'eth0 is configured with 10.0.0.5/24 but has 10.0.0.7/24: the configured one is carried',
    ])
  })

  it('says that a file was found on the node only', () => {
    const file = { path: '/var/lib/connman/hand.config', text: section('IPv4=off'), from: [] }
    expect(model({ interfaces: [eth0], files: [file] }).said).toEqual([
      'TRN-NET-SAVED-FILE',
      'TRN-NET-ANY-PORT',
    ])
  })

  it('keeps time servers of a section', () => {
    expect(model({ connman: section('Timeservers=ntp.lan') }).timeservers).toEqual([
      { value: 'ntp.lan', from: ['writeFiles[0].content'] },
    ])
  })
})

describe('wifi', () => {
  it('joins the networks of the configuration and of connman files on the wireless port', () => {
    const { wifi } = model({
      interfaces: [port('wlan0', '52:54:00:AA:BB:09', { wireless: true })],
      wifi: [{ name: 'shop', passphrase: 'secret12', from: 'k3os.wifi[0]' }],
      connman: '[service_w]\nType=wifi\nName=office\nPassphrase=secret34\nIPv4=10.0.0.5/24\n',
    })
    expect(wifi).toMatchObject({
      mac: '52:54:00:aa:bb:09',
      name: 'wlan0',
      addresses: ['10.0.0.5/24'],
      networks: [{ ssid: 'shop' }, { ssid: 'office' }],
    })
  })

  it('reports an entry without a name and a network with a login', () => {
    const { wifi, said } = model({
      interfaces: [eth0],
      wifi: [{ name: '', passphrase: 'x', from: 'k3os.wifi[0]' }],
      connman: '[service_w]\nType=wifi\nName=campus\nEAP=peap\nIdentity=me\n',
    })
    expect(wifi).toBeNull()
    expect(said).toEqual(['TRN-WIFI-DROPPED', 'TRN-WIFI-EAP'])
  })

  it.each([
    ['secret7', false],
    ['größen', true],
    ['x'.repeat(63), true],
    ['x'.repeat(64), false],
    ['0f'.repeat(32), true],
    ['', true],
  ])('knows whether %s is a passphrase, which would spoil the file of all networks', (passphrase, fits) => {
    const { wifi, said } = model({
      interfaces: [eth0],
      wifi: [{ name: 'shop', passphrase, from: 'k3os.wifi[0]' }],
      connman: '[service_w]\nType=wifi\nName=office\nPassphrase=secret34\n',
    })
    expect(wifi?.networks.map(({ ssid }) => ssid)).toEqual(fits ? ['shop', 'office'] : ['office'])
    expect(said).toEqual(fits ? [] : ['TRN-WIFI-PASSPHRASE'])
  })
})

it('reports commands that set addresses, with what the node has now', () => {
  const command =
    'connmanctl config ethernet_525400aabb01_cable --ipv4 manual 10.0.0.5 255.255.255.0 10.0.0.1'
  const { findings } = model({
    interfaces: [{ ...eth0, addresses: ['10.0.0.5/24'] }],
    commands: [{ when: 'run', command, alpineTools: ['connmanctl'], from: ['runCmd[0]'] }],
  })
  expect(findings).toMatchObject([{ rule: 'TRN-NET-BY-COMMAND', location: { path: 'runCmd[0]' } }])
  expect(findings[0]?.diagnosis).toContain('eth0 10.0.0.5/24')
})

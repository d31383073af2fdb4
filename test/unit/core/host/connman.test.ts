import { describe, expect, it } from 'vitest'
import { readConnmanFile } from '../../../../src/core/host/connman.ts'

const read = (lines: string) => readConnmanFile('/var/lib/connman/default.config', lines)

describe('readConnmanFile', () => {
  it('reads a static address with mask and gateway', () => {
    const [section] = read(
      '[global]\nName=x\n[service_eth0]\nType = ethernet\nMAC = 52:54:00:AA:BB:01\nIPv4 = 192.168.1.10/255.255.255.0/192.168.1.1\nNameservers = 192.168.1.1,9.9.9.9\nDomain=lan\nSearchDomains=lan,shop.example\n',
    )
    expect(section).toMatchObject({
      mac: '52:54:00:aa:bb:01',
      dhcp4: false,
      ipv6: 'auto',
      addresses: ['192.168.1.10/24'],
      gateways: ['192.168.1.1'],
      nameservers: ['192.168.1.1', '9.9.9.9'],
      searchDomains: ['lan', 'shop.example'],
      problems: [],
    })
  })

  it.each([
    ['IPv4=10.0.0.5/8', { addresses: ['10.0.0.5/8'], gateways: [], dhcp4: false }],
    ['IPv4=off', { addresses: [], dhcp4: false }],
    ['IPv4=dhcp', { addresses: [], dhcp4: true }],
    ['IPv6=off', { ipv6: 'off', dhcp4: true }],
    [
      'IPv6=2001:db8::5/64/2001:db8::1',
      { ipv6: 'static', addresses: ['2001:db8::5/64'], gateways: ['2001:db8::1'] },
    ],
    ['IPv4=10.0.0.5/255.255.255.255/10.0.0.1', { addresses: ['10.0.0.5/32'] }],
  ])('reads %s', (line, expected) => {
    expect(read(`[service_a]\n${line}\n`)[0]).toMatchObject(expected)
  })

  it.each(['10.0.0.5', '10.0.0.5/255.0.255.0', '10.0.0.500/24', '10.0.0.5/33', '10.0.0.5/24/gateway'])(
    'uses DHCP and says so for IPv4=%s',
    (address) => {
      const [section] = read(`[service_a]\nIPv4=${address}\n`)
      expect(section?.dhcp4).toBe(true)
      expect(section?.problems).toHaveLength(1)
    },
  )

  it('reads a hidden wifi network whose name is in hex', () => {
    const [section] = read('[service_w]\nType=wifi\nSSID=636166c3a9\nPassphrase=secret12\nHidden=true\n')
    expect(section).toMatchObject({ type: 'wifi', ssid: 'café', passphrase: 'secret12', hidden: true })
  })

  it('names a key it does not know', () => {
    expect(read('[service_a]\nFrob=1\n')[0]?.problems).toEqual([
      '[service_a] has the key Frob, which is not translated',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { alpineToolsIn, setsAddresses } from '../../../../src/core/host/commands.ts'

describe('alpineToolsIn', () => {
  it.each([
    ['rc-service sshd restart', ['rc-service']],
    ['sudo /sbin/rc-update add iscsid', ['rc-update']],
    ['/etc/init.d/ntpd restart', ['/etc/init.d']],
    ['sleep 5 && connmanctl services', ['connmanctl']],
    ['if connmanctl state; then mdev -s; fi', ['connmanctl', 'mdev']],
    ['x=$(connmanctl services | head -1); echo "$x"', ['connmanctl']],
    ["sh -c 'rc-service x start'", ['rc-service']],
    ['A=1 nohup k3os config &', ['k3os']],
    ['mkdir -p /mnt/data\nmount /dev/sdb1 /mnt/data\nrc-service nfs start', ['rc-service']],
  ])('finds the programs of %j', (command, expected) => {
    expect(alpineToolsIn(command)).toEqual(expected)
  })

  it.each([
    'echo k3os',
    'mount -t nfs nas:/k3os /mnt',
    'logger "rc-service is gone"',
    'k3s kubectl get nodes',
    'cat /etc/init.d/sshd',
    'systemctl restart sshd',
  ])('finds none in %j', (command) => {
    expect(alpineToolsIn(command)).toEqual([])
  })
})

describe('setsAddresses', () => {
  it.each([
    'connmanctl config ethernet_525400aabb01_cable --ipv4 manual 10.0.0.5 255.255.255.0 10.0.0.1',
    'ip addr add 10.0.0.5/24 dev eth0',
    'ip -4 a replace 10.0.0.5/24 dev eth0',
    'ip route add default via 10.0.0.1',
    'ifconfig eth0 10.0.0.5',
  ])('%s', (command) => {
    expect(setsAddresses(command)).toBe(true)
  })

  it.each(['ip addr show', 'ip route add 10.1.0.0/16 via 10.0.0.2', 'ifconfig eth0'])(
    'not: %s',
    (command) => {
      expect(setsAddresses(command)).toBe(false)
    },
  )
})

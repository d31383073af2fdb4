import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { NodeFacts } from '../../../../src/core/inventory.ts'
import type { Requirements } from '../../../../src/core/translation.ts'
import { cluster, disk, easyTarget, inventory, kubeNode, look, machine, nodeFacts, of } from './builders.ts'

function fit(
  facts: Partial<NodeFacts>,
  needs: Partial<Requirements> = {},
): { verdict: string; reasons: string[]; assessment: Assessment } {
  const assessment = look(inventory(cluster({ nodes: [kubeNode('a1')] }), [machine('a1', facts)]), {
    targets: [{ id: 'x', title: 'X', requires: { ...easyTarget, ...needs } }],
  })
  const row = assessment.fit[0]
  return { verdict: row?.verdict ?? '', reasons: row?.reasons.map(({ rule }) => rule) ?? [], assessment }
}

const port = (changes: Partial<NodeFacts['interfaces'][0]> = {}): NodeFacts['interfaces'][0] => ({
  name: 'eth0',
  mac: '52:54:00:00:00:01',
  state: 'UP',
  addresses: ['192.0.2.7/24'],
  driver: 'bnx2',
  wireless: false,
  ...changes,
})
const wifi = { interfaces: [port({ name: 'wlan0', driver: 'iwlwifi', wireless: true })] }
const needsNetwork = { lacksDrivers: [], cardFirmware: 'included', wifi: 'works' } as const
const raspberry = {
  machine: 'aarch64',
  firmware: 'unknown',
  boardModel: 'Raspberry Pi 4 Model B Rev 1.1',
} as const

const k3s = (version: string): Partial<NodeFacts> => ({ k3s: { ...nodeFacts('a1').k3s, version } })

test('an ordinary machine fits', () => {
  expect(fit({})).toMatchObject({ verdict: 'fits', reasons: [] })
})

test.each([
  ['architecture', { machine: 'armv7l' }, {}, 'FIT-MACHINE'],
  ['CPU level', { cpu: { ...nodeFacts('a1').cpu, x86Level: 1 } }, { x86Level: 2 }, 'FIT-X86-LEVEL'],
  ['firmware', { firmware: 'bios' }, { firmware: ['uefi'] }, 'FIT-FIRMWARE'],
  ['memory', { memoryMib: 900 }, { memoryMib: 2048 }, 'FIT-MEMORY'],
  ['disk', { disks: [disk('sda', 3000)] }, {}, 'FIT-DISK'],
  ['k3s that wants cgroup v2', k3s('v1.35.0+k3s1'), { cgroup: ['v1'] }, 'FIT-CGROUP-V2'],
  ['k3s that is too old', k3s('v1.19.5+k3s2'), { k3s: { oldest: '1.24', newest: null } }, 'FIT-K3S'],
  ['k3s that is too new', k3s('v1.24.1+k3s1'), { k3s: { oldest: null, newest: '1.23' } }, 'FIT-K3S'],
  [
    'network card',
    { interfaces: [port()] },
    { network: { ...needsNetwork, lacksDrivers: ['bnx2'] } },
    'FIT-NIC-DRIVER',
  ],
  ['Wi-Fi', wifi, { network: { ...needsNetwork, wifi: 'none' } }, 'FIT-WIFI'],
  ['board', raspberry, { boards: { boots: [], never: ['Raspberry Pi 4'] } }, 'FIT-BOARD'],
  ['a system without an image', {}, { image: 'none yet' }, 'FIT-NO-IMAGE'],
  ['old k3s without cgroup v1', k3s('v1.20.3+k3s1'), { cgroup: ['v2'] }, 'FIT-CGROUP-V1'],
] as const)('does not fit by %s', (_, facts, needs, rule) => {
  expect(fit(facts as Partial<NodeFacts>, needs as Partial<Requirements>)).toMatchObject({
    verdict: 'does not fit',
    reasons: expect.arrayContaining([rule]),
  })
})

test.each([
  ['old k3s on a system that can do cgroup v1', k3s('v1.19.5+k3s2'), {}, 'FIT-CGROUP-BOOT'],
  ['a new cluster', {}, { rejoins: false }, 'FIT-NEW-CLUSTER'],
  [
    'firmware of a network card',
    { interfaces: [port()] },
    { network: { ...needsNetwork, cardFirmware: 'separate' } },
    'FIT-NIC-FIRMWARE',
  ],
  [
    'a spare card without driver',
    {
      interfaces: [port({ addresses: [] }), port({ name: 'eth1', driver: 'e1000e' })],
      defaultGateways: [{ via: '192.0.2.1', device: 'eth1' }],
    },
    { network: { ...needsNetwork, lacksDrivers: ['bnx2'] } },
    'FIT-NIC-DRIVER',
  ],
  ['Wi-Fi that wants packages', wifi, { network: { ...needsNetwork, wifi: 'setup' } }, 'FIT-WIFI-SETUP'],
  ['a board of its own kind', raspberry, {}, 'FIT-BOARD-IMAGE'],
  ['another disk', { disks: [disk('sda', 3000), disk('sdb', 9000, null)] }, {}, 'FIT-OTHER-DISK'],
] as const)('fits with changes: %s', (_, facts, needs, rule) => {
  expect(fit(facts as Partial<NodeFacts>, needs)).toMatchObject({
    verdict: 'fits with changes',
    reasons: [rule],
  })
})

test.each([
  ['k3s v1.20.4 runs on either cgroup', k3s('v1.20.4+k3s1'), { cgroup: ['v2'] }],
  ['memory the firmware took is not missing', { memoryMib: 930 }, { memoryMib: 1024 }],
  ['levels of x86 say nothing about ARM', { machine: 'aarch64' }, { x86Level: 2 }],
  ['a board the target knows', raspberry, { boards: { boots: ['Raspberry Pi'], never: [] } }],
  ['Wi-Fi that works', wifi, { network: needsNetwork }],
  ['any k3s of a line that is carried', k3s('v1.24.17+k3s1'), { k3s: { oldest: '1.19', newest: '1.24' } }],
] as const)('fits: %s', (_, facts, needs) => {
  expect(fit(facts as Partial<NodeFacts>, needs as Partial<Requirements>).verdict).toBe('fits')
})

test('a card below a bond may be the one that carries the route', () => {
  const facts = {
    interfaces: [port({ addresses: [] })],
    defaultGateways: [{ via: '192.0.2.1', device: 'bond0' }],
  }
  expect(fit(facts, { network: { ...needsNetwork, lacksDrivers: ['bnx2'] } }).verdict).toBe('does not fit')
})

test('a board nobody could read may be any', () => {
  expect(fit({ ...raspberry, boardModel: null }).verdict).toBe('unknown')
})

test('a new cluster brings its own k3s', () => {
  expect(fit(k3s('v1.19.5+k3s2'), { cgroup: ['v2'], rejoins: false }).reasons).toEqual(['FIT-NEW-CLUSTER'])
})

test.each([
  ['architecture', { machine: null }, {}],
  ['level', { cpu: { ...nodeFacts('a1').cpu, x86Level: null } }, { x86Level: 2 }],
  ['firmware', { firmware: 'unknown' }, {}],
  ['memory', { memoryMib: null }, {}],
  ['disks', { disks: [] }, {}],
  ['k3s version', { k3s: { ...nodeFacts('a1').k3s, version: null } }, {}],
] as const)('an unread %s is unknown, never a fit', (_, facts, needs) => {
  expect(fit(facts as Partial<NodeFacts>, needs).verdict).toBe('unknown')
})

describe('findings', () => {
  test('a machine that fits no target is an inhibitor with the reasons', () => {
    expect(of(fit({ memoryMib: 400 }).assessment, 'FIT-NONE')[0]).toMatchObject({
      severity: 'inhibitor',
      summary: 'a1 does not fit x: the machine has 400 MiB of memory, the target needs 1024 MiB',
    })
  })

  test('a machine that fits one of two targets is none', () => {
    const assessment = look(inventory(), {
      targets: [
        { id: 'small', title: 'Small', requires: easyTarget },
        { id: 'large', title: 'Large', requires: { ...easyTarget, memoryMib: 99_999 } },
      ],
    })
    expect(of(assessment, 'FIT-NONE')).toHaveLength(0)
    expect(assessment.fit.map(({ verdict }) => verdict)).toEqual([
      'fits',
      'does not fit',
      'fits',
      'does not fit',
    ])
  })

  test('a machine nobody can judge is an error', () => {
    expect(of(fit({ memoryMib: null }).assessment, 'FIT-UNKNOWN')[0]).toMatchObject({
      result: 'error',
      summary: 'it is not known which target a1 fits: the size of the memory could not be read',
    })
  })
})

import { describe, expect, test } from 'vitest'
import type { NodeFacts } from '../../../../src/core/inventory.ts'
import { cluster, inventory, kubeNode, look, machine, of } from './builders.ts'

const at = (...addresses: readonly string[]): NodeFacts['interfaces'] => [
  { name: 'eth0', mac: '', state: 'UP', addresses: [...addresses], driver: null, wireless: false },
]

describe('a host that answers as another node', () => {
  const nodes = [
    kubeNode('s1'),
    kubeNode('a1', { addresses: [{ type: 'InternalIP', address: '192.0.2.11' }] }),
    kubeNode('a2', { addresses: [{ type: 'InternalIP', address: '192.0.2.12' }] }),
  ]

  test('is an inhibitor that says which Node it is', () => {
    const other = machine('a1', { systemUuid: 'uuid-of-a2', bootId: 'boot-of-a2' })
    const [finding] = of(
      look(inventory(cluster({ nodes }), [machine('s1'), other, machine('a2', { bootId: 'x' })])),
      'INV-IDENTITY',
    )
    expect(finding).toMatchObject({ severity: 'inhibitor', result: 'fail' })
    expect(finding?.summary).toContain('by its system UUID it is the Node a2')
  })

  test('is found by its addresses where boards have neither UUID nor boot ID', () => {
    const board = { systemUuid: null, bootId: null }
    const document = inventory(cluster({ nodes }), [
      machine('s1'),
      machine('a1', { ...board, interfaces: at('192.0.2.12/24', 'fd00::2/64') }),
      machine('a2', { ...board, interfaces: at('10.9.9.9/24', '192.0.2.12/24') }),
    ])
    expect(of(look(document), 'INV-IDENTITY').map(({ summary }) => summary)).toEqual([
      'a1: the address of the machine is 192.0.2.12, fd00::2, that of the Node 192.0.2.11; by its address it is the Node a2',
    ])
  })

  test('that can be told by nothing is not accused', () => {
    const blank = { systemUuid: null, bootId: null, interfaces: [] }
    expect(of(look(inventory(cluster(), [machine('s1', blank), machine('a1')])), 'INV-IDENTITY')).toEqual([])
  })
})

describe('two entries for one Node', () => {
  test('are one machine when they run one boot', () => {
    const document = inventory(cluster(), [
      machine('s1'),
      machine('a1'),
      { ...machine('a1'), name: '192.0.2.99' },
    ])
    const [finding] = of(look(document), 'INV-CLAIMED-TWICE')
    expect(finding).toMatchObject({
      key: 'INV-CLAIMED-TWICE:Node/a1',
      summary: 'a1 and 192.0.2.99 are one machine, read twice: the Node a1',
    })
  })

  test('are rivals when they do not', () => {
    const clone = machine('a1', { bootId: 'another boot', systemUuid: 'another uuid' })
    const document = inventory(cluster(), [machine('s1'), machine('a1'), { ...clone, name: '192.0.2.99' }])
    expect(of(look(document), 'INV-CLAIMED-TWICE').map(({ summary }) => summary)).toEqual([
      'a1 and 192.0.2.99 both claim to be the Node a1',
    ])
  })

  test('are found without a cluster too', () => {
    const document = inventory(null, [machine('s1'), { ...machine('s1'), name: 'again' }])
    expect(of(look(document), 'INV-CLAIMED-TWICE')).toHaveLength(1)
  })

  test('of different machines are none', () => {
    expect(of(look(inventory()), 'INV-CLAIMED-TWICE')).toEqual([])
  })
})

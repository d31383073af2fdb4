import { expect, test } from 'vitest'
import type { InventoryNode } from '../../../../src/core/inventory.ts'
import { nodeFacts as factsOf } from '../../../../src/core/facts.ts'
import { bundleOf } from '../../../support/k3os-node.ts'
import { overlayNode } from '../../../support/overlay-node.ts'
import { checkResult, cluster, inventory, kubeNode, look, machine, of } from './builders.ts'

const facts = factsOf(bundleOf(overlayNode()), { epochSeconds: 1_700_000_000 })

test('a board with k3OS over its vendor system is known as that, with nothing unread', () => {
  expect(facts).toMatchObject({
    install: 'overlay',
    firmware: 'unknown',
    boardModel: 'Raspberry Pi 4 Model B Rev 1.2',
    machine: 'aarch64',
    cpu: { cores: 4, x86Level: null },
    boot: { menu: null, previous: 'none' },
    storage: { state: { device: '/dev/mmcblk0p2', kind: 'partition' }, extraMounts: [] },
    cgroup: 'v1',
    failures: [],
  })
})

test('assess says what the target must do with such a board, and takes its unused kernel for none', () => {
  const board: InventoryNode = { ...machine('a1'), facts: { ...facts, hostname: 'a1' } } as InventoryNode
  const same = { systemUuid: facts.systemUuid ?? '', bootId: facts.bootId ?? '', architecture: 'arm64' }
  const nodes = [kubeNode('s1'), kubeNode('a1', same)]
  const assessment = look(inventory(cluster({ nodes }), [machine('s1'), board]))
  expect(of(assessment, 'PRE-INSTALL')).toMatchObject([
    { severity: 'medium', summary: 'a1 runs k3OS as an overlay over another system' },
  ])
  expect(checkResult(assessment, 'PRE-PENDING-REBOOT')).toBe('pass')
  expect(checkResult(assessment, 'INV-READING-FAILED')).toBe('pass')
})

test('a kernel that lies on the disk of a disk install still counts', () => {
  const other = { ...facts, install: 'disk' as const, hostname: 'a1' }
  const board = { ...machine('a1'), facts: other } as InventoryNode
  const assessment = look(inventory(cluster(), [machine('s1'), board]))
  expect(of(assessment, 'PRE-PENDING-REBOOT')).toHaveLength(1)
})

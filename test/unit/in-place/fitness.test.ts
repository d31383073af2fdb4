import { expect, test } from 'vitest'
import { unfitInPlace } from '../../../src/core/in-place/fitness.ts'
import type { NodeFacts } from '../../../src/core/inventory.ts'
import { factsWith } from '../../support/golden-node.ts'

const tree = { file: '/t.tar', sha256: '', id: 't-1', title: 'T', mib: 400, files: 9000, cgroupV1: false }
const { k3s } = factsWith({})
const component = (current: string): Partial<NodeFacts> => ({
  components: { k3os: { current, previous: null } },
})

test('a node as k3OS left it can be moved in place', () => {
  expect(unfitInPlace(factsWith(component('v0.21.5-k3s2r1')), tree)).toBeNull()
})

test.each<readonly [Partial<NodeFacts>, string]>([
  [{ install: 'overlay' }, 'not installed on a disk of its own (overlay)'],
  [{ install: 'unknown' }, 'is not known'],
  [{ k3s: { ...k3s, datastore: 'etcd' } }, 'embedded etcd'],
  [{ markers: ['takeover'] }, 'acts on takeover at its next boot'],
  [{ ownConfiguration: 'rejected' }, 'rejects its configuration'],
  [component('v0.22.2-k3s1r0'), 'the next boot, which is the way back, starts v0.22.2-k3s1r0'],
  [{ state: { totalMib: 6000, freeMib: 1200 } }, 'the new system with its margin needs 1300'],
])('%j speaks against it', (changes, words) => {
  expect(unfitInPlace(factsWith(changes), tree)).toContain(words)
})

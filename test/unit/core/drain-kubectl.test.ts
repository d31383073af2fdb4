import { describe, expect, test } from 'vitest'
import { classifyLikeKubectl, type KubectlRules } from '../../../src/core/drain-kubectl.ts'
import type { Pod } from '../../../src/core/inventory.ts'
import { aPod, aVolume } from '../../support/kube-data.ts'

const daemon = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' }
const none = { force: false, ignoreDaemonSets: false, deleteEmptyDir: false }
const all = { force: true, ignoreDaemonSets: true, deleteEmptyDir: true }

function fate(changes: Partial<Pod>, rules: Partial<KubectlRules>): string {
  const pod = aPod({ name: 'a', ...changes })
  const usual: KubectlRules = { ...none, daemonSet: () => 'exists', endingForLong: () => false }
  const { evict, keep, refuse } = classifyLikeKubectl([pod], { ...usual, ...rules })
  const said = { evict, keep, refuse }
  return Object.entries(said)
    .flatMap(([move, pods]) => pods.map(({ reason }) => `${move} ${reason}`))
    .join()
}

describe('the filters of kubectl drain', () => {
  test.each<[string, Partial<Pod>, Partial<KubectlRules>, string, string]>([
    [
      'ending for long',
      { terminating: true },
      { endingForLong: () => true },
      'keep ending-for-long',
      'keep ending-for-long',
    ],
    ['ending', { terminating: true }, {}, 'evict managed', 'evict managed'],
    [
      'finished, of a DaemonSet',
      { controller: daemon, phase: 'Failed' },
      {},
      'evict finished',
      'evict finished',
    ],
    ['of a DaemonSet', { controller: daemon }, {}, 'refuse daemonset', 'keep daemonset'],
    [
      'of a missing DaemonSet',
      { controller: daemon },
      { daemonSet: () => 'missing' },
      'refuse daemonset-missing',
      'evict daemonset-missing',
    ],
    [
      'of a DaemonSet that cannot be looked up',
      { controller: daemon },
      { daemonSet: () => 'unknown' },
      'refuse daemonset-unknown',
      'refuse daemonset-unknown',
    ],
    [
      'of a DaemonSet of another group',
      { controller: { ...daemon, apiVersion: 'example.org/v1' } },
      {},
      'evict managed',
      'evict managed',
    ],
    ['mirror', { mirror: true }, {}, 'keep mirror', 'keep mirror'],
    ['with an emptyDir', { volumes: [aVolume('emptyDir')] }, {}, 'refuse empty-dir', 'evict empty-dir'],
    [
      'with an emptyDir, finished',
      { volumes: [aVolume('emptyDir')], phase: 'Failed' },
      {},
      'evict finished',
      'evict finished',
    ],
    ['with a hostPath', { volumes: [aVolume('hostPath')] }, {}, 'evict managed', 'evict managed'],
    ['without a controller', { controller: null }, {}, 'refuse unmanaged', 'evict unmanaged'],
    [
      'without a controller, finished',
      { controller: null, phase: 'Succeeded' },
      {},
      'evict finished',
      'evict finished',
    ],
    [
      'with an emptyDir and without a controller',
      { controller: null, volumes: [aVolume('emptyDir')] },
      {},
      'refuse empty-dir',
      'evict unmanaged',
    ],
  ])('%s', (_what, pod, rules, withoutFlags, withAll) => {
    expect([fate(pod, rules), fate(pod, { ...all, ...rules })]).toEqual([withoutFlags, withAll])
  })
})

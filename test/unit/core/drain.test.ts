import { describe, expect, test } from 'vitest'
import {
  classifyPods,
  compareForEviction,
  type DrainRules,
  parseBudgetMessage,
} from '../../../src/core/drain.ts'
import type { Pod } from '../../../src/core/inventory.ts'
import { aPod, aVolume } from '../../support/kube-data.ts'

const strict: DrainRules = { daemonSetExists: () => true, deleteEmptyDir: false, force: false }

/** `keep daemonset`, `evict finished`, `refuse empty-dir`. */
function verdict(pod: Pod, rules: Partial<DrainRules> = {}): string {
  const { evict, keep, refuse } = classifyPods([pod], { ...strict, ...rules })
  const all = [
    ...evict.map(({ reason }) => `evict ${reason}`),
    ...keep.map(({ reason }) => `keep ${reason}`),
    ...refuse.map(({ reason }) => `refuse ${reason}`),
  ]
  return all.join(', ')
}

const ofDaemonSet: Pod['controller'] = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' }

describe('what a drain does with a pod', () => {
  test.each<[string, Partial<Pod>, Partial<DrainRules>, string]>([
    ['one of a controller', {}, {}, 'evict managed'],
    ['a mirror pod', { mirror: true, controller: null }, {}, 'keep mirror'],
    ['one of a DaemonSet', { controller: ofDaemonSet }, {}, 'keep daemonset'],
    ['a finished one of a DaemonSet', { controller: ofDaemonSet, phase: 'Failed' }, {}, 'evict finished'],
    ['an ending one of a DaemonSet', { controller: ofDaemonSet, terminating: true }, {}, 'keep daemonset'],
    [
      'one whose DaemonSet is gone',
      { controller: ofDaemonSet },
      { daemonSetExists: () => false },
      'refuse daemonset-missing',
    ],
    [
      'one whose DaemonSet is gone, by force',
      { controller: ofDaemonSet },
      { daemonSetExists: () => false, force: true },
      'evict daemonset-missing',
    ],
    [
      'one whose DaemonSet is gone, by force, with an emptyDir',
      { controller: ofDaemonSet, volumes: [aVolume('emptyDir')] },
      { daemonSetExists: () => false, force: true },
      'refuse empty-dir',
    ],
    [
      'one of a DaemonSet of another API group',
      { controller: { apiVersion: 'apps.kruise.io/v1alpha1', kind: 'DaemonSet', name: 'logs' } },
      {},
      'evict managed',
    ],
    ['one with an emptyDir', { volumes: [aVolume('emptyDir')] }, {}, 'refuse empty-dir'],
    ['one with an emptyDir in memory', { volumes: [aVolume('emptyDir-memory')] }, {}, 'refuse empty-dir'],
    [
      'one with an emptyDir, allowed',
      { volumes: [aVolume('emptyDir')] },
      { deleteEmptyDir: true },
      'evict empty-dir',
    ],
    [
      'a finished one with an emptyDir',
      { volumes: [aVolume('emptyDir')], phase: 'Succeeded' },
      {},
      'evict finished',
    ],
    ['one with a hostPath', { volumes: [aVolume('hostPath')] }, {}, 'evict managed'],
    ['one with a claim', { volumes: [aVolume('persistentVolumeClaim')] }, {}, 'evict managed'],
    ['one without controller', { controller: null }, {}, 'refuse unmanaged'],
    ['one without controller, by force', { controller: null }, { force: true }, 'evict unmanaged'],
    ['one without controller, named', { controller: null }, { force: ['shop/p'] }, 'evict unmanaged'],
    [
      'one without controller, another named',
      { controller: null },
      { force: ['shop/q'] },
      'refuse unmanaged',
    ],
    ['a finished one without controller', { controller: null, phase: 'Failed' }, {}, 'evict finished'],
    [
      'one without controller, with an emptyDir, by force',
      { controller: null, volumes: [aVolume('emptyDir')] },
      { force: true },
      'refuse empty-dir',
    ],
    [
      'one without controller, with an emptyDir, deletion allowed',
      { controller: null, volumes: [aVolume('emptyDir')] },
      { deleteEmptyDir: true },
      'refuse unmanaged',
    ],
    ['one that is ending, whatever it is', { controller: null, terminating: true }, {}, 'evict terminating'],
    ['one that the user keeps', { controller: null }, { keep: ['shop/p'] }, 'keep asked-to-keep'],
    [
      'one whose owner no longer exists',
      { controller: { apiVersion: 'v1', kind: 'Gone', name: 'x' } },
      {},
      'evict managed',
    ],
  ])('%s', (_what, pod, rules, expected) => {
    expect(verdict(aPod({ name: 'p', ...pod }), rules)).toBe(expected)
  })

  test('asks for the DaemonSet of the pod and its namespace', () => {
    const asked: string[] = []
    const daemonSetExists = (namespace: string, name: string) => asked.push(`${namespace}/${name}`) > 0
    classifyPods([aPod({ name: 'p', controller: ofDaemonSet })], { ...strict, daemonSetExists })
    expect(asked).toEqual(['shop/logs'])
  })
})

test('evicts in the order of priority, then batch work, replicas, pods with an identity, pods without controller', () => {
  const of = (kind: string) => ({ apiVersion: 'apps/v1', kind, name: 'x' })
  const pods = [
    aPod({ name: 'dns', priority: 2_000_000_000 }),
    aPod({ name: 'alone', controller: null }),
    aPod({ name: 'db', controller: of('StatefulSet') }),
    aPod({ name: 'web-b' }),
    aPod({ name: 'important', priority: 1000, controller: of('Job') }),
    aPod({ name: 'job', controller: of('Job') }),
    aPod({ name: 'web-a' }),
    aPod({ name: 'web-a', namespace: 'bank', uid: 'other' }),
  ]
  expect(pods.toSorted(compareForEviction).map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
    'shop/job',
    'bank/web-a',
    'shop/web-a',
    'shop/web-b',
    'shop/db',
    'shop/alone',
    'shop/important',
    'shop/dns',
  ])
})

test('reads the numbers of a refused eviction', () => {
  expect(parseBudgetMessage('The disruption budget web needs 2 healthy pods and has 1 currently')).toEqual({
    needed: 2,
    current: 1,
  })
  expect(parseBudgetMessage('The disruption budget web is still being processed by the server.')).toBeNull()
})

import { describe, expect, test } from 'vitest'
import {
  controllerState,
  isOff,
  offOf,
  rebootingNode,
  sameSwitch,
  switchPatch,
} from '../../../src/core/controller-switch.ts'

const now = '2026-11-24T08:00:00Z'

function kured(args: readonly string[], more: object = {}) {
  const raw = {
    metadata: { namespace: 'kube-system', name: 'kured', annotations: { mine: 'held' } },
    spec: { template: { spec: { containers: [{ args: [...args], ...more }] } } },
  }
  return controllerState(raw, 'DaemonSet').switch
}

describe('a controller', () => {
  test.each([
    ['Deployment', { replicas: 2 }, { by: 'replicas', value: 2 }],
    ['StatefulSet', {}, { by: 'replicas', value: 1 }],
    ['CronJob', { suspend: null }, { by: 'suspend', value: false }],
    ['CronJob', { suspend: true }, { by: 'suspend', value: true }],
  ] as const)('of kind %s with %j is switched by %j', (kind, spec, expected) => {
    const raw = { metadata: { namespace: 'ops', name: 'one' }, spec }
    expect(controllerState(raw, kind).switch).toEqual(expected)
  })

  test.each([
    [[], 'weave.works/kured-node-lock', null],
    [['--lock-annotation=mine'], 'mine', 'held'],
    [['/usr/bin/kured', '--lock-annotation', 'mine', '--concurrency=1'], 'mine', 'held'],
  ] as const)('kured with %j has its lock in %s', (args, key, value) => {
    expect(kured(args)).toEqual({ by: 'lock', key, value })
  })

  test('kured may get its flags from the environment', () => {
    expect(kured([], { env: [{ name: 'KURED_LOCK_ANNOTATION', value: 'mine' }] })).toMatchObject({
      key: 'mine',
    })
  })

  test.each([[['--concurrency=2']], [['--concurrency', '3']]])('kured with %j has no such lock', (args) => {
    expect(kured(args)).toEqual({
      by: 'nothing',
      why: expect.stringContaining('several nodes'),
      stop: expect.stringContaining('kubectl -n kube-system patch daemonset kured'),
    })
  })

  test.each([
    [{ by: 'replicas', value: 2 }],
    [{ by: 'suspend', value: false }],
    [{ by: 'lock', key: 'k', value: null }],
  ] as const)('switched off from %j is off, and another one than before', (before) => {
    const off = offOf(before, now)
    expect([isOff(before), isOff(off), sameSwitch(before, off)]).toEqual([false, true, false])
  })

  test.each([
    ['b', 'b'],
    ['manual', null],
  ])('a lock of %s is a reboot of %j', (holder, node) => {
    const value = JSON.stringify({ nodeID: holder })
    expect(rebootingNode({ by: 'lock', key: 'k', value }, ['a', 'b'])).toBe(node)
  })

  test('a lock that nobody can read is nobody’s reboot', () => {
    expect(rebootingNode({ by: 'lock', key: 'k', value: 'x' }, ['x'])).toBeNull()
  })

  test('is changed and marked by one patch, which takes both back', () => {
    const before = { by: 'replicas', value: 2 } as const
    const off = offOf(before, now)
    const mark = { run: 'run-1', before, off }
    expect([switchPatch(off, mark), switchPatch(before, null)]).toEqual([
      {
        metadata: { annotations: { 'k3os-migrate/paused': JSON.stringify(mark) } },
        spec: { replicas: 0 },
      },
      { metadata: { annotations: { 'k3os-migrate/paused': null } }, spec: { replicas: 2 } },
    ])
  })

  test.each([
    ['labels', 'kustomize.toolkit.fluxcd.io/name', 'infra', 'patch kustomization infra'],
    ['labels', 'helm.toolkit.fluxcd.io/name', 'infra', 'patch helmrelease infra'],
    ['labels', 'argocd.argoproj.io/instance', 'infra', 'argocd app set infra'],
    ['annotations', 'argocd.argoproj.io/tracking-id', 'infra:apps/Deployment:a/b', 'argocd app set infra'],
  ])('with the %s %s says who may put it back, and how to stop that', (where, key, value, text) => {
    const raw = { metadata: { namespace: 'ops', name: 'one', [where]: { [key]: value } } }
    expect(controllerState(raw, 'Deployment').keeper).toContain(text)
  })

  test('without any sign of that says nothing', () => {
    expect(controllerState({ metadata: { name: 'one' } }, 'Deployment').keeper).toBeNull()
  })
})

import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { drainSentence } from '../../../src/migrate/drain-events.ts'
import { blockedBy, DrainedNode, forbidden, passing } from '../../support/drain-node.ts'
import { aPod, aVolume } from '../../support/kube-data.ts'

const daemonPod = aPod({
  name: 'logs',
  controller: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' },
})

describe('the end', () => {
  test('all pods gone, DaemonSet and mirror pods left: drained', async () => {
    const node = new DrainedNode([
      aPod({ name: 'a' }),
      aPod({ name: 'b' }),
      daemonPod,
      aPod({ name: 'm', mirror: true }),
    ])
    expect(await node.drain()).toEqual({ status: 'drained', evicted: ['uid-a', 'uid-b'] })
    expect(node.evictions.map(({ uid }) => uid)).toEqual(['uid-a', 'uid-b'])
  })

  test('an empty node is drained only after a second look five seconds later', async () => {
    const node = new DrainedNode([])
    await node.drain()
    expect((node.lists.at(-1) ?? 0) - (node.lists[0] ?? 0)).toBeGreaterThanOrEqual(5000)
  })

  test('a pod that shows up between the two looks begins the wait anew', async () => {
    const node = new DrainedNode([])
    const late = aPod({ name: 'late', terminating: true })
    node.at(3500, () => node.pods.set(late.uid, late))
    node.at(20_500, () => node.pods.delete(late.uid))
    expect((await node.drain()).status).toBe('drained')
    expect(node.clock.monotonicMs()).toBeGreaterThanOrEqual(25_500)
  })

  test('pods that are ending already are waited for and not evicted again', async () => {
    const node = new DrainedNode([aPod({ name: 'a', terminating: true })])
    node.at(10_000, () => node.pods.delete('uid-a'))
    expect(await node.drain()).toEqual({ status: 'drained', evicted: ['uid-a'] })
    expect(node.evictions).toEqual([])
  })

  test('kept pods stay and do not hold the end up', async () => {
    const node = new DrainedNode([aPod({ name: 'kept', controller: null })])
    const allow = { deleteEmptyDir: false, force: false, keep: ['shop/kept'] }
    expect(await node.drain({ allow })).toEqual({ status: 'drained', evicted: [] })
  })

  test('the time may run out between the last pod and the second look', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.endsAfterMs = 8_000
    expect(await node.drain({ timeoutMs: 10_000 })).toEqual({ status: 'drained', evicted: ['uid-a'] })
  })

  test('but not when nobody can look', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.listError = (nowMs) => (nowMs > 3_000 ? passing('connection refused') : undefined)
    expect(await node.drain({ timeoutMs: 10_000 })).toEqual({
      status: 'blocked',
      reason: 'not drained within 10 s, and the pods cannot be listed: connection refused',
      pods: [],
      evicted: ['uid-a'],
    })
  })

  test('lists are a second apart while pods are left, and the one that confirms comes when it counts', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    await node.drain()
    const apart = node.lists.slice(1).map((atMs, index) => atMs - (node.lists[index] ?? 0))
    expect(apart).toEqual([...apart.slice(0, -1).map(() => 1_000), 5_000])
    expect(apart.length).toBeGreaterThan(1)
  })

  test('a look that fails when it should confirm is repeated a second later', async () => {
    const node = new DrainedNode([])
    node.listError = (nowMs) => (nowMs === 5_000 ? passing('connection refused') : undefined)
    expect(await node.drain()).toEqual({ status: 'drained', evicted: [] })
    expect(node.lists).toEqual([0, 5_000, 6_000])
  })
})

describe('volumes that are still attached', () => {
  test('hold the end up', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.volumes = (nowMs) => (nowMs < 20_000 ? ['pv-1'] : [])
    expect(await node.drain()).toEqual({ status: 'drained', evicted: ['uid-a'] })
    expect(node.clock.monotonicMs()).toBe(20_000)
  })

  test('block it after ten minutes, by name', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.volumes = () => ['pv-1', 'pv-2']
    expect(await node.drain({ timeoutMs: 1_800_000 })).toEqual({
      status: 'blocked',
      reason: 'volumes are still attached to n1 after 600 s: pv-1, pv-2',
      pods: [],
      evicted: ['uid-a'],
    })
    expect(node.events.map(drainSentence)).toContain('waiting until volumes are detached: pv-1, pv-2')
  })

  test('block it soon when the time is over, but not at once', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.endsAfterMs = 8_000
    node.volumes = () => ['pv-1']
    expect((await node.drain({ timeoutMs: 10_000 })).status).toBe('blocked')
    expect(node.clock.monotonicMs()).toBeGreaterThanOrEqual(40_000)
    expect(node.clock.monotonicMs()).toBeLessThan(60_000)
  })

  test('are not "none" because nobody could say', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.volumes = (nowMs) => (nowMs < 20_000 ? passing() : [])
    expect((await node.drain()).status).toBe('drained')
    expect(node.clock.monotonicMs()).toBe(20_000)
  })
})

describe('what is never evicted', () => {
  test('nothing at all while some pods may not be', async () => {
    const node = new DrainedNode([aPod({ name: 'a' }), aPod({ name: 'b', volumes: [aVolume('emptyDir')] })])
    const outcome = await node.drain()
    expect(outcome).toMatchObject({
      status: 'blocked',
      pods: [
        {
          name: 'b',
          state: 'refused',
          message: 'shop/b keeps data in an emptyDir volume, which is deleted with it',
          next: 'kubectl get pod -n shop b -o yaml',
        },
      ],
      evicted: [],
    })
    expect(node.evictions).toEqual([])
  })

  test('a pod of the same name with another UID', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.endsAfterMs = 1500
    node.at(1600, () => node.pods.set('second', aPod({ name: 'a', uid: 'second' })))
    const outcome = await node.drain()
    expect(node.evictions.map(({ uid }) => uid)).toEqual(['uid-a'])
    expect(outcome).toMatchObject({
      status: 'blocked',
      pods: [{ uid: 'second', state: 'appeared' }],
      evicted: ['uid-a'],
    })
  })

  test('a pod outside the journaled list', async () => {
    const node = new DrainedNode([aPod({ name: 'a' }), aPod({ name: 'b' })])
    const outcome = await node.drain({ uids: ['uid-a'] })
    expect(node.evictions.map(({ uid }) => uid)).toEqual(['uid-a'])
    expect(outcome).toMatchObject({ status: 'blocked', pods: [{ name: 'b', state: 'appeared' }] })
  })

  test('system-critical pods while others are there', async () => {
    const node = new DrainedNode([aPod({ name: 'dns', priority: 2_000_000_000 }), aPod({ name: 'a' })])
    node.endsAfterMs = 30_000
    await node.drain()
    expect(node.evictions[1]?.uid).toBe('uid-dns')
    expect(node.evictions[1]?.atMs).toBeGreaterThanOrEqual(30_000)
  })
})

describe('a budget in the way', () => {
  test('tries again after 5, 10, 20, 30 and 30 seconds, give or take a fifth', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => blockedBy('web')
    await node.drain({ timeoutMs: 130_000 })
    const pauses = node.evictions.slice(1).map(({ atMs }, index) => atMs - (node.evictions[index]?.atMs ?? 0))
    // The loop looks once a second, so a pause may be up to a second longer.
    const expected = [5, 10, 20, 30, 30].map((s) =>
      expect.toSatisfy((ms: number) => ms >= s * 800 && ms <= s * 1200 + 1000),
    )
    expect(pauses.slice(0, 5)).toEqual(expected)
  })

  test('pods behind one budget do not ask at the same moment', async () => {
    const pods = Array.from({ length: 8 }, (_, index) => aPod({ name: `a${index}` }))
    const node = new DrainedNode(pods)
    node.answer = () => blockedBy('web')
    await node.drain({ timeoutMs: 60_000 })
    const third = pods.map(({ uid }) => node.evictions.filter((eviction) => eviction.uid === uid)[2]?.atMs)
    expect(new Set(third).size).toBeGreaterThan(1)
  })

  test('waits at least as long as the server asks', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => blockedBy('web', 40_000)
    await node.drain({ timeoutMs: 60_000 })
    expect(node.evictions.map(({ atMs }) => atMs)).toEqual([0, 40_000])
  })

  test('a timeout names pod, budget, numbers, attempts, age and the next command', async () => {
    const node = new DrainedNode([aPod({ name: 'a' }), aPod({ name: 'b' })])
    node.answer = (pod) => (pod.name === 'a' ? blockedBy('web') : undefined)
    expect(await node.drain({ timeoutMs: 60_000 })).toEqual({
      status: 'blocked',
      reason: 'not drained within 60 s',
      pods: [
        {
          namespace: 'shop',
          name: 'a',
          uid: 'uid-a',
          state: 'budget',
          budget: 'shop/web',
          numbers: { needed: 2, current: 2 },
          attempts: 4,
          ageMs: 60_000,
          message: 'shop/a is held by PodDisruptionBudget shop/web (needs 2 healthy pods, has 2)',
          next: 'kubectl get pdb -n shop web',
        },
      ],
      evicted: ['uid-b'],
    })
  })

  test('passes once the budget lets it', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = (_pod, nowMs) => (nowMs < 30_000 ? blockedBy('web') : undefined)
    expect((await node.drain()).status).toBe('drained')
  })

  test('two budgets end the drain at once', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => ({ status: 'impossible', message: 'more than one' })
    const outcome = await node.drain()
    expect(outcome).toMatchObject({
      status: 'blocked',
      reason: 'shop/a can never be evicted as things are',
      pods: [{ state: 'impossible', next: 'kubectl get pdb -n shop' }],
    })
    expect(node.clock.monotonicMs()).toBeLessThan(2000)
  })
})

test('at most ten evictions are under way, and none waits for a pod to end', async () => {
  const node = new DrainedNode(Array.from({ length: 25 }, (_, index) => aPod({ name: `a${index}` })))
  await node.drain()
  expect(node.mostUnderWay).toBe(10)
  expect(node.evictions.filter(({ atMs }) => atMs === 0)).toHaveLength(25)
})

test('a busy server stops all evictions for the time it asks', async () => {
  const node = new DrainedNode(Array.from({ length: 12 }, (_, index) => aPod({ name: `a${index}` })))
  node.answer = (_pod, nowMs) =>
    nowMs < 1000 ? { status: 'throttled', message: 'too many requests', retryAfterMs: 20_000 } : undefined
  await node.drain()
  const perMoment = Map.groupBy(node.evictions, ({ atMs }) => atMs)
  expect([...perMoment].map(([atMs, batch]) => [atMs, batch.length])).toEqual([
    [0, 10],
    [20_000, 12],
  ])
})

describe('when the API server does not answer', () => {
  test('a pod is not gone because a list failed', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.endsAfterMs = Number.POSITIVE_INFINITY
    node.listError = (nowMs) => (nowMs >= 3000 ? passing() : undefined)
    expect(await node.drain({ timeoutMs: 60_000 })).toMatchObject({
      status: 'blocked',
      pods: [{ name: 'a', state: 'ending' }],
    })
  })

  test('a failed list is no second look', async () => {
    const node = new DrainedNode([])
    node.listError = (nowMs) => (nowMs > 0 && nowMs < 60_000 ? passing() : undefined)
    expect((await node.drain()).status).toBe('drained')
    expect(node.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000)
  })

  test('a DaemonSet that cannot be looked up is not taken for missing', async () => {
    const node = new DrainedNode([daemonPod])
    node.daemonSetError = (nowMs) => (nowMs < 10_000 ? passing() : undefined)
    expect(await node.drain()).toEqual({ status: 'drained', evicted: [] })
    expect(node.clock.monotonicMs()).toBeGreaterThanOrEqual(15_000)
  })

  test('nothing is evicted before the first list', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.listError = (nowMs) => (nowMs < 30_000 ? passing() : undefined)
    await node.drain()
    expect(node.evictions[0]?.atMs).toBeGreaterThanOrEqual(30_000)
  })

  test('evictions are repeated', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = (_pod, nowMs) => (nowMs < 60_000 ? passing() : undefined)
    expect((await node.drain()).status).toBe('drained')
  })

  test('five minutes of failure block the drain', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => passing('connection refused')
    const outcome = await node.drain({ timeoutMs: 3_600_000 })
    expect(outcome).toMatchObject({
      status: 'blocked',
      reason: 'failing for 5 minutes: connection refused',
      pods: [{ state: 'failing', message: 'shop/a was not evicted: connection refused' }],
    })
    expect(node.clock.monotonicMs()).toBeLessThan(6 * 60_000)
  })

  test('five minutes count from the last answer', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.endsAfterMs = 900_000
    node.listError = (nowMs) => (nowMs % 240_000 > 1000 ? passing() : undefined)
    node.pods.set('uid-a', aPod({ name: 'a', graceSeconds: 3600 }))
    expect((await node.drain({ timeoutMs: 3_600_000 })).status).toBe('drained')
  })

  test('missing permission ends the drain after half a minute, for a starting server refuses everybody', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => forbidden()
    await expect(node.drain()).rejects.toMatchObject({ exitCode: exitCode.permission })
    expect(node.clock.monotonicMs()).toBeGreaterThanOrEqual(30_000)
    expect(node.clock.monotonicMs()).toBeLessThan(60_000)
  })

  test('a fault of our own is not waited away', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = () => {
      throw new RangeError('bug')
    }
    await expect(node.drain()).rejects.toThrow(RangeError)
  })
})

describe('pods that do not go', () => {
  test('one that ends for longer than its grace period and a minute is stuck', async () => {
    const node = new DrainedNode([aPod({ name: 'a', graceSeconds: 10 })])
    node.endsAfterMs = Number.POSITIVE_INFINITY
    const outcome = await node.drain()
    expect(outcome).toMatchObject({
      status: 'blocked',
      reason: 'the pods that are left do not go by themselves; pods that were evicted go on ending: 1',
      pods: [{ state: 'stuck', next: 'kubectl get pod -n shop a -o yaml' }],
    })
    expect(node.clock.monotonicMs()).toBeLessThan(90_000)
  })

  test('a stuck one does not end the drain while others still go', async () => {
    const node = new DrainedNode([
      aPod({ name: 'a', graceSeconds: 0 }),
      aPod({ name: 'b', graceSeconds: 600 }),
    ])
    node.endsAfterMs = 120_000
    expect((await node.drain()).status).toBe('drained')
  })

  test('an accepted eviction without effect is repeated', async () => {
    const node = new DrainedNode([aPod({ name: 'a' })])
    node.answer = (_pod, nowMs) => (nowMs < 1000 ? { status: 'accepted' } : undefined)
    expect((await node.drain()).status).toBe('drained')
    expect(node.evictions.map(({ atMs }) => atMs)).toEqual([0, 30_000])
  })
})

test('stopping on request stops at once', async () => {
  const node = new DrainedNode([aPod({ name: 'a' })])
  node.answer = () => blockedBy('web')
  const stop = new AbortController()
  node.at(10_000, () => stop.abort(new Error('stopped')))
  await expect(node.drain({ signal: stop.signal })).rejects.toThrow('stopped')
  expect(node.clock.monotonicMs()).toBe(10_000)
})

test('every half minute a heartbeat says what is waited for', async () => {
  const node = new DrainedNode([aPod({ name: 'a' })])
  node.answer = () => blockedBy('web')
  await node.drain({ timeoutMs: 95_000 })
  const heartbeats = node.events.filter(({ type }) => type === 'heartbeat').map(drainSentence)
  expect(heartbeats).toEqual(
    [30, 60, 90].map(
      (s) =>
        `1 pods left after ${s} s of at most 95 s: shop/a is held by PodDisruptionBudget shop/web (needs 2 healthy pods, has 2)`,
    ),
  )
})

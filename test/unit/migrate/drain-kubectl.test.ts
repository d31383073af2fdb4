import { describe, expect, test } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { KubeNode, Pod } from '../../../src/core/inventory.ts'
import { drainLikeKubectl, type KubectlDrained } from '../../../src/migrate/drain-kubectl.ts'
import { kubectlDefaults, type KubectlFlags } from '../../../src/migrate/drain-kubectl-pods.ts'
import type { Eviction, KubectlKube } from '../../../src/migrate/ports.ts'
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts'
import { blockedBy, forbidden, passing } from '../../support/drain-node.ts'
import { aPod } from '../../support/kube-data.ts'

/** A cluster of one or two nodes in virtual time; evicted pods end after two seconds; every change is on record. */
class Cluster {
  readonly clock = new VirtualClock(new Date('2026-11-24T08:00:00Z'))
  readonly pods = new Map<string, Pod>()
  readonly deletionAt = new Map<string, Date>()
  readonly changes: string[] = []
  readonly stop = new AbortController()
  answer: (pod: Pod) => Eviction | MigrateError | undefined = () => undefined
  cordonError: MigrateError | undefined
  readError: MigrateError | undefined
  daemonSetError: MigrateError | undefined
  evictionServed = true

  constructor(...pods: readonly Pod[]) {
    for (const pod of pods) this.pods.set(pod.uid, pod)
  }

  async drain(
    flags: Partial<KubectlFlags> = {},
    nodes: readonly string[] = ['n1'],
  ): Promise<KubectlDrained[]> {
    return drainLikeKubectl({
      kube: this.kube(),
      clock: this.clock,
      nodes,
      flags: { ...kubectlDefaults, ...flags },
      onEvent: () => {},
      signal: this.stop.signal,
    })
  }

  private note(verb: string, uid: string, how: object = {}): void {
    this.changes.push(`${verb} ${uid} at ${this.clock.monotonicMs()}${said(how)}`)
  }

  private remove(uid: string): void {
    this.deletionAt.set(uid, this.clock.now())
    this.clock.at(this.clock.monotonicMs() + 2_000, () => this.pods.delete(uid))
  }

  private kube(): KubectlKube {
    const unused = () => {
      throw new Error('a drain has no business here')
    }
    const node = { unschedulable: false } as KubeNode
    return {
      where: 'test',
      heartbeatAgeSeconds: unused,
      attachedVolumes: unused,
      clusterUid: unused,
      controller: unused,
      restarts: unused,
      switchController: unused,
      node: async (name) => (name === 'lost' ? undefined : { ...node, name }),
      patchNode: async (name, _patch, _signal, how) => {
        this.changes.push(`cordon ${name}${said(how ?? {})}`)
        if (this.cordonError !== undefined) throw this.cordonError
      },
      podsOnNode: async (name) => [...this.pods.values()].filter((pod) => pod.node === name),
      daemonSetExists: async () => {
        if (this.daemonSetError !== undefined) throw this.daemonSetError
        return true
      },
      pod: async (_namespace, name) => {
        if (this.readError !== undefined) throw this.readError
        const pod = [...this.pods.values()].find((one) => one.name === name)
        return pod && { uid: pod.uid, deletionAt: this.deletionAt.get(pod.uid) ?? null }
      },
      evict: async ({ uid }, _signal, how) => {
        this.note('evict', uid, how)
        const pod = this.pods.get(uid)
        if (pod === undefined) return { status: 'gone' }
        const scripted = this.answer(pod)
        if (scripted instanceof MigrateError) throw scripted
        if (scripted !== undefined) return scripted
        if (how?.dryRun !== true) this.remove(uid)
        return { status: 'accepted' }
      },
      deletePod: async ({ uid }, _signal, how) => {
        this.note('delete', uid, how)
        const pod = this.pods.get(uid)
        const scripted = pod && this.answer(pod)
        if (scripted instanceof MigrateError) throw scripted
        if (how?.dryRun !== true) this.remove(uid)
        return 'accepted'
      },
      servesEviction: async () => this.evictionServed,
    }
  }
}

function said(how: { readonly dryRun?: boolean; readonly graceSeconds?: number | null }): string {
  const grace =
    how.graceSeconds === undefined || how.graceSeconds === null ? '' : ` grace ${how.graceSeconds}`
  return `${grace}${how.dryRun === true ? ' dry-run' : ''}`
}

const [a, b] = [aPod({ name: 'a' }), aPod({ name: 'b' })]

test('all pods are asked at once, and the end is when they have gone', async () => {
  const cluster = new Cluster(a, b)
  expect(await cluster.drain()).toMatchObject([
    { outcome: { status: 'drained', evicted: ['uid-a', 'uid-b'] } },
  ])
  expect(cluster.changes).toEqual(['cordon n1', 'evict uid-a at 0', 'evict uid-b at 0'])
  expect(cluster.clock.monotonicMs()).toBe(2_000)
})

test('a cordon that fails stops nothing, and is told', async () => {
  const cluster = new Cluster(a)
  cluster.cordonError = forbidden()
  expect(await cluster.drain()).toMatchObject([
    { notCordoned: { exitCode: exitCode.permission }, outcome: { status: 'drained' } },
  ])
})

test('all nodes are cordoned first, and one that fails does not stop the next', async () => {
  const cluster = new Cluster(aPod({ name: 'a', controller: null }), aPod({ name: 'c', node: 'n2' }))
  const drained = await cluster.drain({}, ['n1', 'n2'])
  expect(drained.map(({ outcome }) => outcome.status)).toEqual(['blocked', 'drained'])
  expect(cluster.changes).toEqual(['cordon n1', 'cordon n2', 'evict uid-c at 0'])
})

describe('a budget in the way', () => {
  test('is tried again every five seconds, and the timeout does not cut the pause short', async () => {
    const cluster = new Cluster(a, b)
    cluster.answer = (pod) => (pod.name === 'a' ? blockedBy('web') : undefined)
    const [drained] = await cluster.drain({ timeoutMs: 8_000 })
    expect(drained?.outcome).toMatchObject({
      status: 'blocked',
      reason: 'not drained within 8 s',
      pods: [{ name: 'a', state: 'budget', attempts: 2 }],
      evicted: ['uid-b'],
    })
    expect(cluster.clock.monotonicMs()).toBe(10_000)
  })

  test('two of them fail that pod, not the others', async () => {
    const cluster = new Cluster(a, b)
    cluster.answer = (pod) =>
      pod.name === 'a' ? { status: 'impossible', message: 'two budgets' } : undefined
    const [drained] = await cluster.drain()
    expect(drained?.outcome).toMatchObject({ status: 'blocked', pods: [{ name: 'a', state: 'impossible' }] })
    expect([...cluster.pods.keys()]).toEqual(['uid-a'])
  })
})

test('a request that fails is a pod that fails, without a second try', async () => {
  const cluster = new Cluster(a)
  cluster.answer = () => passing('connection refused')
  const [drained] = await cluster.drain()
  expect(drained?.outcome).toMatchObject({ status: 'blocked', reason: 'connection refused', evicted: [] })
  expect(cluster.changes).toEqual(['cordon n1', 'evict uid-a at 0'])
})

test('a read that fails while waiting is a failure, never "gone"', async () => {
  const cluster = new Cluster(a)
  cluster.answer = () => {
    cluster.readError = passing('connection refused')
    return undefined
  }
  const [drained] = await cluster.drain()
  expect(drained?.outcome).toMatchObject({ status: 'blocked', pods: [{ name: 'a', state: 'ending' }] })
})

test('a pod of the same name that took its place is left alone', async () => {
  const cluster = new Cluster(a)
  cluster.answer = () => {
    cluster.pods.delete('uid-a')
    cluster.pods.set('second', aPod({ name: 'a', uid: 'second', node: 'n2' }))
    cluster.answer = () => undefined
    return blockedBy('web')
  }
  expect(await cluster.drain()).toMatchObject([{ outcome: { status: 'drained' } }])
  expect([...cluster.pods.keys()]).toEqual(['second'])
})

describe('deleting', () => {
  test.each([
    ['is used where evictions are not served', false, {}],
    ['is used when asked for', true, { disableEviction: true }],
  ])('%s', async (_when, served, flags) => {
    const cluster = new Cluster(a)
    cluster.evictionServed = served
    expect(await cluster.drain(flags)).toMatchObject([{ outcome: { status: 'drained' } }])
    expect(cluster.changes).toEqual(['cordon n1', 'delete uid-a at 0'])
  })

  test('ends at the first that fails', async () => {
    const cluster = new Cluster(a, b)
    cluster.answer = (pod) => (pod.name === 'a' ? forbidden() : undefined)
    const [drained] = await cluster.drain({ disableEviction: true })
    expect(drained?.outcome).toMatchObject({ status: 'blocked', reason: 'no permission' })
    expect(cluster.changes).toEqual(['cordon n1', 'delete uid-a at 0'])
  })
})

describe('flags', () => {
  test('the grace period goes along', async () => {
    const cluster = new Cluster(a)
    await cluster.drain({ graceSeconds: 0 })
    expect(cluster.changes).toContain('evict uid-a at 0 grace 0')
  })

  test('a client dry run changes nothing', async () => {
    const cluster = new Cluster(a)
    expect(await cluster.drain({ dryRun: 'client' })).toMatchObject([{ outcome: { status: 'drained' } }])
    expect(cluster.changes).toEqual([])
  })

  test.each([false, true])(
    'a server dry run marks every request and waits for nothing',
    async (disableEviction) => {
      const cluster = new Cluster(a)
      await cluster.drain({ dryRun: 'server', disableEviction })
      const verb = disableEviction ? 'delete' : 'evict'
      expect(cluster.changes).toEqual(['cordon n1 dry-run', `${verb} uid-a at 0 dry-run`])
      expect(cluster.clock.monotonicMs()).toBe(0)
    },
  )

  test('the selector chooses pods', async () => {
    const cluster = new Cluster(a, aPod({ name: 'bare', controller: null, labels: { app: 'db' } }))
    await cluster.drain({ podSelector: 'app=web' })
    expect([...cluster.pods.keys()]).toEqual(['uid-bare'])
  })

  test('pods that have been ending for long are left alone', async () => {
    const cluster = new Cluster(aPod({ name: 'a', terminating: true }))
    cluster.deletionAt.set('uid-a', new Date('2026-11-24T07:59:00Z'))
    expect(await cluster.drain({ skipEndingForSeconds: 30 })).toMatchObject([
      { outcome: { status: 'drained' } },
    ])
    expect(cluster.changes).toEqual(['cordon n1'])
  })
})

test('a DaemonSet that cannot be looked up refuses its pods', async () => {
  const controller = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'logs' }
  const cluster = new Cluster(aPod({ name: 'a', controller }), b)
  cluster.daemonSetError = forbidden()
  const [drained] = await cluster.drain({ ignoreDaemonSets: true, force: true })
  expect(drained?.outcome).toMatchObject({
    status: 'blocked',
    pods: [{ message: 'shop/a belongs to a DaemonSet that could not be looked up' }],
  })
  expect(cluster.changes).toEqual(['cordon n1'])
})

test.each<[string, Partial<KubectlFlags>, string[], number]>([
  ['no node', {}, [], exitCode.usage],
  ['a bad selector', { podSelector: 'app=we b' }, ['n1'], exitCode.usage],
  ['a node that is not there', {}, ['n1', 'lost'], exitCode.badInput],
])('%s: nothing is sent', async (_what, flags, nodes, code) => {
  const cluster = new Cluster(a)
  await expect(cluster.drain(flags, nodes)).rejects.toMatchObject({ exitCode: code })
  expect(cluster.changes).toEqual([])
})

test('stopping on request stops at once', async () => {
  const cluster = new Cluster(a)
  cluster.answer = () => blockedBy('web')
  cluster.clock.at(3_000, () => cluster.stop.abort(new Error('stopped')))
  await expect(cluster.drain()).rejects.toThrow('stopped')
  expect(cluster.clock.monotonicMs()).toBe(3_000)
})

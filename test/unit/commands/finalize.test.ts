import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/adapters/files.ts'
import { lockRun } from '../../../src/adapters/run-lock.ts'
import { evidenceCreate, evidenceVerify } from '../../../src/commands/evidence.ts'
import {
  finalize,
  finalizeApply,
  type FinalizeApplyOptions,
  type FinalizeClusterPorts,
} from '../../../src/commands/finalize.ts'
import type { CommandIo } from '../../../src/commands/io.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import {
  finalizeDigest,
  leftoverText,
  type FinalizePlan,
  type FoundPlan,
} from '../../../src/core/finalize.ts'
import type { KubeNode } from '../../../src/core/inventory.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import type { RunRecord } from '../../../src/core/run-record.ts'
import type { LeaseChange, LeaseState, LeftoverName } from '../../../src/migrate/ports.ts'
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts'
import { exampleRun, type ExampleRun } from '../../support/example-run.ts'
import { recordingIo } from '../../support/recording-io.ts'

const mode = { key: 'k3os.io/mode', operator: 'Exists', values: [] }

/** The cluster after the run, small enough to be looked at: nodes, and objects with their UIDs. */
interface Cluster {
  uid: string
  readonly nodes: Map<string, KubeNode>
  upgradePlans: FoundPlan[]
  readonly objects: Map<string, string>
  /** Who has the Lease, and the record of the last run in it. */
  lock: { holder: string | null; record: string | null }
  /** Of the Lease: it grows with each change. */
  version: number
  /** Requests that change something, in order. */
  readonly changes: string[]
  /** Who had the Lease at each of them. */
  readonly holders: (string | null)[]
  /** Throws in place of the change with this number, counted from 1. */
  failAt: number
}

let home: string
let folder: string
let example: ExampleRun
let cluster: Cluster

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'finalize-'))
  example = await exampleRun(home)
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(home, 'case-'))
  await cp(join(home, 'state'), join(folder, 'state'), { recursive: true })
  cluster = {
    uid: example.plan.cluster.uid,
    nodes: new Map([...example.world.nodes].map(([name, { kube }]) => [name, structuredClone(kube)])),
    upgradePlans: [upgradePlan('k3os-system', 'k3os-latest', 'rancher/k3os')],
    objects: new Map([
      ['secrets kube-system/old-1.node-password.k3s', 'uid-secret'],
      ['leases kube-system/k3os-migrate', 'uid-lease'],
    ]),
    lock: { holder: null, record: null },
    version: 1,
    changes: [],
    holders: [],
    failAt: 0,
  }
  Object.assign(node('shop-1').labels, {
    'k3os.io/upgrade': 'latest',
    'plan.upgrade.cattle.io/k3os-latest': 'x',
  })
  Object.assign(node('shop-1').labels, { 'plan.upgrade.cattle.io/k3s-1.22': 'x', rack: '7' })
  Object.assign(node('shop-2').annotations, { 'k3os-migrate/run': `${runId()}/1` })
  node('shop-2').taints.push({ key: 'k3os-migrate/still-to-move', value: '', effect: 'PreferNoSchedule' })
  node('shop-2').taints.push({ key: 'own', value: '', effect: 'NoSchedule' })
})

const pausedRun: RunRecord = {
  apiVersion: 'k3os-migrate/v1',
  kind: 'RunRecord',
  runId: 'another',
  planDigest: 'sha256:0',
  target: 'debian',
  startedAt: '2026-11-24T08:00:00.000Z',
  updatedAt: '2026-11-24T08:00:00.000Z',
  status: 'paused',
  reason: null,
  nodes: [],
  pendingUnnamed: 0,
  next: null,
  journal: { seq: 1, hash: '' },
}

const runId = () => example.directory.split('/').at(-1) ?? ''

function node(name: string): KubeNode {
  const found = cluster.nodes.get(name)
  if (found === undefined) throw new Error(`no node ${name}`)
  return found
}

function upgradePlan(namespace: string, name: string, image: string): FoundPlan {
  const nodeSelector = { matchLabels: {}, matchExpressions: [mode] }
  return { uid: `uid-of-${name}`, sha256: sha256(image), plan: { namespace, name, image, nodeSelector } }
}

/** As the reader of a real cluster gives it out: copies. */
function ports(): FinalizeClusterPorts {
  const key = ({ resource, namespace, name }: LeftoverName): string => `${resource} ${namespace}/${name}`
  const change = (what: string): void => {
    if (cluster.changes.length + 1 === cluster.failAt)
      throw new MigrateError('the API server is gone', { exitCode: exitCode.unexpected })
    cluster.changes.push(what)
    cluster.holders.push(cluster.lock.holder)
  }
  return {
    kube: {
      where: 'here',
      clusterUid: async () => cluster.uid,
      node: async (name) => structuredClone(cluster.nodes.get(name)),
      async patchNode(name, { labels = {}, annotations = {}, taints }) {
        change(`patch ${name}`)
        const now = node(name)
        for (const name of Object.keys(labels)) delete now.labels[name]
        for (const name of Object.keys(annotations)) delete now.annotations[name]
        if (taints !== undefined) now.taints.splice(0, now.taints.length, ...taints)
      },
    },
    nodes: { nodes: async () => structuredClone([...cluster.nodes.values()]) },
    leftovers: {
      upgradePlans: async () => [...cluster.upgradePlans],
      uidOf: async (name) =>
        name.resource === 'plans'
          ? cluster.upgradePlans.find(({ plan }) => plan.name === name.name)?.uid
          : cluster.objects.get(key(name)),
      async remove(object) {
        change(`delete ${key(object)}`)
        cluster.objects.delete(key(object))
        cluster.upgradePlans = cluster.upgradePlans.filter(({ uid }) => uid !== object.uid)
      },
    },
    lease: {
      where: 'here',
      read: async () => leaseNow(),
      async create(change) {
        if (leaseNow() !== undefined) return undefined
        cluster.objects.set(leaseKey, 'uid-of-a-new-lease')
        return changeLease(change)
      },
      update: async (version, change) => (leaseNow()?.version === version ? changeLease(change) : undefined),
    },
    host: { readFile: noDisk, askInPlace: noDisk, actInPlace: noDisk },
    clock: new VirtualClock(new Date('2026-11-25T08:00:00Z')),
  }
}

const leaseKey = 'leases kube-system/k3os-migrate'

function leaseNow(): LeaseState | undefined {
  if (!cluster.objects.has(leaseKey)) return undefined
  const { holder, record } = cluster.lock
  return {
    version: String(cluster.version),
    holder,
    durationSeconds: 60,
    acquiredAt: null,
    renewedAt: null,
    transitions: 1,
    annotations: record === null ? {} : { 'k3os-migrate/run-record': record },
  }
}

function changeLease({ holder }: LeaseChange): LeaseState | undefined {
  cluster.version += 1
  if (holder !== undefined) cluster.lock.holder = holder
  return leaseNow()
}

/** These nodes were rebuilt: nothing of k3OS is on their disks, and nobody looks. */
async function noDisk(): Promise<never> {
  throw new Error('the disk of a rebuilt node was asked for')
}

const planFile = (): FinalizePlan =>
  JSON.parse(readFileSync(join(folder, 'finalize.json'), 'utf8')) as FinalizePlan

async function list(io = recordingIo(folder)) {
  await finalize({ stateDir: 'state', out: 'finalize.json', output: 'table' }, io, ports())
  return io
}

async function carryOut(
  options: Partial<FinalizeApplyOptions> = {},
  changes: Partial<CommandIo> = {},
  prepare: (given: ReturnType<typeof ports>) => void = () => undefined,
) {
  const io = recordingIo(folder, changes)
  const given = ports()
  prepare(given)
  const end = await finalizeApply(
    { plan: 'finalize.json', stateDir: 'state', output: 'table', ...options },
    io,
    given,
  ).catch((error: unknown) => error)
  return { end, io }
}
const approved = async () => carryOut({ approvePlan: planFile().digest })

const listed = [
  'Plan k3os-system/k3os-latest',
  'labels k3os.io/upgrade, plan.upgrade.cattle.io/k3os-latest of node shop-1',
  'annotation k3os-migrate/run and taint k3os-migrate/still-to-move of node shop-2',
  'Lease kube-system/k3os-migrate',
]

describe('the plan of finalize', () => {
  test('lists exactly what k3OS and the run left, what is the run’s own last', async () => {
    await list()
    const texts = planFile().items.map(leftoverText)
    expect(texts.map((text) => listed.find((start) => text.startsWith(start)))).toEqual(listed)
  })

  test('is made without changing anything', async () => {
    await list()
    expect(cluster.changes).toEqual([])
  })

  test('has a digest of its own', async () => {
    await list()
    const plan = planFile()
    expect(plan.digest).toBe(finalizeDigest(plan, sha256))
  })

  test('says what it keeps, and why', async () => {
    const io = await list()
    expect(io.stdout().replaceAll(/\s+/g, ' ')).toContain('kubectl delete namespace k3os-system')
  })

  test('has the Secret of a node that is no more', async () => {
    cluster.objects.set('secrets kube-system/shop-4.node-password.k3s', 'uid-of-shop-4')
    cluster.nodes.delete('shop-4')
    await list()
    expect(planFile().items.map(leftoverText)).toContain('Secret kube-system/shop-4.node-password.k3s')
  })

  test('leaves the Secret of a node that is there alone', async () => {
    cluster.objects.set('secrets kube-system/shop-4.node-password.k3s', 'uid-of-shop-4')
    await list()
    expect(planFile().items.filter((item) => item.kind === 'object' && item.resource === 'secrets')).toEqual(
      [],
    )
  })

  test('leaves Plans of others alone', async () => {
    cluster.upgradePlans.push(upgradePlan('system-upgrade', 'server', 'rancher/k3s-upgrade'))
    await list()
    expect(planFile().items.map(leftoverText)).not.toContain('Plan system-upgrade/server')
  })

  test('keeps the Plans of k3OS while a node still runs it, and touches nothing on that node', async () => {
    Object.assign(node('shop-3'), { osImage: 'k3OS v0.21.5-k3s2r1' })
    node('shop-3').labels['k3os.io/mode'] = 'local'
    await list()
    const plan = planFile()
    expect(plan.kept).toEqual([{ what: 'Plan k3os-system/k3os-latest', why: 'shop-3 still runs k3OS' }])
    expect(plan.items.filter((item) => item.kind === 'node-keys' && item.node === 'shop-3')).toEqual([])
  })

  test('is refused with 3 when such a Plan would reach a node that moved', async () => {
    Object.assign(node('shop-3'), { osImage: 'k3OS v0.21.5-k3s2r1' })
    const [found] = cluster.upgradePlans
    if (found === undefined) throw new Error('no plan')
    const nodeSelector = { matchLabels: { rack: '7' }, matchExpressions: [] }
    cluster.upgradePlans = [{ ...found, plan: { ...found.plan, nodeSelector } }]
    await expect(list()).rejects.toMatchObject({
      exitCode: exitCode.inhibitors,
      message: expect.stringContaining('selects shop-1, which moved'),
    })
  })

  test('is not written when nothing is left', async () => {
    await list()
    await approved()
    await rm(join(folder, 'finalize.json'))
    const io = await list()
    expect(io.stderr()).toContain('nothing is left')
    expect(existsSync(join(folder, 'finalize.json'))).toBe(false)
  })

  test('is refused with 5 for another cluster', async () => {
    cluster.uid = 'another'
    await expect(list()).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
  })

  test('is refused with 9 while a node is still to move', async () => {
    const file = join(folder, 'state/runs', runId(), 'journal.jsonl')
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const records = lines.map((line) => JSON.parse(line) as JournalRecord)
    const last = records.findLastIndex(({ node: name, step }) => name === 'office-1' && step === 'node')
    writeFileSync(file, `${lines.slice(0, last).join('\n')}\n`)
    await expect(list()).rejects.toMatchObject({
      exitCode: exitCode.blocked,
      message: 'the run is not complete: office-1 did not move yet',
    })
  })
})

describe('finalize apply', () => {
  beforeEach(async () => {
    await list()
  })

  test('removes everything that was listed', async () => {
    const { end } = await approved()
    expect(end).toBe(0)
    expect([cluster.upgradePlans, [...cluster.objects.keys()]]).toEqual([
      [],
      ['secrets kube-system/old-1.node-password.k3s'],
    ])
    const keys = [...cluster.nodes.values()].flatMap(({ labels, annotations }) => [
      ...Object.keys(labels),
      ...Object.keys(annotations),
    ])
    expect(keys.filter((key) => key.startsWith('k3os'))).toEqual([])
  })

  test('leaves labels and taints of others', async () => {
    await approved()
    expect(node('shop-1').labels).toMatchObject({ rack: '7', 'plan.upgrade.cattle.io/k3s-1.22': 'x' })
    expect(node('shop-2').taints).toContainEqual({ key: 'own', value: '', effect: 'NoSchedule' })
  })

  test('removes what is the run’s own last', async () => {
    await approved()
    expect(cluster.changes.at(-1)).toBe('delete leases kube-system/k3os-migrate')
  })

  test('journals intent and result of each in a chain of its own', async () => {
    await approved()
    const text = readFileSync(join(folder, 'state/runs', runId(), 'finalize/journal.jsonl'), 'utf8')
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JournalRecord)
    expect(records[0]?.data).toMatchObject({
      event: 'start',
      planDigest: planFile().digest,
      approval: { how: 'plan' },
    })
    expect(records.filter(({ phase }) => phase !== 'note').map(({ phase }) => phase)).toEqual(
      planFile().items.flatMap(() => ['intent', 'result']),
    )
  })

  test('is part of the evidence of the run, which still holds', async () => {
    await approved()
    const io = recordingIo(folder)
    await evidenceCreate({ stateDir: 'state', out: 'x.tar' }, io)
    expect(await evidenceVerify({ file: 'x.tar', output: 'table' }, io)).toBe(0)
    expect(io.stdout()).toContain('finalize/journal.jsonl')
  })

  test.each<[string, string, (content: string) => string]>([
    [
      'plan.json',
      'it was changed after it was made',
      (content) => content.replace('Lease of', 'x').replace('lock and', 'key and'),
    ],
    ['journal.jsonl', 'record 2 breaks the chain', (content) => content.replace('"removes"', '"keeps"')],
    [
      'journal.jsonl',
      'its last record is not an end',
      (content) => `${content.trimEnd().split('\n').slice(0, -1).join('\n')}\n`,
    ],
  ])('is no evidence with another %s: %s', async (file, message, change) => {
    await approved()
    const path = join(folder, 'state/runs', runId(), 'finalize', file)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    await expect(
      evidenceCreate({ stateDir: 'state', out: 'x.tar' }, recordingIo(folder)),
    ).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringMatching(`^finalize/${file} does not hold: .*${message}`),
    })
  })

  test('only prints the sentences in a dry run, without an approval', async () => {
    const { end, io } = await carryOut({ dryRun: true })
    expect([end, cluster.changes]).toEqual([0, []])
    expect(io.stdout().trimEnd().split('\n')).toEqual(
      planFile().items.map((item) => `${item.kind === 'object' ? 'delete' : 'remove'} ${leftoverText(item)}`),
    )
    expect(existsSync(join(folder, 'state/runs', runId(), 'finalize'))).toBe(false)
  })

  test('takes a typed "finalize" for a yes', async () => {
    const { end } = await carryOut({}, { interactive: true, ask: async () => 'finalize' })
    expect(end).toBe(0)
  })

  test.each(['yes', '', 'y', undefined])('takes %j for a no', async (answer) => {
    const { end } = await carryOut({}, { interactive: true, ask: async () => answer })
    expect(end).toMatchObject({ exitCode: exitCode.approvalMissing })
    expect(cluster.changes).toEqual([])
  })

  test.each([undefined, `sha256:${'0'.repeat(64)}`])(
    'ends with 10 where nobody can be asked and the approval is %s',
    async (approvePlan) => {
      const { end } = await carryOut(approvePlan === undefined ? {} : { approvePlan })
      expect(end).toMatchObject({ exitCode: exitCode.approvalMissing })
      expect(cluster.changes).toEqual([])
    },
  )

  describe('refuses with 5, with nothing changed,', () => {
    test.each<[string, string, () => void]>([
      ['a label with another value', 'changed', () => (node('shop-1').labels['k3os.io/upgrade'] = 'other')],
      ['a label more', 'changed', () => (node('shop-1').labels['k3os.io/mode'] = 'local')],
      ['a node that became another', 'changed', () => Object.assign(node('shop-1'), { uid: 'another' })],
      ['a leftover that came', 'came', () => (node('shop-3').labels['k3os.io/mode'] = 'local')],
      ['a leftover that went', 'went', () => cluster.objects.delete('leases kube-system/k3os-migrate')],
      [
        'a Plan that was edited',
        'Plan k3os-system/k3os-latest changed',
        () => (cluster.upgradePlans = [upgradePlan('k3os-system', 'k3os-latest', 'rancher/k3os:v0.22')]),
      ],
    ])('%s', async (_, message, change) => {
      change()
      const { end } = await approved()
      expect(end).toMatchObject({ exitCode: exitCode.stalePlan, message: expect.stringContaining(message) })
      expect(cluster.changes).toEqual([])
    })

    test('another cluster', async () => {
      cluster.uid = 'another'
      expect((await approved()).end).toMatchObject({ exitCode: exitCode.stalePlan })
    })

    test('a plan that was changed', async () => {
      const plan = planFile()
      writeFileSync(join(folder, 'finalize.json'), JSON.stringify({ ...plan, items: plan.items.slice(1) }))
      expect((await approved()).end).toMatchObject({ exitCode: exitCode.stalePlan })
      expect(cluster.changes).toEqual([])
    })
  })

  test('refuses with 6 a node that another run works on', async () => {
    node('shop-3').annotations['k3os-migrate/run'] = 'another/1'
    expect((await approved()).end).toMatchObject({ exitCode: exitCode.locked })
    expect(cluster.changes).toEqual([])
  })

  test.each<[string, Cluster['lock']]>([
    ['a run holds the lock', { holder: 'kim@desk/1/another', record: null }],
    ['a run holds the lock, this one', { holder: `kim@desk/1/this`, record: null }],
    ['another run has paused', { holder: null, record: JSON.stringify(pausedRun) }],
    ['the record of a run cannot be read', { holder: null, record: '{' }],
  ])('refuses with 6 when %s', async (_, lock) => {
    cluster.lock = lock
    expect((await approved()).end).toMatchObject({ exitCode: exitCode.locked })
    await expect(list()).rejects.toMatchObject({ exitCode: exitCode.locked })
    expect(cluster.changes).toEqual([])
  })

  describe('and the lock of the cluster', () => {
    test('has it while it removes things, to the last one', async () => {
      await approved()
      const { holders } = cluster
      expect(holders.map((holder) => holder?.split('/').at(-1))).toEqual(cluster.changes.map(() => runId()))
    })

    test('lets go of it when something fails', async () => {
      cluster.failAt = 2
      await approved()
      expect([cluster.lock.holder, cluster.objects.has(leaseKey)]).toEqual([null, true])
    })

    test('does nothing more once somebody else has it', async () => {
      const { end } = await carryOut({ approvePlan: planFile().digest }, {}, (given) => {
        const patchNode = given.kube.patchNode
        given.kube.patchNode = async (...all) => {
          await patchNode(...all)
          cluster.lock.holder = 'kim@desk/1/another'
          cluster.version += 1
          await given.clock.sleep(30_000, new AbortController().signal)
        }
      })
      expect(end).toMatchObject({ exitCode: exitCode.locked })
      expect([cluster.changes.length, cluster.lock.holder]).toEqual([2, 'kim@desk/1/another'])
    })

    test('takes it from a dead run only when told to, after its silence', async () => {
      cluster.lock.holder = 'kim@desk/1/another'
      const refused = await approved()
      expect(refused.end).toMatchObject({ exitCode: exitCode.locked })
      const { end, io } = await carryOut({ approvePlan: planFile().digest, takeOver: 'another' })
      expect(end).toBe(0)
      expect(io.stderr()).toContain('it may be taken after 60 s without a sign of life')
    })

    test('goes on after a finalize of the same run that died with it', async () => {
      cluster.lock.holder = `kim@desk/1/${runId()}`
      expect((await approved()).end).toBe(0)
    })

    test('makes one where there is none, and leaves none behind', async () => {
      cluster.objects.delete(leaseKey)
      await list()
      expect((await approved()).end).toBe(0)
      expect(cluster.holders.every((holder) => holder?.endsWith(`/${runId()}`))).toBe(true)
      expect(cluster.objects.has(leaseKey)).toBe(false)
    })

    test('refuses with 6 while a process works on the run', async () => {
      const release = await lockRun(join(folder, 'state/runs', runId()))
      const { end } = await approved()
      await release()
      expect(end).toMatchObject({ exitCode: exitCode.locked })
      expect(cluster.changes).toEqual([])
    })
  })

  test('goes on after a failure at any change, and removes nothing twice', async () => {
    const count = planFile().items.length
    for (let failAt = 1; failAt <= count; failAt += 1) {
      cluster.failAt = failAt
      const { end } = await approved()
      expect(end).toMatchObject({ exitCode: exitCode.unexpected })
      expect(cluster.changes).toHaveLength(failAt - 1)
    }
    cluster.failAt = 0
    expect((await approved()).end).toBe(0)
    expect(new Set(cluster.changes).size).toBe(count)
  })
})

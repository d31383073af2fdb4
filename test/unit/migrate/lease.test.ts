import { describe, expect, it } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { parseRunRecord, type RunRecord } from '../../../src/core/run-record.ts'
import { leaseAnnotations, LeaseLost } from '../../../src/migrate/lease.ts'
import { leaseLab, sam, type LeaseLab } from '../../support/lease-parts.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

const signal = new AbortController().signal
const stateOf = async ({ store }: LeaseLab) => store.read(signal)

describe('taking the lock of a cluster', () => {
  it('writes down who has it, and for which command and plan', async () => {
    const lab = leaseLab()
    await lab.take({ jobUrl: 'https://ci.example/7' })
    expect(await stateOf(lab)).toMatchObject({
      holder: 'kim@desk/4711/run-1',
      durationSeconds: 60,
      acquiredAt: '2026-11-24T08:00:00.000Z',
      annotations: {
        [leaseAnnotations.command]: 'resume run-1',
        [leaseAnnotations.plan]: 'sha256:test',
        [leaseAnnotations.job]: 'https://ci.example/7',
      },
    })
  })

  it('says who has it, since when, and how to take it over', async () => {
    const lab = leaseLab()
    await lab.take()
    await lab.pass(50)
    const refused = lab.take(sam)
    await expect(refused).rejects.toMatchObject({
      exitCode: exitCode.locked,
      message:
        'simulation is locked by kim@desk, process 4711, run run-1 (since 2026-11-24T08:00:00.000Z, last renewed 2026-11-24T08:00:40.000Z)',
      hint: 'wait for it; once it is surely dead, and silent for 60 s: k3os-migrate apply plan.json --take-over run-1',
    })
  })

  it('lets exactly one of two pass that come in the same moment', async () => {
    const lab = leaseLab()
    const ends = await Promise.allSettled([lab.take(), lab.take(sam)])
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  it('goes on at once after a dead process of the same run on the same machine', async () => {
    const lab = leaseLab()
    ;(await lab.take()).stop()
    const again = await lab.take({ pid: 4712 })
    expect([again.takenFrom, lab.clock.monotonicMs(), (await stateOf(lab))?.transitions]).toEqual([
      'kim@desk/4711/run-1',
      0,
      2,
    ])
  })

  it.each([
    ['on another machine', { machine: 'boot-2' }],
    ['where the system does not name the machine', { machine: null }],
    ['of another person', { who: 'sam@desk' }],
  ])('waits for silence of the same run %s', async (_, other) => {
    const lab = leaseLab()
    ;(await lab.take('machine' in other && other.machine === null ? other : {})).stop()
    await lab.take({ pid: 4712, ...other })
    expect([lab.clock.monotonicMs(), lab.said[0]]).toEqual([
      60_000,
      'kim@desk, process 4711, run run-1 has the lock; it may be taken after 60 s without a sign of life',
    ])
  })

  it('does not count silence that it has not seen itself', async () => {
    const lab = leaseLab()
    ;(await lab.take()).stop()
    await lab.pass(3_600)
    await lab.take({ machine: 'boot-2' })
    expect(lab.clock.monotonicMs()).toBe(3_660_000)
  })

  it('does not take it from one that is alive, whoever asks for it', async () => {
    const lab = leaseLab()
    await lab.take()
    await expect(lab.take({ ...sam, takeOver: 'run-1' })).rejects.toMatchObject({ exitCode: exitCode.locked })
  })

  it('takes it from another run that is named and silent', async () => {
    const lab = leaseLab()
    ;(await lab.take()).stop()
    expect((await lab.take({ ...sam, takeOver: 'run-1' })).takenFrom).toBe('kim@desk/4711/run-1')
  })

  it('does not take it from another run than the one that is named', async () => {
    const lab = leaseLab()
    ;(await lab.take()).stop()
    await expect(lab.take({ ...sam, takeOver: 'run-7' })).rejects.toMatchObject({ exitCode: exitCode.locked })
  })

  it('takes nothing while nobody answers', async () => {
    const lab = leaseLab()
    lab.isUp = false
    await expect(lab.take()).rejects.toMatchObject({ transient: true })
  })
})

describe('a run that is over or paused', () => {
  const record = (status: RunRecord['status']): string =>
    JSON.stringify({
      apiVersion: 'k3os-migrate/v1',
      kind: 'RunRecord',
      runId: 'run-1',
      planDigest: 'sha256:test',
      target: 'debian',
      startedAt: '2026-11-24T08:00:00.000Z',
      updatedAt: '2026-11-24T08:01:00.000Z',
      status,
      reason: null,
      nodes: [],
      pendingUnnamed: 0,
      next: null,
      journal: { seq: 0, hash: '' },
    } satisfies RunRecord)

  async function released(content: string): Promise<LeaseLab> {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.tell(content)
    await hold.release()
    return lab
  }

  it('leaves its record and no holder', async () => {
    const state = await stateOf(await released(record('paused')))
    expect([state?.holder, parseRunRecord(state?.annotations[leaseAnnotations.record])]).toMatchObject([
      null,
      { runId: 'run-1', status: 'paused' },
    ])
  })

  it.each(['complete', 'abandoned'] as const)('%s, lets another one begin', async (status) => {
    const lab = await released(record(status))
    expect((await lab.take(sam)).takenFrom).toBeNull()
  })

  it.each(['paused', 'partial', 'needs-operator', 'running'] as const)(
    '%s, keeps another one away until its people end it',
    async (status) => {
      const lab = await released(record(status))
      await expect(lab.take(sam)).rejects.toMatchObject({
        exitCode: exitCode.locked,
        message: expect.stringContaining(`run run-1 of simulation is not finished (${status}`),
        hint: 'k3os-migrate resume run-1, or give it up: k3os-migrate abandon run-1; if its directory is lost: k3os-migrate apply plan.json --take-over run-1',
      })
    },
  )

  it('is gone on with by its own name, and counts as over when it is named', async () => {
    const lab = await released(record('paused'))
    await (await lab.take()).release()
    expect((await lab.take({ ...sam, takeOver: 'run-1' })).holder).toBe('sam@laptop/12/run-2')
  })

  it('with a record that nobody can read keeps everybody away', async () => {
    const lab = await released('{"kind":"RunRecord"')
    await expect(lab.take(sam)).rejects.toMatchObject({
      exitCode: exitCode.locked,
      message: expect.stringContaining('cannot be read'),
    })
  })
})

describe('a run that goes on from a journal', () => {
  async function stoppedRun() {
    const simulated = simulate(smallScenario())
    const lab = leaseLab(simulated.world.clock)
    const lock = await lab.take()
    await simulated.start({ lock, limit: 1 })
    await lock.release()
    return { lab, records: simulated.journal }
  }

  it('that is as new as what the cluster knows, may', async () => {
    const { lab, records } = await stoppedRun()
    expect((await lab.take({ records })).holder).toBe('kim@desk/4711/run-1')
  })

  it('that is a copy from earlier, is refused', async () => {
    const { lab, records } = await stoppedRun()
    await expect(lab.take({ records: records.slice(0, 10) })).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringMatching(
        /^this journal ends with record 10, and simulation has seen record \d+ of the run/,
      ),
    })
  })

  it('that went another way from somewhere on, is refused', async () => {
    const { lab, records } = await stoppedRun()
    const other = records.map((record) => ({ ...record, hash: `other-${record.seq}` }))
    await expect(lab.take({ records: other })).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringContaining('is another one than simulation has seen'),
    })
  })
})

describe('holding the lock', () => {
  it('renews it while time passes', async () => {
    const lab = leaseLab()
    await lab.take()
    await lab.pass(3_600)
    expect((await stateOf(lab))?.renewedAt).toBe('2026-11-24T08:59:40.000Z')
  })

  it('is lost when somebody took it while this process was stopped', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.stop()
    await lab.take({ ...sam, takeOver: 'run-1' })
    await expect(hold.prove()).rejects.toThrow(
      new LeaseLost('sam@laptop, process 12, run run-2 has taken the lock of simulation from this run'),
    )
  })

  it('is lost to another process with the very same name', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.stop()
    ;(await lab.take()).stop()
    await lab.pass(30)
    await expect(hold.prove()).rejects.toThrow(LeaseLost)
  })

  it('is lost when somebody removed it', async () => {
    const lab = leaseLab()
    let isRemoved = false
    const read = lab.store.read.bind(lab.store)
    const update = lab.store.update.bind(lab.store)
    const hold = await lab.take({
      store: {
        ...lab.store,
        read: async (until) => (isRemoved ? undefined : read(until)),
        update: async (...all) => (isRemoved ? undefined : update(...all)),
      },
    })
    isRemoved = true
    await lab.pass(25)
    await expect(hold.prove()).rejects.toThrow('somebody removed the lock of simulation')
  })

  it('stays lost', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.stop()
    await (await lab.take({ ...sam, takeOver: 'run-1' })).release()
    await expect(hold.prove()).rejects.toThrow(LeaseLost)
    await expect(hold.prove()).rejects.toThrow(LeaseLost)
  })

  it('survives an answer that was lost on the way', async () => {
    const lab = leaseLab()
    const update = lab.store.update.bind(lab.store)
    let losing = false
    const hold = await lab.take({
      store: {
        ...lab.store,
        async update(...all) {
          const state = await update(...all)
          if (losing)
            throw new MigrateError('connection reset', { exitCode: exitCode.blocked, transient: true })
          return state
        },
      },
    })
    losing = true
    await lab.pass(21)
    losing = false
    await lab.pass(20)
    await expect(hold.prove()).resolves.toBeUndefined()
  })

  it('is believed for 20 seconds without an answer, and then not any more', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    lab.isUp = false
    await lab.pass(19)
    await expect(hold.prove()).resolves.toBeUndefined()
    await lab.pass(2)
    await expect(hold.prove()).rejects.toMatchObject({ transient: true, exitCode: exitCode.blocked })
    lab.isUp = true
    await expect(hold.prove()).resolves.toBeUndefined()
  })

  it('is not believed after a sleep that only the calendar noticed', async () => {
    const lab = leaseLab()
    let sleptMs = 0
    const { clock } = lab
    const hold = await lab.take({
      clock: {
        now: () => new Date(clock.now().getTime() + sleptMs),
        monotonicMs: () => clock.monotonicMs(),
        sleep: async (ms, until) => clock.sleep(ms, until),
        timeout: (ms) => clock.timeout(ms),
      },
    })
    lab.isUp = false
    sleptMs = 8 * 3_600_000
    await expect(hold.prove()).rejects.toMatchObject({ transient: true })
  })

  it('bears the silence that was announced, and tells others to bear it too', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.expectSilence(3_600_000)
    await hold.prove()
    lab.isUp = false
    await lab.pass(3_000)
    await expect(hold.prove()).resolves.toBeUndefined()
    lab.isUp = true
    expect(await stateOf(lab)).toMatchObject({
      durationSeconds: 3_600,
      annotations: { [leaseAnnotations.silence]: 'up to 3600 s from 2026-11-24T08:00:00.000Z' },
    })
    hold.expectSilence(null)
    await hold.prove()
    expect((await stateOf(lab))?.durationSeconds).toBe(60)
  })

  it('after an announced silence is waited for as long as it was announced, and says what is quicker', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.expectSilence(3_600_000)
    await hold.prove()
    hold.stop()
    await lab.take({ machine: 'boot-2' })
    expect([lab.clock.monotonicMs(), lab.said[0]]).toEqual([
      3_600_000,
      'kim@desk, process 4711, run run-1 has the lock; it may be taken after 3600 s without a sign of life; if its process is surely dead: kubectl -n kube-system delete lease k3os-migrate',
    ])
  })

  it('does not bear more silence than was announced', async () => {
    const lab = leaseLab()
    const hold = await lab.take()
    hold.expectSilence(600_000)
    await hold.prove()
    lab.isUp = false
    await lab.pass(601)
    await expect(hold.prove()).rejects.toMatchObject({ transient: true })
  })

  it('begins in silence when the server is being moved, and takes the lock as soon as it answers', async () => {
    const lab = leaseLab()
    lab.isUp = false
    const hold = await lab.take({ maySleep: true })
    hold.expectSilence(600_000)
    await hold.prove()
    lab.isUp = true
    await lab.pass(20)
    expect((await stateOf(lab))?.holder).toBe('kim@desk/4711/run-1')
  })

  it('begun in silence, finds out that the cluster has another run by now', async () => {
    const lab = leaseLab()
    await lab.take(sam)
    lab.isUp = false
    const hold = await lab.take({ maySleep: true })
    hold.expectSilence(600_000)
    lab.isUp = true
    await expect(hold.prove()).rejects.toMatchObject({ exitCode: exitCode.locked })
    await expect(hold.prove()).rejects.toMatchObject({ exitCode: exitCode.locked })
  })
})

describe('a run under the lock', () => {
  it('changes nothing without a proof of the last 20 seconds', async () => {
    const simulated = simulate(smallScenario())
    const lab = leaseLab(simulated.world.clock)
    let provenMs = 0
    const update = lab.store.update.bind(lab.store)
    const store = {
      ...lab.store,
      async update(...all: Parameters<typeof update>) {
        provenMs = simulated.world.clock.monotonicMs()
        return update(...all)
      },
    }
    const lock = await lab.take({ store })
    const ages: number[] = []
    const { kube, host, hook } = simulated.ports
    for (const [port, method] of [
      [kube, 'patchNode'],
      [kube, 'evict'],
      [host, 'writeFile'],
      [hook, 'run'],
    ] as const) {
      const send = Reflect.get(port, method) as (...args: unknown[]) => unknown
      Object.assign(port, {
        [method]: (...args: unknown[]) => {
          ages.push(simulated.world.clock.monotonicMs() - provenMs)
          return send.apply(port, args)
        },
      })
    }
    expect((await simulated.start({ lock })).error).toBeNull()
    expect([ages.length > 15, Math.max(...ages) <= 20_000]).toEqual([true, true])
  })

  it('starts no step and undoes nothing once it is lost, wherever it was', async () => {
    const whole = simulate(smallScenario())
    await whole.start({ limit: 1 })
    // Watching a node that is done changes nothing, and is finished.
    const last = whole.journal.findIndex(({ step }) => step === 'soak')
    for (let records = 1; records <= last; records += 3) {
      const simulated = simulate(smallScenario())
      const lab = leaseLab(simulated.world.clock)
      const lock = await lab.take()
      let changed = 0
      const push = simulated.journal.push.bind(simulated.journal)
      simulated.journal.push = (...added) => {
        const length = push(...added)
        if (length === records) lock.stop()
        return length
      }
      // The process sleeps for so long at this record; meanwhile its Lease is taken.
      const { clock } = simulated.ports
      const patchNode = simulated.ports.kube.patchNode.bind(simulated.ports.kube)
      simulated.ports.kube.patchNode = async (...all) => {
        changed += 1
        return patchNode(...all)
      }
      const running = simulated.start({
        lock: {
          holder: lock.holder,
          takenFrom: null,
          expectSilence: (ms) => lock.expectSilence(ms),
          tell: (record) => lock.tell(record),
          async prove() {
            if (simulated.journal.length >= records) {
              await clock.sleep(100_000, signal)
              changed = 0
            }
            return lock.prove()
          },
        },
        limit: 1,
      })
      const taking = async () => {
        while (simulated.journal.length < records) await clock.sleep(1_000, signal)
        return lab.take({ ...sam, takeOver: 'run-1' })
      }
      const [{ error }] = await Promise.all([running, taking()])
      const end = simulated.journal.at(-1)
      expect(
        [error?.exitCode, changed, end?.phase === 'result' && end.step === 'node'],
        `record ${records}`,
      ).toEqual([exitCode.locked, 0, false])
    }
  })

  it('can be seen in the cluster while it goes on, and where it stopped', async () => {
    const simulated = simulate(smallScenario())
    const lab = leaseLab(simulated.world.clock)
    const lock = await lab.take()
    await simulated.start({ lock, limit: 1 })
    const record = parseRunRecord((await stateOf(lab))?.annotations[leaseAnnotations.record])
    expect(record).toMatchObject({
      status: 'running',
      runId: 'run-1',
      nodes: [
        { name: 'a', state: 'in-progress', step: 'workloads' },
        { name: 'b', state: 'pending' },
        { name: 's', state: 'pending' },
      ],
      next: 'k3os-migrate resume run-1',
    })
  })
})

import { describe, expect, it } from 'vitest'
import { diskError } from '../../../src/adapters/files.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import type { NodePatch } from '../../../src/migrate/ports.ts'
import { blockedScenario, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

/** What the cluster is asked to change, in order. */
function watchPatches(simulated: Simulated): (readonly [string, NodePatch])[] {
  const patches: (readonly [string, NodePatch])[] = []
  const { kube } = simulated.ports
  const patchNode = kube.patchNode.bind(kube)
  kube.patchNode = async (name, patch, signal) => {
    patches.push([name, patch])
    return patchNode(name, patch, signal)
  }
  return patches
}

function interrupt(simulated: Simulated, at: (record: JournalRecord) => boolean, act: () => void): void {
  const push = simulated.journal.push.bind(simulated.journal)
  simulated.journal.push = (...records) => {
    const length = push(...records)
    if (records.some(at)) act()
    return length
  }
}

async function exitOf(running: ReturnType<Simulated['start']>): Promise<number> {
  try {
    return (await running).exit
  } catch (error) {
    if (error instanceof MigrateError) return error.exitCode
    throw error
  }
}

const away = new MigrateError('patch node a: the API server does not answer', {
  exitCode: exitCode.blocked,
  transient: true,
})

describe('a failure that may pass', () => {
  it('is met by looking again, and the run goes on as if nothing had been', async () => {
    const simulated = simulate(smallScenario())
    const { kube } = simulated.ports
    const patchNode = kube.patchNode.bind(kube)
    let failures = 0
    kube.patchNode = async (name, patch, signal) => {
      failures += 1
      if (failures <= 2) throw away
      return patchNode(name, patch, signal)
    }
    const { error } = await simulated.start({ limit: 1 })
    const cordoned = simulated.journal.filter(({ step, phase }) => step === 'cordon' && phase === 'result')
    expect([error, cordoned.map(({ data }) => data['outcome'])]).toEqual([null, ['done']])
  })

  it('is not done twice when it had an effect after all', async () => {
    const simulated = simulate(smallScenario())
    const patches = watchPatches(simulated)
    const { kube } = simulated.ports
    const patchNode = kube.patchNode.bind(kube)
    let first = true
    kube.patchNode = async (name, patch, signal) => {
      await patchNode(name, patch, signal)
      if (first) {
        first = false
        throw away
      }
    }
    await simulated.start({ limit: 1 })
    expect(patches.filter(([, { unschedulable }]) => unschedulable === true)).toHaveLength(1)
  })

  it('is a failure of the step when it does not pass', async () => {
    const simulated = simulate(smallScenario())
    simulated.ports.kube.patchNode = async () => {
      throw away
    }
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.exitCode).toBe(exitCode.blocked)
    expect(simulated.world.clock.monotonicMs()).toBeGreaterThan(5 * 60_000 - 1)
  })
})

describe.each([
  ['full', 'ENOSPC', 'the disk is full'],
  ['broken', 'EIO', 'the disk reports an error (EIO)'],
])('a journal on a disk that is %s', (_, code, reason) => {
  const failure = diskError('write the journal', Object.assign(new Error(code), { code }))

  /** The sink fails from this record on. How many changes came after that, and how the run ended. */
  async function failFrom(simulated: Simulated, records: number) {
    const patches = watchPatches(simulated)
    let patchesThen = 0
    const push = simulated.journal.push.bind(simulated.journal)
    simulated.journal.push = (...added) => {
      patchesThen = patches.length
      if (simulated.journal.length >= records) throw failure
      return push(...added)
    }
    const exit = await exitOf(simulated.start({ limit: 1 }))
    simulated.journal.push = push
    return { exit, later: patches.length - patchesThen }
  }

  it('is told with what is wrong with it', () => {
    expect(failure).toMatchObject({ exitCode: exitCode.io, message: `cannot write the journal: ${reason}` })
  })

  it('ends the run before anything else is done, whenever it happens, and the run goes on later', async () => {
    const whole = simulate(smallScenario())
    await whole.start({ limit: 1 })
    for (let records = 1; records < whole.journal.length; records += 1) {
      const simulated = simulate(smallScenario())
      const end = await failFrom(simulated, records)
      expect(end, `no room after record ${records}`).toEqual({ exit: exitCode.io, later: 0 })
      expect((await simulated.start({ limit: 1 })).error, `no room after record ${records}`).toBeNull()
    }
  })

  it('ends an undo as well, which is finished later', async () => {
    const whole = simulate(blockedScenario())
    await whole.start()
    const failed = whole.journal.findIndex(({ data }) => data['outcome'] === 'failed')
    const last = whole.journal.findIndex(({ data }) => data['outcome'] === 'rolled-back')
    for (let records = failed; records <= last; records += 1) {
      const simulated = simulate(blockedScenario())
      const end = await failFrom(simulated, records)
      expect(end, `no room after record ${records}`).toEqual({ exit: exitCode.io, later: 0 })
      await simulated.start()
      const node = simulated.world.node('a')
      expect(node && simulated.world.kubeNode(node), `no room after record ${records}`).toMatchObject({
        unschedulable: false,
        annotations: {},
      })
    }
  })
})

describe('a run resumed with the kubeconfig of another cluster', () => {
  it.each(['cordon', 'drain', 'restore'])('touches no node of it, stopped after %s', async (last) => {
    const simulated = simulate(smallScenario())
    const stop = new AbortController()
    interrupt(
      simulated,
      ({ step, phase }) => step === last && phase === 'result',
      () => stop.abort(),
    )
    await simulated.start({ stop: stop.signal, limit: 1 })

    const { kube } = simulated.ports
    const node = kube.node.bind(kube)
    kube.node = async (name, signal) => {
      const found = await node(name, signal)
      return found === undefined ? undefined : { ...found, uid: 'of-another-cluster' }
    }
    const patches = watchPatches(simulated)
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.message).toContain('another Node object than planned')
    expect(patches).toEqual([])
  })
})

describe('a run killed while it proves that a node rejoined', () => {
  it('proves it anew: another k3s is found out', async () => {
    const simulated = simulate(smallScenario())
    const stop = new AbortController()
    interrupt(
      simulated,
      ({ step, phase }) => step === 'join' && phase === 'intent',
      () => stop.abort(),
    )
    await simulated.start({ stop: stop.signal, limit: 1 })
    await simulated.world.clock.sleep(60_000, new AbortController().signal)

    const node = simulated.world.node('a')
    if (node) node.kube.kubeletVersion = 'v1.99.0+k3s1'
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.exitCode).toBe(exitCode.postCheckFailed)
  })

  it('looks three times in a row again, ten seconds apart', async () => {
    const simulated = simulate(smallScenario())
    const stop = new AbortController()
    interrupt(
      simulated,
      ({ step, phase }) => step === 'join' && phase === 'intent',
      () => stop.abort(),
    )
    await simulated.start({ stop: stop.signal, limit: 1 })
    await simulated.world.clock.sleep(60_000, new AbortController().signal)

    await simulated.start({ limit: 1 })
    const join = simulated.journal.filter(({ step }) => step === 'join')
    const begun = join.findLast(({ phase }) => phase === 'intent')?.monotonicMs ?? Number.NaN
    const proven = join.find(({ phase }) => phase === 'result')?.monotonicMs ?? Number.NaN
    expect(proven - begun).toBeGreaterThanOrEqual(20_000)
  })
})

describe('time and signals', () => {
  it('ends with the code of SIGTERM when that stopped it', async () => {
    const simulated = simulate(smallScenario())
    const stop = new AbortController()
    interrupt(
      simulated,
      ({ step }) => step === 'cordon',
      () => stop.abort('SIGTERM'),
    )
    expect((await simulated.start({ stop: stop.signal })).exit).toBe(exitCode.terminated)
  })

  it('rolls back a step that does not end in its time', async () => {
    const simulated = simulate(smallScenario(), (plan) => ({
      ...plan,
      nodes: plan.nodes.map((node) => ({
        ...node,
        keptData: ['/data'],
        steps: node.steps.map((step) =>
          step.id === 'fingerprint' ? { ...step, timeoutMs: 50_000_000 } : step,
        ),
      })),
    }))
    const { clock, host } = simulated.ports
    clock.timeout = (ms) => (ms >= 50_000_000 ? AbortSignal.abort() : new AbortController().signal)
    host.fingerprint = async (_address, _directories, signal) => {
      signal.throwIfAborted()
      return {}
    }
    const { error } = await simulated.start({ limit: 1 })
    expect(error).toMatchObject({
      exitCode: exitCode.rolledBack,
      message: expect.stringContaining('did not end within its time'),
    })
    expect(simulated.world.node('a')?.kube.unschedulable).toBe(false)
  })

  it('says what it waits for at once, and then only now and then', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1 })
    const said = simulated.events.filter(
      (event) =>
        (event.type === 'step.progress' || event.type === 'step.heartbeat') &&
        event.step === 'reimage' &&
        event.message.startsWith('waiting'),
    )
    expect(said.length).toBeGreaterThan(2)
    expect(said.length).toBeLessThan(12)
  })
})

describe('a secret that is also a name', () => {
  const scrub = (text: string) => text.replaceAll('rack', '<redacted>')

  it('does not change what a later process acts on', async () => {
    const simulated = simulate(smallScenario())
    await simulated.start({ limit: 1, scrub })
    const captured = simulated.journal.find(({ step, phase }) => step === 'capture' && phase === 'intent')
    expect(captured?.data['labels']).toMatchObject({ 'example.org/rack': 'a' })
  })

  it('is taken out of sentences', async () => {
    const simulated = simulate(smallScenario())
    simulated.ports.hook.run = async () => ({ exitCode: 1, tail: 'cannot log in to rack' })
    await simulated.start({ limit: 1, scrub })
    const failed = simulated.journal.find(({ data }) => data['outcome'] === 'failed')
    expect(failed?.data['error']).toContain('cannot log in to <redacted>')
  })
})

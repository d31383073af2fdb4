import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abandon } from '../../../src/commands/abandon.ts'
import { apply, resume, type MovePorts } from '../../../src/commands/apply.ts'
import { status } from '../../../src/commands/status.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { clusterRunSchema } from '../../../src/core/run-record.ts'
import type { LeaseStore } from '../../../src/migrate/ports.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedLease } from '../../../src/simulation/lease.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import type { World } from '../../../src/simulation/world.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
let world: World
let ports: MovePorts & { readonly lease: LeaseStore }
let approval: { readonly approvePlan: string; readonly stateDir: string; readonly output: 'table' }
let run: string

/** A run whose hook touches nothing: its first node is rolled back, and the run pauses. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'abandon-'))
  world = await examplePlan(folder, { maxAge: 9_000 })
  const { digest } = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as Plan
  const kube = simulatedKube(world)
  ports = {
    kube,
    reader: kube,
    host: simulatedHost(world),
    hook: { run: async () => ({ exitCode: 75, tail: 'not today' }) },
    clock: world.clock,
    lease: simulatedLease(),
  }
  approval = { approvePlan: digest, stateDir: 'state', output: 'table' }
  await apply({ ...approval, plan: 'plan.json' }, recordingIo(folder), ports).catch((error: unknown) => {
    if (!(error instanceof MigrateError) || error.exitCode !== exitCode.rolledBack) throw error
  })
  ;[run = ''] = await readdir(join(folder, 'state/runs'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const abandoned = async (io = recordingIo(folder)) =>
  abandon({ run, stateDir: 'state', output: 'table' }, io, ports)
async function seen(): Promise<ReturnType<typeof clusterRunSchema.parse>> {
  const io = recordingIo('/elsewhere')
  await status({ fromCluster: true, output: 'json' }, io, ports.lease)
  return clusterRunSchema.parse(JSON.parse(io.stdout()))
}

describe('a paused run', () => {
  it('can be seen from elsewhere, with nobody at it', async () => {
    expect(await seen()).toMatchObject({
      lock: null,
      run: {
        runId: run,
        status: 'paused',
        reason: expect.stringContaining('not today'),
        next: `k3os-migrate resume ${run}`,
      },
    })
  })

  it('is told in words, too', async () => {
    const io = recordingIo('/elsewhere')
    await status({ context: 'shops', output: 'table' }, io, ports.lease)
    expect([io.stdout().split('\n')[1], io.stderr()]).toEqual([
      expect.stringMatching(/^\S+ +rolled-back +reimage +.*not today/),
      expect.stringMatching(
        new RegExp(
          `^run ${run} to debian: paused, last change \\S+\n.*\nnext: k3os-migrate resume ${run}\n$`,
        ),
      ),
    ])
  })

  it('keeps another one from beginning, without a trace of it', async () => {
    const second = apply({ ...approval, plan: 'plan.json' }, recordingIo(folder), ports)
    await expect(second).rejects.toMatchObject({
      exitCode: exitCode.locked,
      hint: expect.stringContaining(`k3os-migrate abandon ${run}`),
    })
    expect(await readdir(join(folder, 'state/runs'))).toEqual([run])
  })
})

describe('an abandoned run', () => {
  it('gives the cluster free and takes its record away', async () => {
    const io = recordingIo(folder)
    expect(await abandoned(io)).toBe(exitCode.ok)
    expect([io.stderr(), await seen()]).toMatchObject([
      expect.stringContaining(`run ${run} is abandoned; the cluster is free for another one`),
      { lock: null, run: null },
    ])
  })

  it('writes its outcome', async () => {
    await abandoned()
    const outcome: unknown = JSON.parse(
      await readFile(join(folder, 'state/runs', run, 'outcome.json'), 'utf8'),
    )
    expect(outcome).toMatchObject({ status: 'abandoned', next: null })
  })

  it('says so when it is asked for its status', async () => {
    await abandoned()
    const io = recordingIo(folder)
    await status({ run, stateDir: 'state', output: 'table' }, io)
    expect(io.stderr()).toBe('this run was abandoned\n')
  })

  it('is not resumed', async () => {
    await abandoned()
    await expect(resume({ ...approval, run }, recordingIo(folder), ports)).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringContaining('was abandoned at'),
    })
  })

  it('lets another one begin', async () => {
    await abandoned()
    const second = apply({ ...approval, plan: 'plan.json' }, recordingIo(folder), ports)
    await expect(second).rejects.toMatchObject({ exitCode: exitCode.rolledBack })
  })

  it('may be abandoned twice', async () => {
    await abandoned()
    expect(await abandoned()).toBe(exitCode.ok)
  })
})

describe('a run that is complete', () => {
  it('leaves nothing to abandon', async () => {
    const whole = { ...ports, hook: simulatedHook(world, async (path) => readFile(path, 'utf8')) }
    await resume({ ...approval, run }, recordingIo(folder), whole)
    await expect(abandoned()).rejects.toMatchObject({ exitCode: exitCode.usage })
    expect((await seen()).run?.status).toBe('complete')
  })
})

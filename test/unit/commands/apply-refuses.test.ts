import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply, type ApplyOptions } from '../../../src/commands/apply.ts'
import type { CommandIo } from '../../../src/commands/io.ts'
import type { RunOptions } from '../../../src/commands/run-options.ts'
import { exitCode, type ExitCode } from '../../../src/core/errors.ts'
import { planDigest } from '../../../src/core/make-plan.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { sha256 } from '../../../src/adapters/files.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import type { World } from '../../../src/simulation/world.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
let world: World
let plan: Plan
const file = () => join(folder, 'plan.json')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refuses-'))
  world = await examplePlan(folder)
  plan = JSON.parse(await readFile(file(), 'utf8')) as Plan
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

type Options = { readonly [name in keyof RunOptions]?: RunOptions[name] | undefined }

async function applied(options: Options = {}, io: CommandIo = recordingIo(folder)): Promise<ExitCode> {
  const kube = simulatedKube(world)
  return apply(
    {
      plan: 'plan.json',
      stateDir: 'state',
      output: 'table',
      approvePlan: plan.digest,
      ...options,
    } as ApplyOptions,
    io,
    {
      kube,
      reader: kube,
      host: simulatedHost(world),
      hook: simulatedHook(world, async (path) => readFile(path, 'utf8')),
      clock: world.clock,
    },
  )
}

async function change(changes: Partial<Plan>): Promise<void> {
  const body = { ...plan, ...changes }
  plan = { ...body, digest: planDigest(body, sha256) }
  await writeFile(file(), JSON.stringify(plan))
}

/** Nothing is written, nothing is marked. */
async function untouched(): Promise<boolean> {
  const names = await readdir(folder)
  const marks = [...world.nodes.values()].flatMap(({ kube }) => Object.keys(kube.annotations))
  return (
    !names.includes('state') &&
    marks.length === 0 &&
    [...world.nodes.values()].every(({ kube }) => !kube.unschedulable)
  )
}

async function expectRefused(
  code: ExitCode,
  message: RegExp,
  options: Partial<RunOptions> = {},
): Promise<void> {
  await expect(applied(options)).rejects.toMatchObject({
    exitCode: code,
    message: expect.stringMatching(message),
  })
  expect(await untouched()).toBe(true)
}

describe('apply refuses, with nothing changed,', () => {
  it('a plan of which one byte was changed', async () => {
    await writeFile(file(), (await readFile(file(), 'utf8')).replace('"soakMs": 300000', '"soakMs": 3'))
    await expectRefused(exitCode.stalePlan, /its digest does not match/)
  })

  it('a plan for which the last of its nodes has changed, and names it', async () => {
    const node = world.node('office-1')
    if (node !== undefined) node.kube.labels['example.org/new'] = 'yes'
    await expectRefused(exitCode.stalePlan, /^the plan is stale for office-1: labels changed$/)
  })

  it('a plan for another cluster', async () => {
    await change({ cluster: { ...plan.cluster, uid: 'another' } })
    await expectRefused(exitCode.stalePlan, /this is another cluster/)
  })

  it('a plan that is too old', async () => {
    await world.clock.sleep(25 * 3_600_000, new AbortController().signal)
    await expectRefused(exitCode.stalePlan, /25 hours old, 24 are allowed/)
  })

  it('a plan that rests on a waiver which has ended', async () => {
    const waiver = { key: 'PRE-HOSTPATH:Node/shop-1', reason: 'x', approvedBy: 'kim', expires: '2026-11-23' }
    await change({ waivers: [waiver] })
    await expectRefused(exitCode.stalePlan, /a waiver that ended on 2026-11-23: PRE-HOSTPATH:Node\/shop-1/)
  })

  it('a plan nobody approved, where nobody can be asked', async () => {
    await expect(applied({ approvePlan: '' })).rejects.toMatchObject({ exitCode: exitCode.approvalMissing })
    expect(await untouched()).toBe(true)
  })

  it.each([undefined, '', 'yes', 'y'])('a node when the answer is %j at its prompt', async (answer) => {
    const person = recordingIo(folder, { interactive: true, ask: async () => answer })
    // The run begins, and ends, before anything is done to the node.
    await expect(applied({ stateDir: 'runs', approvePlan: undefined }, person)).rejects.toMatchObject({
      exitCode: exitCode.approvalMissing,
      message: expect.stringMatching(/was not approved$/),
    })
    expect(await untouched()).toBe(true)
  })

  it('a plan without a signature where one is required', async () => {
    await expectRefused(exitCode.stalePlan, /not signed/, { requireSignature: true, allowedSigners: 'x' })
  })

  it('to require a signature without knowing whose', async () => {
    await expectRefused(exitCode.usage, /--allowed-signers/, { requireSignature: true })
  })

  it('a plan while a part of the cluster cannot be read', async () => {
    world.trouble.apiDownUntilMs = Number.POSITIVE_INFINITY
    await expectRefused(exitCode.blocked, /does not answer/)
  })
})

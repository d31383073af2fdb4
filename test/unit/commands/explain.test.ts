import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apply } from '../../../src/commands/apply.ts'
import { explain } from '../../../src/commands/explain.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
let node: string

/** A run that is stopped while it waits for a machine that does not come back. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-'))
  const world = await examplePlan(folder)
  const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as {
    digest: string
    nodes: { name: string }[]
  }
  node = plan.nodes[0]?.name ?? ''
  world.trouble.neverReturns.add(node)
  const stop = new AbortController()
  const io = {
    ...recordingIo(folder),
    signal: stop.signal,
    err(text: string) {
      if (text.includes('waiting until')) stop.abort('SIGINT')
    },
  }
  const kube = simulatedKube(world)
  await apply({ plan: 'plan.json', stateDir: 'state', output: 'table', approvePlan: plan.digest }, io, {
    kube,
    reader: kube,
    host: simulatedHost(world),
    hook: simulatedHook(world, async (path) => readFileSync(path, 'utf8')),
    clock: world.clock,
  }).catch(() => undefined)
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('says what a node waits for, as the run itself told it last', async () => {
  const io = recordingIo(folder)
  await explain({ node, stateDir: 'state', output: 'json' }, io)
  expect(JSON.parse(io.stdout())).toMatchObject({
    step: {
      id: 'reimage',
      outcome: 'under way',
      waitsFor: expect.stringMatching(/^waiting until .* answers over SSH with this attempt's nonce/),
    },
  })
})

test('refuses a node that the run does not have, and names those it has', async () => {
  await expect(
    explain({ node: 'nobody', stateDir: 'state', output: 'table' }, recordingIo(folder)),
  ).rejects.toMatchObject({
    exitCode: 64,
    hint: expect.stringContaining(node),
  })
})

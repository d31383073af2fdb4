import { mkdtemp, rm } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apply } from '../../../src/commands/apply.ts'
import { outcomeSchema, type Outcome } from '../../../src/core/outcome.ts'
import type { Hook } from '../../../src/migrate/ports.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outcome-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function applied(
  options: {
    readonly summary?: true
    readonly hook?: Hook['run']
    readonly env?: Record<string, string>
  } = {},
): Promise<unknown> {
  const world = await examplePlan(folder)
  const kube = simulatedKube(world)
  const hook = simulatedHook(world, async (path) => readFileSync(path, 'utf8'))
  const { digest } = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as { digest: string }
  const io = { ...recordingIo(folder), env: options.env ?? {} }
  const summary = options.summary === undefined ? {} : { summary: options.summary }
  return apply(
    { plan: 'plan.json', stateDir: 'state', output: 'table', approvePlan: digest, next: true, ...summary },
    io,
    {
      kube,
      reader: kube,
      host: simulatedHost(world),
      hook: options.hook === undefined ? hook : { run: options.hook },
      clock: world.clock,
    },
  ).catch((error: unknown) => error)
}

function outcome(): Outcome {
  const [id = ''] = readdirSync(join(folder, 'state/runs'))
  return outcomeSchema.parse(JSON.parse(readFileSync(join(folder, 'state/runs', id, 'outcome.json'), 'utf8')))
}

test('an outcome is written even when the tool itself breaks, and says where the node stands', async () => {
  await applied({
    hook: async () => {
      throw new TypeError('x is not a function')
    },
  })
  expect(outcome()).toMatchObject({
    exit: 1,
    status: 'paused',
    reason: 'the tool made a mistake: x is not a function',
    next: expect.stringMatching(/^k3os-migrate resume /),
  })
  expect(outcome().nodes[0]).toMatchObject({ state: 'in-progress', step: 'reimage' })
})

test('--summary adds the outcome to the page of the job', async () => {
  await applied({ summary: true, env: { GITHUB_STEP_SUMMARY: 'page.md' } })
  expect(readFileSync(join(folder, 'page.md'), 'utf8')).toMatch(/^## Going well: 1 of \d nodes moved\n/)
})

import { expect, test } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { run } from '../../../src/migrate/runner.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

test('a step that failed before it wrote down what it is about to do has nothing to undo', async () => {
  const simulated = simulate(smallScenario())
  const stale = new MigrateError('another configuration than was planned', { exitCode: exitCode.stalePlan })
  const { exit, error } = await simulated.start({
    act: async (job) => run({ ...job, translate: async () => Promise.reject(stale) }),
  })
  expect([exit, error?.message]).toEqual([
    exitCode.stalePlan,
    expect.stringMatching(/^another configuration than was planned; \S+ is as it was before$/),
  ])
  expect(simulated.journal.some(({ phase, step }) => phase === 'intent' && step === 'stage')).toBe(false)
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apply, type ApplyOptions } from '../../src/commands/apply.ts'
import type { Plan } from '../../src/core/plan.ts'
import { simulatedKube } from '../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../src/simulation/machines.ts'
import type { World } from '../../src/simulation/world.ts'
import { examplePlan } from './example-cluster.ts'
import { recordingIo } from './recording-io.ts'

export interface ExampleRun {
  readonly world: World
  readonly plan: Plan
  /** The run's directory. */
  readonly directory: string
}

/** The bundled example, planned, and moved as far as `options` let it; `state` and everything else is in `folder`. */
export async function exampleRun(
  folder: string,
  options: Partial<ApplyOptions> = {},
  prepare: (plan: Plan) => Promise<void> = async () => undefined,
): Promise<ExampleRun> {
  const world = await examplePlan(folder)
  const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as Plan
  await prepare(plan)
  const kube = simulatedKube(world)
  const approval = options.approvals === undefined ? { approvePlan: plan.digest } : {}
  await apply(
    { plan: 'plan.json', stateDir: 'state', output: 'table', ...approval, ...options },
    recordingIo(folder),
    {
      kube,
      reader: kube,
      host: simulatedHost(world),
      hook: simulatedHook(world, async (path) => readFileSync(path, 'utf8')),
      clock: world.clock,
    },
  )
  const [id = ''] = readdirSync(join(folder, 'state/runs'))
  return { world, plan, directory: join(folder, 'state/runs', id) }
}

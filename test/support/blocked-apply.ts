/** `apply` of the bundled example with budgets that never let a pod go: a program of its own, for a terminal of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { terminalIo } from '../../src/adapters/terminal.ts'
import { apply } from '../../src/commands/apply.ts'
import { MigrateError } from '../../src/core/errors.ts'
import type { JournalRecord } from '../../src/core/journal.ts'
import type { Plan } from '../../src/core/plan.ts'
import { simulatedKube } from '../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../src/simulation/machines.ts'
import { examplePlan } from './example-cluster.ts'

const [, , folder = ''] = process.argv
const world = await examplePlan(folder)
const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as Plan
const kube = simulatedKube(world)
kube.evict = async () => ({ status: 'blocked', budget: 'web', message: 'not now', retryAfterMs: null })

const io = { ...terminalIo(), cwd: folder, interactive: terminalIo().interactive }
const end: unknown = await apply(
  { plan: 'plan.json', stateDir: 'state', output: 'table', approvePlan: plan.digest },
  io,
  {
    kube,
    reader: kube,
    host: simulatedHost(world),
    hook: simulatedHook(world, async (path) => readFileSync(path, 'utf8')),
    clock: world.clock,
  },
).catch((error: unknown) => error)
if (!(end instanceof MigrateError)) throw end instanceof Error ? end : new Error('nothing was blocked')

const [run = ''] = readdirSync(join(folder, 'state/runs'))
const [start] = readFileSync(join(folder, 'state/runs', run, 'journal.jsonl'), 'utf8').split('\n')
const { data } = JSON.parse(start ?? '') as JournalRecord
const cordoned = plan.nodes.some(({ name }) => world.node(name)?.kube.unschedulable === true)
process.stdout.write(
  `result: ${JSON.stringify({ exit: end.exitCode, cordoned, written: data['onDrainFailure'] })}\n`,
)

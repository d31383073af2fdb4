import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { assess } from '../../src/commands/assess.ts'
import { inventory, inventoryFiles } from '../../src/commands/inventory.ts'
import { plan, type PlanOptions } from '../../src/commands/plan.ts'
import { simulatedKube } from '../../src/simulation/kube.ts'
import { simulatedHost } from '../../src/simulation/machines.ts'
import { scenarioSource } from '../../src/simulation/scenario-source.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { World } from '../../src/simulation/world.ts'
import { recordingIo, type RecordingIo } from './recording-io.ts'

const file = fileURLToPath(new URL('../../examples/shops/cluster.yaml', import.meta.url))

/** The bundled example after its operator took the advice of `assess`, with its inventory in `folder`. */
async function exampleInventory(folder: string): Promise<{ world: World; io: RecordingIo }> {
  const io = recordingIo(folder)
  const clock = new VirtualClock(new Date('2026-11-24T08:00:00Z'))
  const world = new World(scenarioSource(parseScenario(await readFile(file, 'utf8'), file)), clock)
  const kube = simulatedKube(world)
  world.scaleUp('shops', 'orders')
  await kube.patchNode('shop-2', { labels: { 'k3os.io/upgrade': 'disabled' } }, io.signal)
  await clock.sleep(30_000, io.signal)
  const options = {
    host: [],
    cluster: true,
    user: 'rancher',
    port: 22,
    parallel: 2,
    timeout: 60_000,
  } as const
  await inventory({ ...options, out: '.', output: 'table' }, io, {
    host: simulatedHost(world),
    clock,
    files: inventoryFiles,
    connectCluster: async () => kube,
    sshDefaults: () => ({}),
    owner: 'me@here',
    connectPods: () => Promise.reject(new Error('no pods here')),
  })
  await assess({ inventory: 'inventory.yaml', failOn: 'never', output: 'table' }, io)
  return { world, io }
}

export async function examplePlan(folder: string, changes: Partial<PlanOptions> = {}): Promise<World> {
  const { world, io } = await exampleInventory(folder)
  const choices = { target: 'debian', hook: ['rebuild'], keepsData: true, user: 'rancher', maxAge: 24 }
  const files = { inventory: 'inventory.yaml', out: 'plan.json', output: 'json' } as const
  await plan({ ...choices, ...files, ...changes }, io, world.clock)
  return world
}

import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCode, type ExitCode } from '../core/errors.ts'
import { mark } from '../output/style.ts'
import { simulatedKube } from '../simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../simulation/machines.ts'
import { parseScenario } from '../simulation/scenario.ts'
import { scenarioSource } from '../simulation/scenario-source.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { World } from '../simulation/world.ts'
import { apply } from './apply.ts'
import { assess } from './assess.ts'
import { inventory, inventoryFiles } from './inventory.ts'
import type { CommandIo } from './io.ts'
import { plan } from './plan.ts'
import { readPlan } from './plan-inputs.ts'
import { report } from './report.ts'
import { translate } from './translate.ts'

export interface DemoOptions {
  readonly out: string
}

// The same distance from `src/commands` and `dist/src/commands`.
const exampleCluster = fileURLToPath(new URL('../../examples/shops/cluster.yaml', import.meta.url))

/**
 * The whole job on the bundled example cluster: the same commands a user types, on simulated machines and a clock that
 * jumps. Only the folder `--out` is written.
 */
export async function demo(options: DemoOptions, io: CommandIo): Promise<ExitCode> {
  const folder = resolve(io.cwd, options.out)
  const shown = relative(io.cwd, folder) || '.'
  const scenario = parseScenario(await readFile(exampleCluster, 'utf8'), exampleCluster)
  const clock = new VirtualClock(new Date())
  const world = new World(scenarioSource(scenario), clock)
  const kube = simulatedKube(world)
  const host = simulatedHost(world)
  const hook = simulatedHook(world, async (path) => readFile(path, 'utf8'))
  const inside: CommandIo = { ...io, cwd: folder, signal: io.signal, interactive: false }
  const say = (text: string) => io.out(`${text}\n`)
  const type = (command: string) => say(`\n${mark('name', `$ ${command}`)}`)

  say(`${mark('warn', 'This is a simulation.')} ${scenario.about.trim()}`)
  say(`No cluster of yours is asked or touched; only the folder ${shown} is written.`)

  const collect = async () => {
    type('k3os-migrate inventory --out .')
    await inventory(inventoryOptions, inside, {
      host,
      clock,
      files: inventoryFiles,
      sshDefaults: () => ({}),
      owner: 'me@here',
      connectPods: () => Promise.reject(new Error('no pods here')),
      connectCluster: async () => kube,
    })
  }
  await collect()

  type('k3os-migrate assess')
  await assess({ inventory: 'inventory.yaml', failOn: 'never', output: 'table' }, inside)
  say(`(exit ${exitCode.inhibitors}: no plan is made while inhibitors stand. The operator takes the advice:)`)

  type('kubectl -n shops scale deployment orders --replicas 2')
  world.scaleUp('shops', 'orders')
  type('kubectl label node shop-2 k3os.io/upgrade=disabled --overwrite')
  await kube.patchNode('shop-2', { labels: { 'k3os.io/upgrade': 'disabled' } }, io.signal)
  await clock.sleep(30_000, io.signal)
  await collect()

  type('k3os-migrate translate --inventory inventory.yaml --target debian --out translated')
  await translate(
    { inventory: 'inventory.yaml', target: 'debian', out: 'translated', output: 'table' },
    inside,
  )

  type('k3os-migrate plan --target debian --hook ./rebuild.sh --keeps-data')
  const choices = { target: 'debian', hook: ['./rebuild.sh'], keepsData: true, user: 'rancher', maxAge: 24 }
  await plan({ ...choices, inventory: 'inventory.yaml', out: 'plan.json', output: 'table' }, inside, clock)

  const { digest } = await readPlan(join(folder, 'plan.json'))
  type(`k3os-migrate apply plan.json --approve-plan ${digest}`)
  const started = clock.now().getTime()
  const run = { approvePlan: digest, stateDir: 'state', output: 'table' } as const
  await apply({ ...run, plan: 'plan.json' }, inside, { kube, reader: kube, host, hook, clock })
  const minutes = Math.round((clock.now().getTime() - started) / 60_000)
  say(`(${minutes} minutes of simulated time)`)

  type('k3os-migrate report -o html --out report.html')
  await report({ stateDir: 'state', output: 'html', out: 'report.html' }, inside)

  say(`
Everything is in ${shown}:
  inventory.yaml, bundles/   what was read, and the raw answers of each node (secrets: 0600)
  assessment.json            what stood against moving when the plan was made
  translated/NODE/           the Debian configuration of each node
  plan.json                  the plan
  state/runs/ID/             journal, events, outcome
  report.html                what was found, decided, done and proved

On a real cluster, nothing is changed by the first two:
  k3os-migrate inventory --kubeconfig k3s.yaml
  k3os-migrate assess`)
  return exitCode.ok
}

const inventoryOptions = {
  host: [],
  cluster: true,
  user: 'rancher',
  port: 22,
  parallel: 8,
  timeout: 60_000,
  out: '.',
  output: 'table',
} as const

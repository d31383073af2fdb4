/**
 * Drains a node of 200 pods behind a server that counts requests: with kubectl, with the drain that imitates it, and with
 * that of a run.
 *
 *   npm exec -c 'node bench/drain.ts [--pods 200] [--turns 3]'
 *
 * The cluster is scripted, so that all find the same one; its pods take two seconds to end.
 */
import { parseArgs } from 'node:util'
import { kubectlDefaults } from '../src/migrate/drain-kubectl-pods.ts'
import { table } from '../src/output/table.ts'
import { type Drained, drainWithKubectl, kubectlMissing, type DrainOrder } from '../test/support/kubectl.ts'
import { drainLikeKubectlWould, drainStrictly } from '../test/support/own-drains.ts'
import type { ClusterScript } from '../test/support/stub-cluster.ts'

const age = '1.35'
const aim = { time: 1.05, requests: 0.5 }
const missing = kubectlMissing(age)
if (missing !== undefined) throw new Error(missing)

const { values } = parseArgs({
  options: { pods: { type: 'string', default: '200' }, turns: { type: 'string', default: '3' } },
})
const script: ClusterScript = {
  pods: Array.from({ length: Number(values.pods) }, (_, index) => ({
    name: `p${index}`,
    endsAfterMs: 2_000,
  })),
}
const order: DrainOrder = { nodes: ['n1'], flags: { ...kubectlDefaults, timeoutMs: 100_000 } }
const drains: Readonly<Record<string, () => Promise<Drained>>> = {
  [`kubectl ${age}`]: async () => drainWithKubectl(age, script, order),
  'drain mode kubectl': async () => drainLikeKubectlWould(script, order),
  'drain mode strict': async () => drainStrictly(script, order),
}

const results = new Map(Object.keys(drains).map((name) => [name, new Array<Measured>()]))
for (let turn = 0; turn < Number(values.turns); turn += 1)
  for (const [name, drain] of Object.entries(drains)) results.get(name)?.push(await measured(name, drain))

const rows = [...results].map(([name, turns]) => ({
  name,
  seconds: median(turns.map(({ seconds }) => seconds)),
  requests: median(turns.map(({ requests }) => requests)),
}))
const [kubectl] = rows
if (kubectl === undefined) throw new Error('nothing was measured')
const cells = rows.map(({ name, seconds, requests }) => {
  const time = seconds / kubectl.seconds
  const share = requests / kubectl.requests
  const verdict = time <= aim.time && share <= aim.requests ? 'met' : 'MISSED'
  const own = name === kubectl.name ? '' : `aim ${aim.time}x and ${aim.requests}x: ${verdict}`
  return [name, seconds.toFixed(1), `${time.toFixed(2)}x`, String(requests), `${share.toFixed(2)}x`, own]
})
process.stdout.write(
  table(['DRAIN', 'SECONDS', '', 'REQUESTS', '', ''], cells, { right: ['SECONDS', 'REQUESTS'] }),
)

interface Measured {
  readonly seconds: number
  readonly requests: number
}

async function measured(name: string, drain: () => Promise<Drained>): Promise<Measured> {
  const start = performance.now()
  const { result, requests, output } = await drain()
  const seconds = (performance.now() - start) / 1000
  if (result.exit !== 'ok') throw new Error(`${name} failed: ${output}`)
  return { seconds, requests }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

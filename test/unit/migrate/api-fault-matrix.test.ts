import { afterAll, describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { methods } from '../../../src/core/methods.ts'
import { readGrubEnvironment } from '../../../src/core/in-place/grubenv.ts'
import type { Plan, StepId } from '../../../src/core/plan.ts'
import { withAround } from '../../../src/migrate/port-calls.ts'
import type { RunResult } from '../../../src/migrate/runner.ts'
import { marker } from '../../../src/migrate/steps/check.ts'
import { apiFaults, troubledApi, type ApiFault, type TroubledApi } from '../../support/api-faults.ts'
import { leaseLab, type LeaseLab } from '../../support/lease-parts.ts'
import { inPlace, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'
import { endState, noteEffects } from '../../support/world-effects.ts'

const fourMinutesMs = 4 * 60_000
const isLong = process.env['K3OS_MIGRATE_LONG'] === '1'

/** One node that moves while its API is in trouble. */
interface Move {
  readonly name: string
  readonly node: string
  readonly change: (plan: Plan) => Plan
  readonly steps: readonly StepId[]
  /** One of so many steps, and of so many requests for one request and for four minutes, is hit by each fault. */
  readonly every: { readonly step: number; readonly once: number; readonly long: number }
}

const often = { step: 1, once: 4, long: 7 }
const seldom = isLong ? often : { step: 3, once: 12, long: 20 }
/** Which node is first; the run goes no further. */
const first =
  (node: string) =>
  (plan: Plan): Plan =>
    inPlace({
      ...plan,
      nodes: plan.nodes.toSorted((a, b) => Number(b.name === node) - Number(a.name === node)),
    })
const inPlaceSteps = methods['in-place'].steps
const moves: readonly Move[] = [
  { name: 'rebuilt', node: 'a', change: (plan) => plan, steps: methods.command.steps, every: often },
  { name: 'moved in place', node: 'a', change: first('a'), steps: inPlaceSteps, every: seldom },
  // The API is also gone while this machine restarts.
  {
    name: 'moved in place, the only server',
    node: 's',
    change: first('s'),
    steps: inPlaceSteps,
    every: seldom,
  },
]

/** What a run must never do, and how often it did. */
interface Sins {
  /** Said "drained" while a pod was there that had to go. */
  falseDrained: number
  /** Said that a step was done that nobody could see, or that was not. */
  withoutEvidence: number
  /** Ended before the point of no return with the node left cordoned, although it could have been uncordoned. */
  leftCordoned: number
  /** Changed something that was changed already. */
  secondEffects: number
  /** Did not come to the same end once the trouble was over. */
  otherEnd: number
}

const innocent: Sins = {
  falseDrained: 0,
  withoutEvidence: 0,
  leftCordoned: 0,
  secondEffects: 0,
  otherEnd: 0,
}

const rows: string[] = []
afterAll(() => {
  process.stdout.write(`${rows.join('\n')}\n`)
})

/** One process; its API is in trouble from the moment a step begins. */
async function live(
  simulated: Simulated,
  lab: LeaseLab,
  api: TroubledApi,
  effects: string[],
): Promise<RunResult> {
  const ports = withAround(withAround(simulated.ports, noteEffects(simulated.world, effects)), api.around)
  const lock = await lab.take({ store: api.lease(lab.store), records: simulated.journal })
  try {
    const result = await simulated.start({ lock, ports, limit: 1 })
    await lock.release()
    return result
  } finally {
    lock.stop()
  }
}

function beginAt(simulated: Simulated, step: StepId, begin: () => void): void {
  let isBegun = false
  const push = simulated.events.push.bind(simulated.events)
  simulated.events.push = (...events) => {
    const isIt = events.some((event) => event.type === 'step.start' && event.step === step)
    if (isIt && !isBegun) {
      isBegun = true
      begin()
    }
    return push(...events)
  }
}

/** What must be true of the world at the moment a step of the node is written down as done. */
function isTrue({ world }: Simulated, name: string, step: string): boolean {
  const node = world.node(name)
  if (node === undefined) return false
  const now = world.kubeNode(node)
  switch (step) {
    case 'cordon':
      return now.unschedulable && now.annotations[marker] !== undefined
    case 'reimage':
    case 'trial':
      return node.system === 'new'
    case 'probe':
      return node.system === 'k3os' && node.probe !== null && now.ready && now.bootId === node.bootId
    case 'confirm':
      return (
        node.system === 'new' &&
        readGrubEnvironment(node.disk.block).get('saved_entry') === 'k3os-migrate-debian-1' &&
        node.files.has('/etc/k3os-migrate/confirmed')
      )
    case 'join':
      return (
        now.ready &&
        node.silentSinceMs === null &&
        now.bootId === node.bootId &&
        !now.osImage.startsWith('k3OS')
      )
    case 'restore':
      return now.labels['example.org/rack'] === name
    case 'uncordon':
      return !now.unschedulable && now.annotations[marker] === undefined
    default:
      return true
  }
}

const asksTheApi = new Set([
  'check',
  'capture',
  'steer',
  'cordon',
  'drain',
  'probe',
  'join',
  'restore',
  'uncordon',
])

function watch(simulated: Simulated, name: string, api: TroubledApi, fault: ApiFault, sins: Sins): void {
  const push = simulated.journal.push.bind(simulated.journal)
  simulated.journal.push = (...records) => {
    for (const { step, phase, data } of records) {
      if (phase !== 'result' || data['outcome'] !== 'done') continue
      const left = simulated.world.pods.filter(
        (pod) => pod.node === name && pod.controller?.kind !== 'DaemonSet',
      )
      if (step === 'drain' && left.length > 0) sins.falseDrained += 1
      const isBlind = api.isInTrouble() && fault !== 'slow answer' && asksTheApi.has(step)
      if (isBlind || !isTrue(simulated, name, step)) sins.withoutEvidence += 1
    }
    return push(...records)
  }
}

function judge(simulated: Simulated, name: string, { exit, error }: RunResult, sins: Sins): void {
  if (error === null) return
  // From there on no run undoes anything by itself.
  const isTouched = simulated.journal.some(
    ({ step }: JournalRecord) => step === 'reimage' || step === 'confirm',
  )
  const isCordoned = simulated.world.node(name)?.kube.unschedulable === true
  // Undoing it was tried and failed: it says so with a code of its own, and `resume` undoes it.
  if (!isTouched && isCordoned && exit !== exitCode.needsOperator) sins.leftCordoned += 1
}

/** Where trouble begins: at the beginning of a step, or in the middle of one, at a certain request of the run. */
interface Trouble {
  readonly fault: ApiFault
  readonly at: StepId | number
  readonly length: 'once' | typeof fourMinutesMs
}

interface Undisturbed {
  readonly effects: string
  readonly state: string
  readonly requests: number
}

async function undisturbed({ change }: Move): Promise<Undisturbed> {
  const simulated = simulate(smallScenario(), change)
  const effects: string[] = []
  const api = troubledApi(simulated.world.clock)
  await live(simulated, leaseLab(simulated.world.clock), api, effects)
  const state = JSON.stringify(endState(simulated))
  return { effects: effects.toSorted().join('\n'), state, requests: api.requests }
}

/** Lives through it, resuming as a person would when the run has stopped. Gives what went wrong. */
async function liveThrough({ node, change }: Move, { fault, at, length }: Trouble, wanted: Undisturbed) {
  const simulated = simulate(smallScenario(), change)
  const lab = leaseLab(simulated.world.clock)
  const api = troubledApi(simulated.world.clock)
  const effects: string[] = []
  const sins = { ...innocent }
  if (typeof at === 'number') api.beginAtRequest(at, fault, length)
  else beginAt(simulated, at, () => api.begin(fault, length))
  watch(simulated, node, api, fault, sins)
  const first = await live(simulated, lab, api, effects)
  judge(simulated, node, first, sins)
  let last = first
  let resumed = 0
  for (; last.error !== null && resumed < 2; resumed += 1) {
    await lab.pass(fourMinutesMs / 1000)
    last = await live(simulated, lab, api, effects)
  }
  const attempts = Math.max(...simulated.journal.map(({ attempt }) => attempt))
  if (attempts === 1 && effects.toSorted().join('\n') !== wanted.effects) sins.secondEffects += 1
  if (last.error !== null || JSON.stringify(endState(simulated)) !== wanted.state) sins.otherEnd += 1
  return { sins, hits: api.hits, resumed, ends: [first.error?.message, last.error?.message] }
}

/** Steps, and requests of the run in turn: each one is hit by some faults, all faults hit many of them. */
function troubles({ steps, every }: Move, fault: ApiFault, requests: number): Trouble[] {
  const number = apiFaults.indexOf(fault)
  const isItsTurn = (one: number, often: number) => isLong || (one + number) % often === 0
  const all = Array.from({ length: requests }, (_, index) => index + 1)
  return [
    ...steps
      .filter((_, index) => isItsTurn(index, every.step))
      .map((at) => ({ fault, at, length: fourMinutesMs }) as const),
    ...all.filter((one) => isItsTurn(one, every.once)).map((at) => ({ fault, at, length: 'once' }) as const),
    ...all
      .filter((one) => isItsTurn(one, every.long))
      .map((at) => ({ fault, at, length: fourMinutesMs }) as const),
  ]
}

describe.each(moves)('an API in trouble while a node is $name', (move) => {
  it.each(apiFaults)(
    'is lived through without a lie: "%s" at steps and in the middle of them, for one request and for four minutes',
    async (fault) => {
      const wanted = await undisturbed(move)
      const tried = troubles(move, fault, wanted.requests)
      const failures: unknown[] = []
      let hits = 0
      let resumed = 0
      for (const trouble of tried) {
        const life = await liveThrough(move, trouble, wanted)
        hits += life.hits
        resumed += life.resumed
        if (Object.values(life.sins).some((count) => count > 0)) failures.push({ ...trouble, ...life })
      }
      rows.push(
        `API faults, ${move.name}, ${fault}: ${tried.length} tried, ${tried.length - failures.length} passed (${hits} requests met it, ${resumed} times resumed)`,
      )
      expect(failures.slice(0, 3)).toEqual([])
      expect(hits).toBeGreaterThan(tried.length / 2)
    },
    isLong ? 1_200_000 : 120_000,
  )
})

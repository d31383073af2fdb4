import { afterAll, describe, expect, it } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { withAround, type Around } from '../../../src/migrate/port-calls.ts'
import type { LeaseStore } from '../../../src/migrate/ports.ts'
import type { Scenario } from '../../../src/simulation/scenario.ts'
import { leaseLab, type LeaseLab } from '../../support/lease-parts.ts'
import {
  blockedScenario,
  inPlace,
  Killed,
  simulate,
  smallScenario,
  type Simulated,
} from '../../support/simulated-run.ts'
import { endState, noteEffects } from '../../support/world-effects.ts'

/** Dies before or after a certain request that changes something, on the cluster, a machine, the disk or the lock. */
interface Death {
  readonly request: number
  readonly when: 'before' | 'after'
}

interface Process {
  readonly end: unknown
  /** Requests that change something, sent or just about to be. */
  readonly requests: number
}

/** One process on this world, with a lock of its own; it dies when it is told to. */
async function live(simulated: Simulated, lab: LeaseLab, effects: string[], death?: Death): Promise<Process> {
  let requests = 0
  let isDead = false
  const die = (): never => {
    isDead = true
    throw new Killed()
  }
  const mortal = async <T>(send: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Killed()
    requests += 1
    const isIt = requests === death?.request
    if (isIt && death.when === 'before') die()
    const answer = await send()
    if (isIt) die()
    return answer
  }
  const around: Around = async (call, send) => {
    if (isDead) throw new Killed()
    return call.effect === 'reads' ? send() : mortal(send)
  }
  const { store } = lab
  const lease: LeaseStore = {
    where: store.where,
    read: async (signal) => (isDead ? die() : store.read(signal)),
    create: async (...all) => mortal(async () => store.create(...all)),
    update: async (...all) => mortal(async () => store.update(...all)),
  }
  const ports = withAround(withAround(simulated.ports, noteEffects(simulated.world, effects)), around)
  try {
    const lock = await lab.take({ store: lease, records: simulated.journal })
    try {
      const { error } = await simulated.start({ lock, ports })
      // After the last request there is nothing left to die at but giving the lock back.
      await lock.release()
      return { end: error, requests }
    } finally {
      lock.stop()
    }
  } catch (error) {
    if (error instanceof Killed) return { end: error, requests }
    throw error
  }
}

const only =
  (...names: readonly string[]) =>
  (plan: Plan): Plan => ({ ...plan, nodes: plan.nodes.filter(({ name }) => names.includes(name)) })

/** With a controller that stands still meanwhile. */
function autoscaledScenario(): Scenario {
  const { workloads, ...scenario } = smallScenario()
  const [first] = workloads
  if (first === undefined) throw new Error('the scenario runs nothing')
  const autoscaler = {
    ...first,
    namespace: 'kube-system',
    name: 'cluster-autoscaler',
    on: ['s', 'b'],
    labels: {},
  }
  return { ...scenario, workloads: [...workloads, autoscaler] }
}

const matrix = [
  ['two agents that move', smallScenario, only('a', 'b')],
  ['an agent and the only server', smallScenario, only('a', 's')],
  ['an agent and the only server, in place', smallScenario, (plan: Plan) => inPlace(only('a', 's')(plan))],
  ['two agents, while an autoscaler stands still', autoscaledScenario, only('a', 'b')],
  ['a drain that is blocked and undone', blockedScenario, only('a', 'b')],
] as const

describe('a run that is killed at any request that changes something, and resumed', () => {
  const rows: string[] = []
  afterAll(() => {
    process.stdout.write(`${rows.join('\n')}\n`)
  })

  it.each(matrix)('ends as if nothing had been: %s', async (name, scenario, change) => {
    const whole = simulate(scenario(), change)
    const once: string[] = []
    const { requests, end: expectedEnd } = await live(whole, leaseLab(whole.world.clock), once)
    const wanted = { wasKilled: true, end: exitOf(expectedEnd), state: endState(whole), holder: null }
    expect(requests).toBeGreaterThan(20)

    let passed = 0
    const failures: unknown[] = []
    for (let request = 1; request <= requests; request += 1)
      for (const when of ['before', 'after'] as const) {
        const simulated = simulate(scenario(), change)
        const lab = leaseLab(simulated.world.clock)
        const effects: string[] = []
        const killed = await live(simulated, lab, effects, { request, when })
        const { end } = await live(simulated, lab, effects)
        const lease = await lab.store.read(new AbortController().signal)
        const seen = {
          wasKilled: killed.end instanceof Killed,
          end: exitOf(end),
          state: endState(simulated),
          holder: lease?.holder,
        }
        // A node that was rolled back before the end was told is tried once more, as anybody would.
        const attempts = Math.max(...simulated.journal.map(({ attempt }) => attempt))
        const wantedEffects = Array.from({ length: attempts }, () => once).flat()
        try {
          expect(seen).toEqual(wanted)
          expect(effects.map(anyAttempt).toSorted()).toEqual(wantedEffects.map(anyAttempt).toSorted())
          passed += 1
        } catch (error) {
          failures.push({ request, when, error })
        }
      }
    rows.push(`kill matrix, ${name}: ${2 * requests} tried, ${passed} passed`)
    expect(failures.slice(0, 1)).toEqual([])
  })
})

/** 0 for a run that went to its end. */
function exitOf(end: unknown): unknown {
  return end instanceof MigrateError ? end.exitCode : (end ?? exitCode.ok)
}

function anyAttempt(effect: string): string {
  return effect.replace(/run-1\/\d+/, 'run-1/N')
}

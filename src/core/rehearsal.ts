import type { JournalRecord } from './journal.ts'
import type { Plan, StepId } from './plan.ts'
import { isStepId, nodeState, replay } from './run-state.ts'

/** The document `Rehearsal`: what carrying a plan out would be like, as a simulation of its own inventory shows. */
export interface Rehearsal {
  readonly apiVersion: 'k3os-migrate/v1'
  readonly kind: 'Rehearsal'
  readonly planDigest: string
  readonly target: string
  /** Simulated times; everything else counts from the first, in ms. */
  readonly startsAt: string
  readonly tookMs: number
  readonly faults: readonly string[]
  /** As `apply` would exit. */
  readonly exit: number
  readonly reason: string | null
  readonly nodes: readonly RehearsedNode[]
  readonly held: readonly HeldEviction[]
  readonly pauses: readonly { readonly atMs: number; readonly untilMs: number; readonly why: string }[]
  readonly evictions: number
  /** How often pods were placed anew; one for each eviction is the least. */
  readonly placements: number
}

export interface RehearsedNode {
  readonly name: string
  readonly state: 'moved' | 'as before' | 'needs a person' | 'not begun'
  readonly steps: readonly RehearsedStep[]
}

export interface RehearsedStep {
  readonly id: StepId
  readonly attempt: number
  readonly startMs: number
  readonly endMs: number
  readonly outcome: 'done' | 'failed' | 'undone'
}

/** An eviction that was not accepted at once. */
export interface HeldEviction {
  readonly node: string
  readonly pod: string
  /** `namespace/name`; null when something else was in the way. */
  readonly budget: string | null
  readonly atMs: number
  /** null: it never was. */
  readonly acceptedMs: number | null
  readonly why: string
}

/** The nodes of a rehearsal from the journal of its run. */
export function rehearsedNodes(
  plan: Plan,
  records: readonly JournalRecord[],
  startMs: number,
): RehearsedNode[] {
  const states = replay(records)
  const byNode = Map.groupBy(records, ({ node }) => node ?? '')
  return plan.nodes.map(({ name }) => {
    const { phase, failure } = nodeState(states, name)
    return {
      name,
      state: stateOf(phase, failure !== null),
      steps: stepsOf(byNode.get(name) ?? [], startMs),
    }
  })
}

function stateOf(phase: ReturnType<typeof nodeState>['phase'], failed: boolean): RehearsedNode['state'] {
  switch (phase) {
    case 'done':
      return 'moved'
    case 'rolled-back':
    case 'reverted':
      return 'as before'
    case 'pending':
      return 'not begun'
    case 'running':
    case 'rolling-back':
    case 'reverting':
      return failed ? 'needs a person' : 'not begun'
  }
}

function stepsOf(own: readonly JournalRecord[], startMs: number): RehearsedStep[] {
  const steps: RehearsedStep[] = []
  for (const { phase, step, attempt, monotonicMs, data } of own) {
    const atMs = monotonicMs - startMs
    if (!isStepId(step)) continue
    if (phase === 'intent') steps.push({ id: step, attempt, startMs: atMs, endMs: atMs, outcome: 'done' })
    const place = steps.findLastIndex((one) => one.id === step && one.attempt === attempt)
    const begun = steps[place]
    if (begun === undefined) {
      // A gate that did not hold ends a step before there is an intent.
      if (phase === 'result') steps.push({ id: step, attempt, startMs: atMs, endMs: atMs, outcome: 'failed' })
      continue
    }
    if (phase !== 'result') continue
    const outcome = data['outcome'] === 'done' ? 'done' : data['outcome'] === 'undone' ? 'undone' : 'failed'
    steps[place] = { ...begun, endMs: outcome === 'undone' ? begun.endMs : atMs, outcome }
  }
  return steps
}

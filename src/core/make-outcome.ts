import { exitCode, type ExitCode } from './errors.ts'
import type { JournalRecord } from './journal.ts'
import type { Outcome } from './outcome.ts'
import { forwardFrom } from './methods.ts'
import { pausedNow } from './paused-now.ts'
import type { Plan, PlanNode } from './plan.ts'
import { abandonedAt, nodeState, replay, type NodeState } from './run-state.ts'

export interface OutcomeInput {
  readonly plan: Plan
  readonly runId: string
  readonly records: readonly JournalRecord[]
  /** What these records say, if it is known already. */
  readonly states?: ReadonlyMap<string, NodeState>
  readonly exit: ExitCode
  readonly reason: string | null
  readonly now: string
  /** What to type next when something is left. */
  readonly resume: string
}

/** Sums a run up from its journal, so that it says the same whoever asks and whenever. */
export function makeOutcome(input: OutcomeInput): Outcome {
  const { plan, records } = input
  const states = input.states ?? replay(records)
  const nodes = plan.nodes.map((node) => nodeOutcome(node, nodeState(states, node.name)))
  const left = nodes.filter(({ state }) => state !== 'done' && state !== 'reverted').length
  const { exit } = input
  const isAbandoned = abandonedAt(records) !== null
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Outcome',
    runId: input.runId,
    planDigest: plan.digest,
    startedAt: records[0]?.ts ?? input.now,
    endedAt: records.at(-1)?.ts ?? input.now,
    exit,
    status: isAbandoned ? 'abandoned' : statusOf(left, exit),
    nodes,
    reason: input.reason,
    paused: [...pausedNow(plan, records)],
    next: left === 0 || isAbandoned ? null : input.resume,
  }
}

function statusOf(left: number, exit: ExitCode): Outcome['status'] {
  if (left === 0) return 'complete'
  if (exit === exitCode.ok) return 'partial'
  return exit === exitCode.needsOperator || exit === exitCode.postCheckFailed ? 'needs-operator' : 'paused'
}

function nodeOutcome(node: PlanNode, state: NodeState): Outcome['nodes'][number] {
  const last = node.steps.findLast(({ id }) => state.steps.has(id))?.id ?? null
  return {
    name: node.name,
    state: stateOf(node, state),
    step: state.failure?.step ?? last,
    reason: state.failure?.message ?? null,
    startedAt: state.startedAt,
    endedAt: state.endedAt,
    proof: proofOf(state),
  }
}

function stateOf(node: PlanNode, { phase, steps, failure }: NodeState): Outcome['nodes'][number]['state'] {
  if (phase === 'done' || phase === 'pending' || phase === 'rolled-back' || phase === 'reverted') return phase
  if (failure === null) return 'in-progress'
  const forward = forwardFrom(node)
  const onlyForward = forward !== null && steps.get(forward)?.isBegun === true
  return onlyForward || phase === 'rolling-back' ? 'needs-operator' : 'in-progress'
}

function proofOf({ steps }: NodeState): Outcome['nodes'][number]['proof'] {
  const joined = steps.get('join')
  if (joined?.outcome !== 'done') return null
  const text = (key: string): string => {
    const value = joined.result[key]
    return typeof value === 'string' ? value : ''
  }
  return {
    nonce: text('nonce'),
    systemUuid: text('systemUuid'),
    bootIdBefore: text('bootIdBefore'),
    bootIdAfter: text('bootIdAfter'),
    osImageBefore: text('osImageBefore'),
    osImageAfter: text('osImageAfter'),
    kubeletVersion: text('kubeletVersion'),
  }
}

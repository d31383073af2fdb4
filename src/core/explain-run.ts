import type { JournalRecord } from './journal.ts'
import { forwardFrom } from './methods.ts'
import { pausedNow, type PausedNow } from './paused-now.ts'
import { stepDefaults, stepGraceMs, type Plan, type PlanNode, type StepId } from './plan.ts'
import { nodeState, replay, type NodeState } from './run-state.ts'

/** Where one node of a run stands, from the journal alone. Times are RFC 3339. */
export interface RunExplanation {
  readonly node: string
  readonly role: 'server' | 'agent'
  readonly place: number
  readonly of: number
  readonly phase: NodeState['phase']
  readonly attempt: number
  /** The step that is under way or the last one; null when nothing has begun. */
  readonly step: {
    readonly id: StepId
    readonly title: string
    readonly outcome: 'under way' | 'done' | 'failed' | 'undone'
    readonly since: string
    /** Its time, counted from `since`, in ms. */
    readonly allowedMs: number
    /** The last thing it said that it does. */
    readonly doing: string | null
    /** What it waits for, as it said last; null when it said nothing. */
    readonly waitsFor: string | null
  } | null
  readonly failure: string | null
  /** What a failure now would undo, in the order of undoing; null where there is only forward. */
  readonly wouldUndo: readonly string[] | null
  readonly stillToDo: readonly string[]
  /** Controllers of the cluster that stand still until the run is over. */
  readonly paused: readonly PausedNow[]
  /** What to type; null when there is nothing to do. */
  readonly next: string | null
}

/** A line of `events.jsonl` as far as it matters here. */
export interface ProgressEvent {
  readonly ts: string
  readonly node: string
  readonly step: string
  readonly message: string
}

/** `isCarriedOn`: a process works on the run at this moment. */
export function explainRun(
  plan: Plan,
  node: PlanNode,
  run: {
    readonly runId: string
    readonly records: readonly JournalRecord[]
    readonly progress: readonly ProgressEvent[]
    readonly isCarriedOn: boolean
  },
): RunExplanation {
  const { records, runId, isCarriedOn } = run
  const state = nodeState(replay(records), node.name)
  const ids = node.steps.map(({ id }) => id)
  const begun = ids.filter((id) => state.steps.has(id))
  const last = state.failure?.step ?? begun.at(-1)
  const forward = forwardFrom(node)
  const onlyForward = forward !== null && state.steps.has(forward)
  const isOver = state.phase === 'done' || state.phase === 'rolled-back' || state.phase === 'reverted'
  return {
    node: node.name,
    role: node.role,
    place: plan.nodes.indexOf(node) + 1,
    of: plan.nodes.length,
    phase: state.phase,
    attempt: state.attempt,
    step: last === undefined ? null : stepOf(node, last, state, run),
    failure: state.phase === 'done' ? null : (state.failure?.message ?? null),
    wouldUndo:
      onlyForward && !isOver
        ? null
        : isOver
          ? []
          : begun
              .filter((id) => state.steps.get(id)?.outcome !== 'undone' && leavesTraces.has(id))
              .toReversed()
              .map((id) => stepDefaults[id].title),
    stillToDo:
      state.phase === 'done' || state.phase === 'reverted'
        ? []
        : ids
            .filter((id) => state.phase === 'rolled-back' || state.steps.get(id)?.outcome !== 'done')
            .map((id) => stepDefaults[id].title),
    paused: pausedNow(plan, records),
    next: nextCommand(state.phase, runId, isCarriedOn, records),
  }
}

/** Steps with an undo; the others only look. */
const leavesTraces: ReadonlySet<StepId> = new Set(['stage', 'place', 'steer', 'cordon', 'trial'])

function nextCommand(
  phase: NodeState['phase'],
  runId: string,
  isCarriedOn: boolean,
  records: readonly JournalRecord[],
): string | null {
  if (phase === 'done' || phase === 'reverted' || isCarriedOn) return null
  const abandoned = records.some(({ data }) => data['event'] === 'abandon')
  return abandoned ? null : `k3os-migrate resume ${runId}`
}

function stepOf(
  node: PlanNode,
  id: StepId,
  { steps, attempt }: NodeState,
  { records, progress }: { records: readonly JournalRecord[]; progress: readonly ProgressEvent[] },
): RunExplanation['step'] {
  const known = steps.get(id)
  if (known === undefined) return null
  const timeoutMs = node.steps.find((one) => one.id === id)?.timeoutMs ?? 0
  const underWay = known.outcome === null
  const mine = records.filter(
    (record) => record.node === node.name && record.step === id && record.attempt === attempt,
  )
  const action = mine.findLast(({ data }) => typeof data['action'] === 'string')?.data['action']
  const said = progress.findLast(
    (event) => event.node === node.name && event.step === id && event.ts >= known.startedAt,
  )
  return {
    id,
    title: stepDefaults[id].title,
    outcome: known.outcome ?? 'under way',
    since: known.startedAt,
    allowedMs: timeoutMs + stepGraceMs,
    doing: typeof action === 'string' ? action : null,
    waitsFor: underWay ? (said?.message ?? null) : null,
  }
}

import type { JournalRecord } from './journal.ts'
import { stepIds, type StepId } from './plan.ts'

/** What the journal says about one step of the running attempt. */
export interface StepState {
  readonly intent: Readonly<Record<string, unknown>>
  /** False when it failed before its intent was written down: nothing was done, and there is nothing to undo. */
  readonly isBegun: boolean
  /** null: intent written, no result: nobody knows until somebody looks (`observe`). */
  readonly outcome: 'done' | 'failed' | 'undone' | null
  readonly startedAt: string
  readonly endedAt: string | null
  readonly result: Readonly<Record<string, unknown>>
}

/**
 * `running`: some steps have records. `rolling-back`: a step failed before the point of no return and not everything is
 * undone yet. `rolled-back`: it is; the next attempt starts from the beginning. `reverting`: a node that was moved goes back
 * to k3OS by command, which is an attempt of its own; `reverted`: it is there.
 */
export type NodePhase =
  | 'pending'
  | 'running'
  | 'rolling-back'
  | 'rolled-back'
  | 'done'
  | 'reverting'
  | 'reverted'

export interface NodeState {
  readonly attempt: number
  readonly phase: NodePhase
  readonly steps: ReadonlyMap<StepId, StepState>
  readonly failure: { readonly step: StepId; readonly message: string; readonly exit: number } | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** Where the node stood before `revert` was begun; null otherwise. */
  readonly beforeRevert: NodeState | null
}

export const nodeRecord = 'node'
export const runRecord = 'run'

const untouched: NodeState = {
  attempt: 1,
  phase: 'pending',
  steps: new Map(),
  failure: null,
  startedAt: null,
  endedAt: null,
  beforeRevert: null,
}

/** Derives where each node stands. Pure: the same journal gives the same state on any machine. */
export function replay(records: readonly JournalRecord[]): ReadonlyMap<string, NodeState> {
  const nodes = new Map<string, NodeState>()
  for (const record of records) advance(nodes, record)
  return nodes
}

/** The same, one record at a time: a long run would spend its time on reading its own past. */
export function advance(nodes: Map<string, NodeState>, record: JournalRecord): void {
  if (record.node === null) return
  nodes.set(record.node, apply(nodes.get(record.node) ?? untouched, record))
}

/** When its people gave the run up; null while it can go on. */
export function abandonedAt(records: readonly JournalRecord[]): string | null {
  return records.findLast(({ step, data }) => step === runRecord && data['event'] === 'abandoned')?.ts ?? null
}

export function nodeState(states: ReadonlyMap<string, NodeState>, node: string): NodeState {
  return states.get(node) ?? untouched
}

function apply(state: NodeState, record: JournalRecord): NodeState {
  const base: NodeState =
    record.attempt > state.attempt ? { ...untouched, attempt: record.attempt, startedAt: record.ts } : state
  if (record.phase === 'note') return base
  if (record.step === nodeRecord) {
    if (record.phase === 'intent') return { ...base, phase: 'reverting', beforeRevert: state }
    const { outcome } = record.data
    if (outcome === 'reverted') return { ...base, phase: 'reverted', endedAt: record.ts, beforeRevert: null }
    if (outcome === 'done') return { ...base, phase: 'done', endedAt: record.ts }
    // A revert that was undone leaves the node where it was.
    return base.beforeRevert === null
      ? { ...base, phase: 'rolled-back', endedAt: record.ts }
      : { ...base.beforeRevert, attempt: base.attempt }
  }
  if (!isStepId(record.step)) return base
  const steps = new Map(base.steps)
  const known = steps.get(record.step)
  if (record.phase === 'intent') {
    steps.set(record.step, {
      intent: record.data,
      isBegun: true,
      outcome: null,
      startedAt: record.ts,
      endedAt: null,
      result: {},
    })
    const phase = base.beforeRevert === null ? 'running' : 'reverting'
    return { ...base, phase, steps, startedAt: base.startedAt ?? record.ts }
  }
  const outcome = outcomeOf(record.data['outcome'])
  steps.set(record.step, {
    intent: known?.intent ?? {},
    isBegun: known?.isBegun ?? false,
    outcome,
    startedAt: known?.startedAt ?? record.ts,
    endedAt: record.ts,
    result: record.data,
  })
  if (outcome !== 'failed') {
    const mended = outcome === 'done' && base.failure?.step === record.step
    return { ...base, steps, failure: mended ? null : base.failure }
  }
  const failure = {
    step: record.step,
    message: String(record.data['error']),
    exit: Number(record.data['exit']),
  }
  return { ...base, steps, failure, phase: record.data['undo'] === true ? 'rolling-back' : base.phase }
}

function outcomeOf(value: unknown): 'done' | 'failed' | 'undone' {
  return value === 'done' || value === 'undone' ? value : 'failed'
}

export function isStepId(step: string): step is StepId {
  return stepIds.some((id) => id === step)
}

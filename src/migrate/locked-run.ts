import { exitCode } from '../core/errors.ts'
import type { JournalRecord } from '../core/journal.ts'
import { makeOutcome } from '../core/make-outcome.ts'
import { stepsMs, type Plan, type PlanNode, type StepId } from '../core/plan.ts'
import { makeRunRecord } from '../core/run-record.ts'
import { nodeState, replay } from '../core/run-state.ts'
import type { Journal } from './journal.ts'
import type { RunLock } from './lease.ts'
import { withAround } from './port-calls.ts'
import type { StepPorts } from './step.ts'

/** The run whose every change is preceded by the proof that the cluster is still its own. */
export function fenced<J extends { readonly ports: StepPorts; readonly lock?: RunLock }>(job: J): J {
  const { lock } = job
  if (lock === undefined) return job
  const ports = withAround(job.ports, async ({ effect }, send) => {
    if (effect === 'changes') await lock.prove()
    return send()
  })
  return { ...job, ports }
}

/**
 * How long the API server may be away because its own machine is moved: from the end of the drain until the node is proven
 * to be back. null where its silence would be no doing of ours.
 */
export function silenceMs({ role, steps }: PlanNode, step: StepId): number | null {
  const ids = steps.map(({ id }) => id)
  const at = ids.indexOf(step)
  const last = ids.indexOf(ids.includes('join') ? 'join' : 'compare')
  if (role !== 'server' || at <= ids.indexOf('drain') || at > last) return null
  return stepsMs(steps.slice(at, last + 1))
}

/** Whether a run that stopped here may find the API server silent because of its own doing. */
export function mayFindSilence(plan: Plan, records: readonly JournalRecord[]): boolean {
  const states = replay(records)
  return plan.nodes.some((node) => {
    const { phase, steps } = nodeState(states, node.name)
    if (phase === 'reverting') return node.role === 'server' && steps.has('return')
    const last = node.steps.findLast(({ id }) => steps.has(id))
    return phase === 'running' && last !== undefined && silenceMs(node, last.id) !== null
  })
}

/** Puts the state of the run where it can be seen from elsewhere; it is written with the next proof. */
export function tellState(plan: Plan, runId: string, lock: RunLock | undefined, journal: Journal): void {
  if (lock === undefined) return
  const last = journal.records.at(-1)
  const outcome = makeOutcome({
    plan,
    runId,
    records: journal.records,
    states: journal.states,
    exit: exitCode.ok,
    reason: null,
    now: last?.ts ?? plan.metadata.createdAt,
    resume: `k3os-migrate resume ${runId}`,
  })
  lock.tell(JSON.stringify(makeRunRecord(plan, outcome, last, true)))
}

import { downMs } from './methods.ts'
import type { Plan, PlanNode } from './plan.ts'
import { localTimeText, type OffsetAt } from './time-zone.ts'
import { nextFit, openAt } from './windows.ts'

/** When a node may be taken past its point of no return next; now itself without windows, null when no window is long enough. */
export function nextStartMs(plan: Plan, node: PlanNode, nowMs: number, offsetAt: OffsetAt): number | null {
  const { windows } = plan.policy
  return windows.length === 0 ? nowMs : nextFit(windows, nowMs, downMs(node), offsetAt)
}

/** Why a node may not be taken past its point of no return now; null when it may. */
export function closedWindow(plan: Plan, node: PlanNode, nowMs: number, offsetAt: OffsetAt): string | null {
  const startMs = nextStartMs(plan, node, nowMs, offsetAt)
  if (startMs === nowMs) return null
  const minutes = Math.ceil(downMs(node) / 60_000)
  const open = openAt(plan.policy.windows, nowMs, offsetAt)
  const zone = plan.policy.windows[0]?.timeZone ?? 'UTC'
  const why =
    open === null
      ? 'no maintenance window is open'
      : `the maintenance window closes at ${localTimeText(zone, open.endMs)}, and the rest may take ${minutes} minutes`
  return startMs === null
    ? `${why}; no window is ever open for ${minutes} minutes: a plan with longer windows or shorter steps (--window, --step-timeout)`
    : `${why}; the next chance is ${localTimeText(zone, startMs)}`
}

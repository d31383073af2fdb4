import { objectText } from '../../core/competing.ts'
import {
  cannotPause,
  type ControllerState,
  type ControllerSwitch,
  isOff,
  offOf,
  rebootingNode,
  sameSwitch,
  switchText,
} from '../../core/controller-switch.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { Paused } from '../../core/paused-now.ts'
import type { Action, StepContext } from '../step.ts'

/**
 * Controllers that work on nodes by themselves stand still while a run goes on: those that the plan names, by one field
 * of their object. How it was is in the journal before anything is changed, and on the object itself in the same request,
 * so that whoever gives the run up can put it back.
 */

/** What is at work now, how it is, and how it will be. Refuses what cannot be stopped this way, with the command. */
export async function toPause(context: StepContext, nodes: readonly string[]): Promise<Paused> {
  const { plan, clock, runId } = context
  const paused: Paused[number][] = []
  for (const pause of plan.pauses) {
    const state = await context.kube.controller(pause, context.signal)
    // A DaemonSet that is on no node has been stopped by somebody already.
    if (state === undefined || (pause.kind === 'DaemonSet' && state.pods === 0)) continue
    refuseRebooting(state, nodes)
    const { switch: now, mark, keeper } = state
    // Left behind by a run that nobody has heard of since: what it found is how it was.
    const before = mark !== null && mark.run !== runId && sameSwitch(now, mark.off) ? mark.before : now
    if (before === now && isOff(now)) continue
    if (before.by === 'nothing') throw refusedPause(context, state, before)
    const off = offOf(before, clock.now().toISOString())
    paused.push({ ...pause, before, off, keeper })
  }
  return paused
}

export function pauseActions(context: StepContext, paused: Paused): Action[] {
  return paused.map(({ controller, before, off, keeper, ...object }) => ({
    describe: `pause ${controller}: ${objectText(object)} from ${switchText(before)} to ${switchText(off)}${keeper === null ? '' : `; ${keeper}`}`,
    async run(signal) {
      const mark = { run: context.runId, before, off }
      await context.kube.switchController(object, off, mark, signal)
    },
  }))
}

/** Off, with our mark, and its pods on their way out. What was deleted meanwhile is at rest too. */
export async function arePaused({ kube, signal, runId }: StepContext, paused: Paused): Promise<boolean> {
  for (const { off, ...object } of paused) {
    const state = await kube.controller(object, signal)
    if (state === undefined) continue
    if (state.mark?.run !== runId || !sameSwitch(state.switch, off)) return false
    if (off.by === 'replicas' && state.pods > 0) return false
  }
  return true
}

/** Puts back all that this run has paused. What somebody has changed since is theirs. */
export async function giveBack({ plan, kube, runId, signal }: StepContext): Promise<Action[]> {
  const actions: Action[] = []
  // The one that was stopped last goes on first.
  for (const pause of plan.pauses.toReversed()) {
    const state = await kube.controller(pause, signal)
    const mark = state?.mark ?? null
    if (state === undefined || mark === null || mark.run !== runId) continue
    const isOurs = sameSwitch(state.switch, mark.off)
    const to: ControllerSwitch = isOurs || state.switch.by === 'nothing' ? mark.before : state.switch
    actions.push({
      describe: isOurs
        ? `let ${pause.controller} go on: ${objectText(pause)} to ${switchText(to)}`
        : `leave ${objectText(pause)} as somebody has set it since: ${switchText(to)}`,
      async run(within) {
        await kube.switchController(pause, to, null, within)
      },
    })
  }
  return actions
}

/** It will not start another one; but this one it has begun. */
function refuseRebooting(state: ControllerState, nodes: readonly string[]): void {
  const node = rebootingNode(state.switch, nodes)
  if (node === null) return
  throw new MigrateError(cannotPause(state, `it is rebooting ${node} now`), {
    exitCode: exitCode.blocked,
    hint: `wait until ${node} is back, then try again`,
    transient: true,
  })
}

function refusedPause(
  { runId }: StepContext,
  state: ControllerState,
  { why, stop }: { readonly why: string; readonly stop: string },
): MigrateError {
  return new MigrateError(cannotPause(state, why), {
    exitCode: exitCode.blocked,
    hint: `stop it yourself: ${stop}; then: k3os-migrate resume ${runId}`,
  })
}

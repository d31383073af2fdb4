import { exitCode, MigrateError } from '../../core/errors.ts'
import { readBesideState, type BesideState } from '../../core/in-place/beside.ts'
import { changedGrubEnvironment } from '../../core/in-place/grubenv.ts'
import { isOnTrial } from '../../core/methods.ts'
import type { Plan, StepId } from '../../core/plan.ts'
import { NothingTouched } from '../nothing-touched.ts'
import type { HostAddress } from '../ports.ts'
import type { StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'

/** What the steps of a move in place share: how they talk to the node, and what they make of its answers. */

export type InPlaceMethod = Extract<Plan['method'], { kind: 'in-place' }>

export function inPlaceMethod({ plan }: Pick<StepContext, 'plan'>): InPlaceMethod {
  if (plan.method.kind === 'in-place') return plan.method
  throw new Error(`a plan of the method ${plan.method.kind} puts nothing beside k3OS`)
}

export function addressOf({ node }: Pick<StepContext, 'node'>): HostAddress {
  return { name: node.name, ...node.address }
}

export async function besideState(context: StepContext): Promise<BesideState> {
  const { tree } = inPlaceMethod(context)
  const text = await context.host.askInPlace(addressOf(context), ['state', tree.id], context.signal)
  return readBesideState(text, context.node.name)
}

export async function act(
  context: StepContext,
  words: readonly string[],
  input: string | Uint8Array | AsyncIterable<Uint8Array> = '',
): Promise<string> {
  return context.host.actInPlace(addressOf(context), words, input, context.signal)
}

/** One sector of GRUB's environment block, in place. null takes a variable out. */
export async function arm(
  context: StepContext,
  changes: Readonly<Partial<Record<'next_entry' | 'saved_entry', string | null>>>,
): Promise<void> {
  const now = await context.host.askInPlace(addressOf(context), ['environment'], context.signal)
  await act(context, ['arm'], changedGrubEnvironment(new TextEncoder().encode(now), changes))
}

/** The machine goes down; a connection that dies of that is no failure. What comes up is looked at, not assumed. */
export async function restart(context: StepContext): Promise<void> {
  try {
    await act(context, ['restart'])
  } catch (error) {
    if (!(error instanceof MigrateError) || error.exitCode !== exitCode.io) throw error
    context.progress(`${error.message}; it is looked at when it answers again`)
  }
}

/** k3OS runs again, without anybody having asked it to: what was tried is over, and everything is undone. */
export class FellBack extends NothingTouched {
  constructor(node: string, why: string) {
    super(
      new MigrateError(`${node} is back in k3OS by itself: ${why}`, {
        exitCode: exitCode.rolledBack,
        hint: `look at ${node}'s console or network, and what the new system could not do`,
      }),
    )
  }
}

/** Before each step on a system on trial: whether it still is. One that does not answer is the step's own to wait for. */
export async function refuseFallenBack(context: StepContext, step: StepId): Promise<void> {
  if (!isOnTrial(context.node, step)) return
  let state: BesideState
  try {
    state = await besideState(context)
  } catch (error) {
    if (error instanceof MigrateError) return
    throw error
  }
  if (state.system === 'k3os')
    throw new FellBack(context.node.name, 'the new system was not confirmed within its time, or failed')
}

/** The Node is Ready, in the boot that the machine is in. */
export async function isReadyIn(context: StepContext, bootId: string): Promise<string | undefined> {
  const node = await context.kube.node(context.node.name, context.signal)
  if (node === undefined) return 'the cluster has no such Node'
  if (node.bootId !== bootId) return 'its Node object still shows another boot'
  return node.ready ? undefined : 'it is not Ready'
}

/** Until k3OS answers and its Node is Ready. */
export async function waitForK3os(context: StepContext, timeoutMs: number): Promise<void> {
  const { name } = context.node
  await waitUntil(context, {
    until: `${name} is back in k3OS and Ready`,
    timeoutMs,
    everyMs: 5_000,
    exit: exitCode.needsOperator,
    hint: `look at the console of ${name}, or switch it off and on; then: k3os-migrate resume ${context.runId}`,
    async check() {
      const state = await besideState(context)
      if (state.system !== 'k3os') return 'the new system still answers'
      return isReadyIn(context, state.bootId)
    },
  })
}

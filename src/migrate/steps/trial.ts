import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { entryNames } from '../../core/in-place/grub-cfg.ts'
import type { Action, Step, StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'
import { staged } from './baseline.ts'
import { act, arm, besideState, FellBack, inPlaceMethod, isReadyIn, restart, waitForK3os } from './beside.ts'
import { disarm } from './probe.ts'
import { lastLook, readBootId, stepTimeout } from './rebuilt.ts'

const intentSchema = z.object({ bootId: z.string() })

/**
 * The new system, once. GRUB has forgotten it before its kernel runs: whatever becomes of it, the boot after that is k3OS. It
 * leaves by itself when nobody confirms it within the plan's deadline.
 */
export const trial: Step = {
  id: 'trial',
  async intent(context) {
    return { bootId: await readBootId(context), nonce: staged(context).nonce }
  },
  async actions(context, intent) {
    const { bootId } = intentSchema.parse(intent)
    const { name } = context.node
    const { tree, deadlineSeconds } = inPlaceMethod(context)
    return [
      {
        describe: `look once more whether ${name} is the machine of the plan, cordoned by this run`,
        async run() {
          await lastLook(context, bootId)
        },
      },
      {
        describe: `stop k3s on ${name} and restart it into ${tree.title}, on trial for ${Math.round(deadlineSeconds / 60)} minutes`,
        async run() {
          await act(context, ['stop'])
          await arm(context, { next_entry: entryNames(tree.id).trial })
          await restart(context)
        },
      },
      {
        describe: `wait until ${name} answers with this attempt's nonce`,
        async run() {
          await waitForTrial(context, bootId)
        },
      },
    ]
  },
  async observe(context, intent) {
    const { bootId } = intentSchema.parse(intent)
    try {
      const state = await besideState(context)
      if (state.nonce === staged(context).nonce) return 'done'
      if (state.bootId === bootId) return 'not-started'
      if (state.system === 'k3os') throw fellBack(context)
      return 'unknown'
    } catch (error) {
      if (error instanceof MigrateError && !(error instanceof FellBack)) return 'in-progress'
      throw error
    }
  },
  async undo(context, intent) {
    return backToK3os(context, intentSchema.parse(intent).bootId)
  },
  async proof(context) {
    return { nonce: staged(context).nonce, bootId: await readBootId(context) }
  },
}

function fellBack({ node }: StepContext): FellBack {
  return new FellBack(node.name, 'the new system did not start, or was not confirmed within its time')
}

async function waitForTrial(context: StepContext, bootId: string): Promise<void> {
  const { node, runId } = context
  await waitUntil(context, {
    until: `${node.name} answers with this attempt's nonce`,
    timeoutMs: stepTimeout(context, 'trial'),
    everyMs: 5_000,
    exit: exitCode.needsOperator,
    hint: `look at the console of ${node.name}, or switch it off and on: it starts k3OS; then: k3os-migrate resume ${runId}`,
    async check() {
      const state = await besideState(context)
      if (state.nonce === staged(context).nonce) return undefined
      if (state.bootId === bootId) return 'it has not gone down yet'
      if (state.system === 'k3os') throw fellBack(context)
      return 'it answers with the nonce of another attempt'
    },
  })
}

/** From whatever runs now back to k3OS, Ready and with k3s. `bootId` is the boot of k3OS that the trial began from. */
export async function backToK3os(context: StepContext, bootId: string | null): Promise<Action[]> {
  const { name } = context.node
  const wait = async (): Promise<void> =>
    waitForK3os(
      context,
      stepTimeout(context, context.node.steps.some(({ id }) => id === 'return') ? 'return' : 'trial'),
    )
  let state: Awaited<ReturnType<typeof besideState>>
  try {
    state = await besideState(context)
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error
    return [{ describe: `wait until ${name} is back in k3OS: ${error.message}`, run: wait }]
  }
  if (state.system === 'new') {
    return [
      {
        describe: `restart ${name} into k3OS`,
        async run() {
          await arm(context, { next_entry: '', saved_entry: '' })
          await restart(context)
          await wait()
        },
      },
    ]
  }
  if (state.settled !== null)
    return [
      {
        describe: `let every boot of ${name} start k3OS`,
        run: async () => arm(context, { next_entry: '', saved_entry: '' }),
      },
    ]
  const armed = await disarm(context)
  if (armed.length > 0) return armed
  if (state.k3sStopped)
    return [
      {
        describe: `start k3s on ${name} again`,
        async run() {
          await act(context, ['start'])
        },
      },
    ]
  // In the boot it was in all the time it was Ready before, and k3s was not touched.
  if (state.bootId === bootId || (await isReadyIn(context, state.bootId)) === undefined) return []
  return [{ describe: `wait until ${name} is Ready`, run: wait }]
}

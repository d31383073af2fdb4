import { z } from 'zod'
import { parseBundle } from '../../core/bundle.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { BesideState } from '../../core/in-place/beside.ts'
import { nodeFacts } from '../../core/facts.ts'
import { entryNames } from '../../core/in-place/grub-cfg.ts'
import { dated, firstToEnd, leafDays, urgentDays } from '../../core/k3s/certificates.ts'
import type { Step, StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'
import { staged } from './baseline.ts'
import { addressOf, arm, besideState, FellBack, inPlaceMethod, isReadyIn, restart } from './beside.ts'
import { lastLook, readBootId, stepTimeout } from './rebuilt.ts'

const intentSchema = z.object({ bootId: z.string() })

/**
 * k3OS itself, through the very one-shot that will start the new system: the right menu is read, GRUB can clear what was
 * armed, and k3OS, which may not have been restarted for years, comes back. All of the way back is tried before it is needed.
 */
export const probe: Step = {
  id: 'probe',
  async intent(context) {
    return { bootId: await readBootId(context) }
  },
  async actions(context, intent) {
    const { bootId } = intentSchema.parse(intent)
    const { name } = context.node
    return [
      {
        describe: `look once more whether ${name} is the machine of the plan, cordoned by this run`,
        async run() {
          await lastLook(context, bootId)
        },
      },
      {
        describe: `restart ${name} into k3OS, by the way that will start the new system`,
        async run() {
          await arm(context, { next_entry: entryNames(inPlaceMethod(context).tree.id).probe })
          await restart(context)
        },
      },
      {
        describe: `wait until ${name} is back in k3OS and Ready`,
        async run() {
          await waitUntil(context, {
            until: `${name} is back in k3OS and Ready`,
            timeoutMs: stepTimeout(context, 'probe'),
            everyMs: 5_000,
            exit: exitCode.needsOperator,
            hint: `look at the console of ${name}: it runs nothing but k3OS; then: k3os-migrate resume ${context.runId}`,
            check: async () => notBack(context, bootId, await besideState(context)),
          })
        },
      },
    ]
  },
  async observe(context, intent) {
    const { bootId } = intentSchema.parse(intent)
    try {
      const state = await besideState(context)
      if (state.bootId === bootId) return 'not-started'
      return (await notBack(context, bootId, state)) === undefined ? 'done' : 'in-progress'
    } catch (error) {
      if (error instanceof MigrateError && !(error instanceof FellBack)) return 'in-progress'
      throw error
    }
  },
  async undo(context) {
    return disarm(context)
  },
  async proof(context) {
    return { certificatesUntil: await provenCertificates(context), bootId: await readBootId(context) }
  },
}

/**
 * k3s was started anew, and has renewed certificates that end within 90 days. Those that still end now would end on trial, or
 * in the days in which nobody looks. Gives the day on which the first ends; null when none could be read, which `assess` says.
 */
async function provenCertificates(context: StepContext): Promise<string | null> {
  const { node, host, clock, signal } = context
  const bundle = parseBundle(await host.collect(addressOf(context), signal), `bundle of ${node.name}`)
  const first = firstToEnd(dated(nodeFacts(bundle).certificates, clock.now().toISOString()))
  if (first === undefined) return null
  const says = `${node.name}: ${first.path} ends on ${first.notAfter.slice(0, 10)} although k3s was started anew`
  if (first.days < urgentDays)
    throw new MigrateError(says, {
      exitCode: exitCode.inhibitors,
      hint: `is its clock right? It should renew certificates 90 days before their end; see the log of k3s on ${node.name}`,
    })
  if (first.days <= leafDays) context.progress(says)
  return first.notAfter
}

/** What is still missing. Throws what waiting will not mend. */
async function notBack(
  context: StepContext,
  bootId: string,
  state: BesideState,
): Promise<string | undefined> {
  const { name } = context.node
  if (state.bootId === bootId) return 'it has not gone down yet'
  if (state.probe !== staged(context).nonce)
    throw new FellBack(name, 'GRUB did not take the entry that was armed, so no trial would begin')
  if (state.armed !== null)
    throw new FellBack(name, 'GRUB did not clear what was armed, so a trial would never end')
  return isReadyIn(context, state.bootId)
}

/** So that a restart by anybody is just a restart. */
export async function disarm(context: StepContext): ReturnType<NonNullable<Step['undo']>> {
  const { armed } = await besideState(context)
  if (armed === null) return []
  return [
    {
      describe: `let ${context.node.name} start k3OS at its next boot`,
      async run() {
        await arm(context, { next_entry: '' })
      },
    },
  ]
}

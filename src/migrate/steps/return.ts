import { MigrateError } from '../../core/errors.ts'
import type { Step } from '../step.ts'
import { besideState } from './beside.ts'
import { place } from './place.ts'
import { backToK3os } from './trial.ts'

/** k3OS again, with everything that was written meanwhile: it is the same folders. Then the new system is taken away. */
export const goBack: Step = {
  id: 'return',
  async intent(context) {
    const { features } = await besideState(context)
    return { features }
  },
  async actions(context) {
    const { name } = context.node
    return [
      {
        describe: `restart ${name} into k3OS, and wait until it is Ready`,
        async run(signal) {
          // Each look says what comes next; a machine that does not come back ends this by its time.
          for (;;) {
            const [next] = await backToK3os(context, null)
            if (next === undefined) return
            await next.run(signal)
          }
        },
      },
      {
        describe: `give ${name} its boot menu back and remove the new system`,
        async run(signal) {
          for (const action of (await place.undo?.(context, {})) ?? []) await action.run(signal)
        },
      },
    ]
  },
  /** One that does not answer is begun anew: each action looks first, and waits. */
  async observe(context) {
    try {
      const left = [...(await backToK3os(context, null)), ...((await place.undo?.(context, {})) ?? [])]
      return left.length === 0 ? 'done' : 'not-started'
    } catch (error) {
      if (error instanceof MigrateError) return 'not-started'
      throw error
    }
  },
}

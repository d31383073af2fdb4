import { entryNames } from '../../core/in-place/grub-cfg.ts'
import type { Step } from '../step.ts'
import { persist } from '../wait.ts'
import { act, arm, besideState, inPlaceMethod } from './beside.ts'
import { placed } from './place.ts'
import { stepTimeout } from './rebuilt.ts'

/**
 * The new system becomes the one that every boot starts: one write of one sector, never another menu. Only then does it stop
 * watching its own deadline, so that a cut in between ends in one of the two.
 */
export const confirm: Step = {
  id: 'confirm',
  async intent() {
    return {}
  },
  async actions(context) {
    const { tree } = inPlaceMethod(context)
    const { name } = context.node
    return [
      {
        describe: `let every boot of ${name} start ${tree.title}, and take its deadline away`,
        async run() {
          // Its deadline goes on meanwhile: a connection that fails once must not send the node back.
          await persist(context, `${name} is confirmed`, stepTimeout(context, 'confirm'), async () => {
            await arm(context, { saved_entry: entryNames(tree.id).settled })
            await act(context, ['confirm'])
          })
        },
      },
    ]
  },
  async observe(context) {
    const state = await besideState(context)
    const isSettled = state.settled === entryNames(inPlaceMethod(context).tree.id).settled
    return isSettled && state.confirmed ? 'done' : 'not-started'
  },
  async proof(context) {
    const { features } = await besideState(context)
    // With words that k3OS does not know, its kernel or GRUB may not read the disk any more: `revert` asks for this.
    return { features, sameFeatures: features === placed(context).features }
  },
}

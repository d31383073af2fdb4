import { z } from 'zod'
import type { Action, Step, StepContext } from '../step.ts'
import { marker, markerValue, readNode } from './check.ts'
import { baseline } from './baseline.ts'

const intentSchema = z.object({ wasUnschedulable: z.boolean() })

/** Marks the node as this run's work and keeps new pods away. The old value decides whether `uncordon` does anything. */
export const cordon: Step = {
  id: 'cordon',
  async intent(context) {
    return { wasUnschedulable: (await readNode(context)).unschedulable }
  },
  async actions(context, intent) {
    const { name } = context.node
    const already = intentSchema.parse(intent).wasUnschedulable
    return [
      {
        describe: already
          ? `mark ${name} as this run's work (it is cordoned already and stays so)`
          : `cordon ${name}`,
        async run(signal) {
          const annotations = { [marker]: markerValue(context) }
          await context.kube.patchNode(name, { unschedulable: true, annotations }, signal)
        },
      },
    ]
  },
  async observe(context) {
    const now = await readNode(context)
    return now.unschedulable && now.annotations[marker] === markerValue(context) ? 'done' : 'not-started'
  },
  async undo(context, intent) {
    if (!(await isOurs(context))) return []
    return [release(context, intentSchema.parse(intent).wasUnschedulable)]
  },
}

/** The last step: the node takes pods again, unless somebody had cordoned it before us. */
export const uncordon: Step = {
  id: 'uncordon',
  async intent(context) {
    return { wasUnschedulable: baseline(context).unschedulable }
  },
  async actions(context, intent) {
    return [release(context, intentSchema.parse(intent).wasUnschedulable)]
  },
  async observe(context, intent) {
    const now = await readNode(context)
    const released = now.unschedulable === intentSchema.parse(intent).wasUnschedulable
    return released && now.annotations[marker] === undefined ? 'done' : 'not-started'
  },
}

function release(context: StepContext, wasUnschedulable: boolean): Action {
  const { name } = context.node
  return {
    describe: wasUnschedulable
      ? `leave ${name} cordoned, as it was before, and drop the mark`
      : `uncordon ${name}`,
    async run(signal) {
      if (!(await isOurs(context))) return
      const annotations = { [marker]: null }
      await context.kube.patchNode(name, { unschedulable: wasUnschedulable, annotations }, signal)
    },
  }
}

/** Only what carries our mark is ours to change back. */
async function isOurs(context: StepContext): Promise<boolean> {
  return (await readNode(context)).annotations[marker] === markerValue(context)
}

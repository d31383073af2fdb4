import { z } from 'zod'
import type { Step, StepContext } from '../step.ts'

const intentSchema = z.object({ nonce: z.string(), files: z.record(z.string(), z.string()) })

/** Folder of the rendered configuration of one attempt, relative to the run's directory. Files in it hold secrets. */
export function seedFolder(context: Pick<StepContext, 'node' | 'attempt'>): string {
  return `nodes/${context.node.name}/seed-${context.attempt}`
}

/** Renders the target configuration with a fresh nonce and lays it where the reimage method takes it from. */
export const stage: Step = {
  id: 'stage',
  async intent(context) {
    const nonce = context.files.randomHex(16)
    const rendered = await context.translate(nonce)
    const files = Object.fromEntries(
      rendered.files.map((file) => [file.path, context.files.sha256(file.content)]),
    )
    return { nonce, files }
  },
  async actions(context, intent) {
    const { nonce, files } = intentSchema.parse(intent)
    const folder = seedFolder(context)
    const names = Object.keys(files)
    return [
      {
        describe: `write ${names.length} files of the ${context.plan.target} configuration of ${context.node.name} to ${folder} (0600)`,
        async run() {
          const rendered = await context.translate(nonce)
          for (const file of rendered.files) {
            await context.files.write(`${folder}/${file.path}`, file.content, file.mode)
          }
        },
      },
    ]
  },
  async observe(context, intent) {
    const { files } = intentSchema.parse(intent)
    for (const [path, digest] of Object.entries(files))
      if ((await context.files.digest(`${seedFolder(context)}/${path}`)) !== digest) return 'not-started'
    return 'done'
  },
  async undo(context, intent) {
    const folder = seedFolder(context)
    const names = Object.keys(intentSchema.parse(intent).files)
    const left = await Promise.all(names.map((name) => context.files.read(`${folder}/${name}`)))
    if (left.every((content) => content === undefined)) return []
    return [
      {
        describe: `remove the rendered configuration ${folder}`,
        async run() {
          await context.files.remove(folder)
        },
      },
    ]
  },
}

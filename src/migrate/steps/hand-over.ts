import { z } from 'zod'
import { noncePath } from '../../core/node-paths.ts'
import type { Rendered, Step, StepContext } from '../step.ts'
import { staged } from './baseline.ts'
import { lastLook, observeRebuild, readBootId, waitForNonce } from './rebuilt.ts'
import { seedFolder } from './stage.ts'

const intentSchema = z.object({ bootId: z.string() })

/**
 * The user rebuilds the machine by hand. What is to be done is written to a file and said once; then the run waits for this
 * attempt's nonce, for a day unless the plan says otherwise. It may be stopped meanwhile: `resume` waits on, in any process.
 */
export const handOver: Step = {
  id: 'hand-over',
  async intent(context) {
    return { bootId: await readBootId(context), nonce: staged(context).nonce }
  },
  async actions(context, intent) {
    const { bootId } = intentSchema.parse(intent)
    const { name, address } = context.node
    const file = instructionsFile(context)
    return [
      {
        describe: `look once more whether ${name} at ${address.host} is the machine of the plan, cordoned by this run`,
        async run() {
          await lastLook(context, bootId)
        },
      },
      {
        describe: `write what you have to do to ${file} (from here on there is no undo)`,
        async run() {
          const { delivery } = await context.translate(staged(context).nonce)
          const text = instructions(context, delivery)
          await context.files.write(file, text, 0o600)
          for (const line of text.trimEnd().split('\n')) context.progress(line)
        },
      },
      {
        describe: `wait until ${name} answers over SSH with this attempt's nonce`,
        async run() {
          await waitForNonce(context, 'hand-over', howToGoOn(context))
        },
      },
    ]
  },
  async observe(context, intent) {
    const told = (await context.files.read(instructionsFile(context))) !== undefined
    const observed = await observeRebuild(context, intentSchema.parse(intent).bootId)
    // The old system still answers: nobody has come yet, and nothing has to be done again.
    return observed === 'not-started' && told ? 'in-progress' : observed
  },
}

function instructionsFile({ node, attempt }: StepContext): string {
  return `nodes/${node.name}/by-hand-${attempt}.txt`
}

function howToGoOn({ node, files, runId, attempt }: StepContext): string {
  return `rebuild ${node.name} as ${files.directory}/nodes/${node.name}/by-hand-${attempt}.txt says; then: k3os-migrate resume ${runId}`
}

function instructions(context: StepContext, delivery: Rendered['delivery']): string {
  const { node, plan, files, runId } = context
  const seed = `${files.directory}/${seedFolder(context)}`
  const kept = plan.method.keepsData
    ? [`Leave /var/lib/rancher of its disk as it is; it is compared afterwards: ${node.keptData.join(', ')}`]
    : ['Nothing of its disk is kept.']
  const steps = [
    `Make sure you stand before the right machine: system UUID ${node.fingerprint.systemUuid}, address ${node.address.host}.`,
    ...kept,
    ...deliverySteps(delivery, seed),
    `It must come back as ${node.name} at ${node.address.host}, with its SSH host keys (they are part of the files).`,
    `The run goes on by itself once ${noncePath} of the new system can be read; when it is stopped: k3os-migrate resume ${runId}`,
  ]
  return [
    `Rebuild ${node.name} (${node.role}) as ${plan.target} by hand:`,
    ...steps.map((step, index) => `${index + 1}. ${step}`),
    '',
  ].join('\n')
}

function deliverySteps(delivery: Rendered['delivery'], seed: string): string[] {
  switch (delivery.kind) {
    case 'seed':
      return [
        `Write this image over its system: ${delivery.image}`,
        `Put these files (they hold secrets) on a file system with the label ${delivery.label}: ${delivery.files.map((file) => `${seed}/${file}`).join(', ')}`,
        ...(delivery.kernelArguments.length === 0
          ? []
          : [`Boot it with these kernel arguments as well: ${delivery.kernelArguments.join(' ')}`]),
        ...delivery.payload.map(
          ({ from, to }) => `Copy ${from} of the k3OS node to ${to} of the new system.`,
        ),
      ]
    case 'push':
      return [
        `Boot this image: ${delivery.image}`,
        `Hand over ${delivery.files.map((file) => `${seed}/${file}`).join(', ')}: ${delivery.push}`,
      ]
    case 'tree':
      return [
        'Make a root tree for it: k3os-migrate image build',
        `Lay this archive (it holds secrets) over the unpacked tree, as root: tar -xpf ${seed}/${delivery.file} -C TREE`,
      ]
    case 'none':
      return [`There is nothing to deliver: ${delivery.reason}`]
  }
}

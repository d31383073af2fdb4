import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { isInhibitor } from '../../core/findings.ts'
import { planBinds } from '../../core/in-place/bind-mounts.ts'
import { inPlaceGates, treeLacks } from '../../core/in-place/gates.ts'
import { consolesOf, migrationMenu, readInstallerMenu } from '../../core/in-place/grub-cfg.ts'
import { settledArguments, trialArguments } from '../../core/in-place/kernel-arguments.ts'
import { readLook } from '../../core/in-place/look.ts'
import { inPlaceFiles } from '../../core/in-place/units.ts'
import type { Observed, Step, StepContext } from '../step.ts'
import { baseline, staged } from './baseline.ts'
import { act, addressOf, besideState, inPlaceMethod } from './beside.ts'
import { readHostFile } from './rebuilt.ts'

const intentSchema = z.object({
  /** The whole of GRUB's new menu. */
  menu: z.string(),
  world: z.object({
    binds: z.array(z.object({ from: z.string(), to: z.string() })),
    disks: z.array(
      z.object({ uuid: z.string(), path: z.string(), fsType: z.string(), readOnly: z.boolean() }),
    ),
    network: z.array(z.string()),
    stagedAt: z.number(),
    k3sService: z.string(),
  }),
  /** Feature words of STATE before anything was written to it. */
  features: z.string(),
})

/** What `place` found out and decided in this attempt. */
export function placed(context: StepContext): z.infer<typeof intentSchema> {
  return intentSchema.parse(context.earlier('place'))
}

/**
 * The new system beside k3OS, on the same file system, while k3s runs: root tree, the node's own files, and last the menu
 * of GRUB, which still boots k3OS. Nothing of it matters to the node until it is armed.
 */
export const place: Step = {
  id: 'place',
  async intent(context) {
    const { node, clock, host, signal } = context
    const { tree, deadlineSeconds } = inPlaceMethod(context)
    const look = readLook(await host.askInPlace(addressOf(context), ['look'], signal), node.name)
    const menu = (await readHostFile(context, '/boot/grub/grub.cfg')) ?? ''
    const now = Math.floor(clock.now().getTime() / 1000)
    const k3sVersion = baseline(context).kubeletVersion
    const [first, ...others] = inPlaceGates(look, { node: node.name, menu, tree, k3sVersion, now }).filter(
      isInhibitor,
    )
    if (first !== undefined) {
      const more = others.length === 0 ? '' : ` (and ${others.map(({ rule }) => rule).join(', ')})`
      const why = first.diagnosis === '' ? '' : `; ${first.diagnosis}`
      throw new MigrateError(`${first.rule}: ${first.summary}${why}${more}`, {
        exitCode: exitCode.inhibitors,
        ...(first.remediations[0] === undefined ? {} : { hint: first.remediations[0].text }),
      })
    }
    const reading = readInstallerMenu(menu)
    if (reading.status === 'foreign') throw new Error('a gate let a foreign menu pass')
    const needs = {
      consoles: consolesOf(reading.menu),
      cgroupV1: look.cgroupV1 && tree.cgroupV1,
      deadlineSeconds,
    }
    return {
      world: {
        binds: planBinds(look.directories).binds,
        disks: look.disks,
        network: look.network,
        stagedAt: look.epoch,
        k3sService: node.role === 'server' ? 'k3s.service' : 'k3s-agent.service',
      },
      features: look.features,
      menu: migrationMenu(reading.menu, {
        id: tree.id,
        title: tree.title,
        stateUuid: look.stateUuid,
        nonce: staged(context).nonce,
        trialArguments: trialArguments(needs),
        settledArguments: settledArguments(needs),
      }),
    }
  },
  async actions(context, intent) {
    const { tree } = inPlaceMethod(context)
    const { menu, world } = intentSchema.parse(intent)
    const { name } = context.node
    const folder = `/os/${tree.id}`
    return [
      {
        describe: `unpack ${tree.title} (${tree.mib} MiB) to ${folder} of ${name}, and read every file back`,
        async run() {
          await sendTree(context)
        },
      },
      {
        describe: `lay ${name}'s own files and its k3s over it`,
        async run() {
          const { files, delivery } = await context.translate(staged(context).nonce)
          if (delivery.kind !== 'tree') throw new Error(`the translation is no tree but a ${delivery.kind}`)
          const own = files.find(({ path }) => path === delivery.file)
          if (own === undefined) throw new Error(`the translation has no ${delivery.file}`)
          await act(context, ['seed', tree.id], own.content)
          await act(context, ['seed', tree.id], inPlaceFiles(world))
          await act(context, ['complete', tree.id, baseline(context).kubeletVersion])
        },
      },
      {
        describe: `put a boot menu in place on ${name} that still starts k3OS; the old one stays beside it`,
        async run() {
          await act(context, ['menu'], menu)
        },
      },
    ]
  },
  async observe(context, intent): Promise<Observed> {
    const state = await besideState(context)
    const { menu } = intentSchema.parse(intent)
    const isPlaced = state.placed === staged(context).nonce || state.nonce === staged(context).nonce
    return isPlaced && state.menu === context.files.sha256(menu) ? 'done' : 'not-started'
  },
  async undo(context) {
    if (!(await besideState(context)).traces) return []
    const { tree } = inPlaceMethod(context)
    return [
      {
        describe: `give ${context.node.name} its boot menu back and remove /os/${tree.id}`,
        async run() {
          await act(context, ['remove', tree.id])
        },
      },
    ]
  },
  async proof(context, intent) {
    return { tree: inPlaceMethod(context).tree.sha256, features: intentSchema.parse(intent).features }
  },
}

/** How much is sent before that is said again. */
const saidEveryMib = 100

async function sendTree(context: StepContext): Promise<void> {
  const { trees, signal, node } = context
  const { tree } = inPlaceMethod(context)
  const { sha256, lines } = await trees.digests(tree.file, signal)
  if (sha256 !== tree.sha256)
    throw new MigrateError(`${tree.file} is not the root tree of the plan any more`, {
      exitCode: exitCode.stalePlan,
      hint: 'put the old one back, or make a new plan: k3os-migrate plan',
    })
  // What an earlier process left half done.
  await act(context, ['remove', tree.id])
  await act(context, ['unpack', tree.id], told(context, trees.open(tree.file, signal)))
  context.progress(`all of it is sent; ${node.name} reads it back from its disk`)
  await act(context, ['verify', tree.id], lines)
  const answer = await context.host.askInPlace(addressOf(context), ['drivers', tree.id], signal)
  const { drivers, firmware } = treeLacks(answer, node.name)
  for (const { rule, summary, remediations } of firmware)
    context.progress(`${rule}: ${summary}; ${remediations.map(({ text }) => text).join('; ')}`)
  if (drivers.length > 0)
    throw new MigrateError(`${node.name} needs what the root tree does not have: ${drivers.join(', ')}`, {
      exitCode: exitCode.inhibitors,
      hint: 'make a root tree for this machine (image build --arch), or move it with the method command',
    })
}

async function* told(context: StepContext, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  let said = 0
  for await (const chunk of chunks) {
    yield chunk
    bytes += chunk.length
    const mib = Math.floor(bytes / 2 ** 20)
    if (mib - said < saidEveryMib) continue
    said = mib
    context.progress(`${mib} MiB of the root tree are sent`)
  }
}

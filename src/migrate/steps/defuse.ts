import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { KubeNode } from '../../core/inventory.ts'
import { upgradesOff } from '../../core/k3os-upgrades.ts'
import { pausedSchema } from '../../core/paused-now.ts'
import type { Action, Step, StepContext } from '../step.ts'
import { arePaused, giveBack, pauseActions, toPause } from './pause.ts'

/** Annotation on a Node whose upgrade labels this run has changed, with what they were. */
export const upgradesMark = 'k3os-migrate/upgrades-off'

const labelsSchema = z.record(z.string(), z.string().nullable())
const intentSchema = z.object({
  nodes: z.array(z.object({ name: z.string(), before: labelsSchema, labels: labelsSchema })),
  paused: pausedSchema.default([]),
})
const markSchema = z.object({ run: z.string(), before: labelsSchema, labels: labelsSchema })

/**
 * Before the first node is touched, k3OS's own upgrade Plan is kept away from all nodes still to move: its job drains with
 * force, writes to `/k3os/system` and reboots (rancher/k3os system-upgrade-plans/k3os-latest.yaml). A label takes a node
 * out of it; the old one is on the Node, so that whoever gives the run up can put it back. Other controllers that work on
 * nodes by themselves, and that the plan names, stand still until the run is over (`pause.ts`).
 */
export const defuse: Step = {
  id: 'defuse',
  async intent(context) {
    const { plan, node, reader, signal } = context
    const { upgradePlans, nodes, failures } = await reader.read(signal)
    const [failure] = failures
    if (failure !== undefined)
      throw new MigrateError(`whether k3OS would upgrade itself cannot be said: ${failure.reason}`, {
        exitCode: exitCode.blocked,
        transient: true,
      })
    const still = plan.nodes.slice(plan.nodes.findIndex(({ name }) => name === node.name))
    const uids = new Set(still.map(({ fingerprint }) => fingerprint.nodeUid))
    return {
      nodes: nodes
        .filter(({ uid }) => uids.has(uid))
        .flatMap(({ name, labels }) => {
          const changes = upgradesOff(labels, upgradePlans)
          if (changes.length === 0) return []
          const before = Object.fromEntries(changes.map(({ key }) => [key, labels[key] ?? null]))
          return [{ name, before, labels: Object.fromEntries(changes.map(({ key, value }) => [key, value])) }]
        }),
      paused: await toPause(
        context,
        nodes.map(({ name }) => name),
      ),
    }
  },
  async actions(context, intent) {
    const { nodes, paused } = intentSchema.parse(intent)
    const pauses = pauseActions(context, paused)
    if (nodes.length === 0) return pauses
    return [
      ...pauses,
      {
        describe: `keep k3OS's own upgrades away from ${nodes.map(({ name, labels }) => `${name} (${text(labels)})`).join(', ')}`,
        async run(signal) {
          for (const { name, before, labels } of nodes) {
            const mark = JSON.stringify({ run: context.runId, before, labels })
            await context.kube.patchNode(name, { labels, annotations: { [upgradesMark]: mark } }, signal)
          }
        },
      },
    ]
  },
  async observe(context, intent) {
    const { nodes, paused } = intentSchema.parse(intent)
    const now = await context.reader.nodes(context.signal)
    const isOff = nodes.every(({ name, labels }) => {
      const node = now.find((one) => one.name === name)
      return node !== undefined && hasLabels(node, labels)
    })
    return isOff && (await arePaused(context, paused)) ? 'done' : 'not-started'
  },
  async undo(context) {
    return [...(await upgradesOn(context)), ...(await giveBack(context))]
  },
}

/** Puts the labels back on all nodes of the plan that this run has taken out and not moved. */
async function upgradesOn({ plan, reader, kube, runId, signal }: StepContext): Promise<Action[]> {
  const uids = new Set(plan.nodes.map(({ fingerprint }) => fingerprint.nodeUid))
  const nodes = (await reader.nodes(signal)).flatMap((node) => {
    const mark = markOf(node)
    return uids.has(node.uid) && mark?.run === runId ? [{ node, ...mark }] : []
  })
  if (nodes.length === 0) return []
  return [
    {
      describe: `let k3OS upgrade ${nodes.map(({ node }) => node.name).join(', ')} as before`,
      async run(within) {
        for (const { node, before, labels } of nodes) {
          // What somebody has changed since is theirs.
          const own = Object.entries(before).filter(([key]) => (node.labels[key] ?? null) === labels[key])
          const change = { labels: Object.fromEntries(own), annotations: { [upgradesMark]: null } }
          await kube.patchNode(node.name, change, within)
        }
      },
    },
  ]
}

function markOf({ annotations }: KubeNode): z.infer<typeof markSchema> | undefined {
  const value = annotations[upgradesMark]
  if (value === undefined) return undefined
  try {
    return markSchema.parse(JSON.parse(value))
  } catch (error) {
    // Not written by us, or changed by hand: then nobody knows what the labels were.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}

function hasLabels(node: KubeNode, labels: Readonly<Record<string, string | null>>): boolean {
  return Object.entries(labels).every(([key, value]) => (node.labels[key] ?? null) === value)
}

function text(labels: Readonly<Record<string, string | null>>): string {
  return Object.entries(labels)
    .map(([key, value]) => (value === null ? `label ${key} removed` : `label ${key}=${value}`))
    .join(', ')
}

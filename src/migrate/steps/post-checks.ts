import { z } from 'zod'
import type { ContainerRestarts } from '../ports.ts'
import type { StepContext } from '../step.ts'
import { baseline } from './baseline.ts'

/** What a workload's count of ready pods does not show: claims that lost their volume, containers that keep dying. */

/** Claims that pods of the node use and that are bound, as `namespace/name`. */
export async function boundClaims({
  kube,
  reader,
  node,
  signal,
}: Pick<StepContext, 'kube' | 'reader' | 'node' | 'signal'>): Promise<string[]> {
  const pods = await kube.podsOnNode(node.name, signal)
  const used = new Set(
    pods.flatMap(({ namespace, volumes }) =>
      volumes.flatMap(({ claim }) => (claim === null ? [] : [`${namespace}/${claim}`])),
    ),
  )
  if (used.size === 0) return []
  const claims = await reader.claims(signal)
  return claims.filter((claim) => used.has(nameOf(claim)) && claim.phase === 'Bound').map(nameOf)
}

/**
 * A claim of the node's pods that was bound when its move began and is not now; undefined when there is none. One that
 * somebody has deleted meanwhile is not waited for.
 */
export async function unboundClaim(context: StepContext): Promise<string | undefined> {
  const before = new Set(baseline(context).claims)
  if (before.size === 0) return undefined
  const loose = (await context.reader.claims(context.signal)).filter(
    (claim) => before.has(nameOf(claim)) && claim.phase !== 'Bound',
  )
  const [first] = loose
  if (first === undefined) return undefined
  const more = loose.length === 1 ? '' : ` (and ${loose.length - 1} more)`
  return `the claim ${nameOf(first)} is ${first.phase}, and was Bound before${more}`
}

export const restartsSchema = z.record(z.string(), z.number())

/** How often each container of the node's pods has been restarted so far, for `restarting`. */
export async function restartsSoFar(context: StepContext): Promise<z.infer<typeof restartsSchema>> {
  const { kube, node, signal } = context
  return Object.fromEntries((await kube.restarts(node.name, signal)).map((one) => [keyOf(one), one.restarts]))
}

/** More of them are no start in the wrong order any more. */
const restartsBorne = 3

/** A container that was restarted too often since then; undefined when there is none. */
export async function restarting(
  context: StepContext,
  before: z.infer<typeof restartsSchema>,
): Promise<string | undefined> {
  const { kube, node, signal } = context
  const since = (await kube.restarts(node.name, signal)).map((one) => ({
    ...one,
    // A pod that came meanwhile has had none before.
    restarts: one.restarts - (before[keyOf(one)] ?? 0),
  }))
  const worst = since.toSorted((a, b) => b.restarts - a.restarts)[0]
  if (worst === undefined || worst.restarts <= restartsBorne) return undefined
  const { namespace, pod, container, restarts, reason } = worst
  const why = reason === null ? '' : `, last because of ${reason}`
  return `the container ${container} of ${namespace}/${pod} was restarted ${restarts} times since the node takes pods again${why}`
}

function keyOf({ uid, container }: ContainerRestarts): string {
  return `${uid} ${container}`
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`
}

import { exitCode, MigrateError } from '../core/errors.ts'
import type { Pod } from '../core/inventory.ts'
import type { Clock, Kube, KubectlKube } from './ports.ts'

/** A list of the node's pods is good for this long: kubectl asks for each pod once a second. */
const freshMs = 900

/**
 * The API as a drain in kubectl's manner sees it within a run: these pods of this node and no others, each looked up in one
 * list for all of them, and no way past a disruption budget.
 */
export function onlyPods(kube: Kube, clock: Clock, node: string, uids: readonly string[]): KubectlKube {
  let last: { readonly atMs: number; readonly pods: Promise<Pod[]> } | undefined
  const list = async (signal: AbortSignal): Promise<Pod[]> => {
    const nowMs = clock.monotonicMs()
    if (last === undefined || nowMs - last.atMs >= freshMs)
      last = { atMs: nowMs, pods: kube.podsOnNode(node, signal) }
    return (await last.pods).filter(({ uid }) => uids.includes(uid))
  }
  return {
    ...kube,
    podsOnNode: async (_, signal) => list(signal),
    async pod(namespace, name, signal) {
      const found = (await list(signal)).find((pod) => pod.namespace === namespace && pod.name === name)
      // When it ends matters only to a drain that leaves slow pods behind, and this one leaves none.
      return found === undefined ? undefined : { uid: found.uid, deletionAt: null }
    },
    servesEviction: async () => true,
    async deletePod({ namespace, name }) {
      throw new MigrateError(`${namespace}/${name} is not deleted: a run only evicts`, {
        exitCode: exitCode.unexpected,
      })
    },
  }
}

import { exitCode, MigrateError } from './errors.ts'
import type { ClusterFacts, KubeNode, NodeFacts } from './inventory.ts'

/** What is known of one machine when it gets its name in the inventory. */
export interface Unnamed {
  /** Given by the user, which settles it. */
  readonly given: string | undefined
  /** What to call it when nothing better is known: its address, the name of its bundle. */
  readonly fallback: string
  /** Where it was reached; null for bundles. */
  readonly host: string | null
  /** null when it could not be read. */
  readonly facts: NodeFacts | null
}

/**
 * Names in order of the machines: given by the user, else of the Node it is in the cluster, else its host name, else the
 * fallback. Two machines that claim one name both get their fallback; what is still double is an error (exit 65).
 */
export function nameMachines(machines: readonly Unnamed[], cluster: ClusterFacts | null): string[] {
  const claims = machines.map(
    (machine) =>
      machine.given ??
      nodeOf(machine, cluster)?.name ??
      machine.facts?.hostname?.toLowerCase() ??
      machine.fallback,
  )
  const names = machines.map((machine, index) => {
    const claim = claims[index] ?? machine.fallback
    const alone = claims.filter((other) => other === claim).length === 1
    return alone || machine.given !== undefined ? claim : machine.fallback
  })
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double === undefined) return names
  throw new MigrateError(`two machines are called "${double}"`, {
    exitCode: exitCode.badInput,
    hint: 'name each machine once, and give names where they collide: n1=10.0.0.5',
  })
}

/** The boot ID is of one machine and one boot; the UUID is of one machine unless its vendor was careless. */
function nodeOf({ facts, host }: Unnamed, cluster: ClusterFacts | null): KubeNode | undefined {
  const nodes = cluster?.nodes ?? []
  const only = (is: (node: KubeNode) => boolean): KubeNode | undefined => {
    const found = nodes.filter(is)
    return found.length === 1 ? found[0] : undefined
  }
  const { bootId = null, systemUuid = null } = facts ?? {}
  return (
    only((node) => bootId !== null && node.bootId === bootId) ??
    only((node) => systemUuid !== null && node.systemUuid.toLowerCase() === systemUuid.toLowerCase()) ??
    only((node) => host !== null && node.addresses.some(({ address }) => address === host))
  )
}

import { MigrateError } from '../errors.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { budgetVerdicts, type BudgetVerdict } from '../pdb.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'
import { toMove } from './workloads.ts'

/** Disruption budgets that would hold a drain up, for good or for a while. */
export const budgetChecks: readonly Check[] = [
  {
    rules: ['PRE-PDB-STRUCTURAL', 'PRE-PDB-NEVER-REFILLS', 'PRE-PDB-TWICE', 'PRE-PDB-TEMPORARY'],
    needs: ['cluster'],
    run: budgets,
  },
]

function budgets(context: AssessContext): Finding[] {
  const { cluster } = context
  if (cluster === null) return []
  return toMove(context).flatMap((machine) => {
    try {
      const options = { staysHere: staysOn(machine, context) }
      return budgetVerdicts(machine.name, machine.pods, cluster.pdbs, options).flatMap((verdict) =>
        budgetFinding(verdict, machine),
      )
    } catch (error) {
      // A selector nobody can read guards we do not know which pods.
      if (!(error instanceof MigrateError)) throw error
      const facts = { what: `the disruption budgets of ${machine.name}`, reason: error.message }
      return [found('INV-CLUSTER-PARTIAL', facts, { subject: aboutNode(machine), result: 'error' })]
    }
  })
}

function budgetFinding({ pdb, others, verdict, pods }: BudgetVerdict, { name: node }: Machine): Finding[] {
  const facts = { node, namespace: pdb.namespace, budget: pdb.name, pods: pods.map(({ name }) => name) }
  const occurrence = {
    subject: { kind: 'PodDisruptionBudget', namespace: pdb.namespace, name: pdb.name },
    discriminator: node,
  }
  switch (verdict) {
    case 'ok':
      return []
    case 'structural':
      return [found('PRE-PDB-STRUCTURAL', facts, occurrence)]
    case 'temporary':
      return [found('PRE-PDB-TEMPORARY', facts, occurrence)]
    case 'never-refills':
      return [found('PRE-PDB-NEVER-REFILLS', facts, occurrence)]
    case 'two-budgets': {
      const all = [pdb, ...others].map(({ name }) => name)
      return [found('PRE-PDB-TWICE', { ...facts, budgets: all }, occurrence)]
    }
  }
}

/** The replacement waits for this node: its volume is bound to it, or there is no other node to run on. */
function staysOn(machine: Machine, { cluster, machines }: AssessContext): (pod: Pod) => boolean {
  const alone = !machines.some(
    ({ node, name }) => name !== machine.name && node !== null && node.ready && !node.unschedulable,
  )
  const bound = new Set(
    (cluster?.persistentVolumes ?? [])
      .filter(({ nodes }) => nodes.length > 0 && nodes.every((name) => name === machine.name))
      .flatMap(({ claim }) => (claim === null ? [] : [`${claim.namespace}/${claim.name}`])),
  )
  return (pod) =>
    alone || pod.volumes.some(({ claim }) => claim !== null && bound.has(`${pod.namespace}/${claim}`))
}

import { MigrateError } from '../errors.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { budgetVerdicts, type BudgetVerdict } from '../pdb.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'
import type { LostPod } from './leaving.ts'
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
      const whyNotRefilled = notRefilling(machine, context)
      const options = { staysAway: (pod: Pod) => whyNotRefilled(pod) !== null }
      return budgetVerdicts(machine.name, machine.pods, cluster.pdbs, options).flatMap((verdict) =>
        budgetFinding(verdict, machine, whyNotRefilled),
      )
    } catch (error) {
      // A selector nobody can read guards we do not know which pods.
      if (!(error instanceof MigrateError)) throw error
      const facts = { what: `the disruption budgets of ${machine.name}`, reason: error.message }
      return [found('INV-CLUSTER-PARTIAL', facts, { subject: aboutNode(machine), result: 'error' })]
    }
  })
}

function budgetFinding(
  { pdb, others, verdict, pods, allowed, leaving, notRefilled }: BudgetVerdict,
  { name: node }: Machine,
  whyNotRefilled: (pod: Pod) => string | null,
): Finding[] {
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
      return [
        found(
          'PRE-PDB-NEVER-REFILLS',
          {
            ...facts,
            allowed,
            leaving,
            notRefilled: notRefilled.map((pod) => ({ pod: pod.name, why: whyNotRefilled(pod) ?? '' })),
          },
          occurrence,
        ),
      ]
    case 'two-budgets': {
      const all = [pdb, ...others].map(({ name }) => name)
      return [found('PRE-PDB-TWICE', { ...facts, budgets: all }, occurrence)]
    }
  }
}

/** Why no pod takes the place of this one while the node is away; null when another node runs it. */
function notRefilling(machine: Machine, { leaving }: AssessContext): (pod: Pod) => string | null {
  const { lost, unplaced } = leaving.get(machine.name) ?? { lost: [], unplaced: [] }
  const reasons = new Map<Pod, string>([
    ...lost.map(({ pod, why }) => [pod, lostText(why)] as const),
    ...unplaced.map(({ pod, obstacles }) => {
      const text = obstacles.join('; ')
      return [pod, text === '' ? 'there is no other node' : text] as const
    }),
  ])
  return (pod) => reasons.get(pod) ?? null
}

function lostText(why: LostPod['why']): string {
  switch (why.kind) {
    case 'no-controller':
      return 'it has no controller'
    case 'controller-gone':
      return `its controller ${why.controller} is gone`
    case 'not-wanted':
      return `${why.controller} wants ${why.wants} of the ${why.runs} it has`
  }
}

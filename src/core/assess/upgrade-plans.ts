import { MigrateError } from '../errors.ts'
import { isK3osPlan, wayOut, type LabelChange } from '../k3os-upgrades.ts'
import type { Finding } from '../findings.ts'
import { matchesSelector } from '../selector.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'

/** Plans of the system-upgrade-controller, k3OS's own first of all: they outlive the system they upgrade. */
export const upgradePlanChecks: readonly Check[] = [
  { rules: ['PRE-UPGRADE-PLAN'], needs: ['cluster'], run: upgradePlans },
]

// Also moved nodes: they keep their labels, and the job that comes for them cannot work there.
function upgradePlans({ cluster, settled }: AssessContext): Finding[] {
  return (cluster?.upgradePlans ?? []).flatMap((plan) => {
    const subject = { kind: 'Plan', namespace: plan.namespace, name: plan.name }
    // Without a selector a Plan selects nothing (rancher/system-upgrade-controller pkg/upgrade/plan).
    const { nodeSelector } = plan
    if (nodeSelector === null) return []
    try {
      const nodes = (cluster?.nodes ?? []).filter(({ labels }) => matchesSelector(labels, nodeSelector))
      if (nodes.length === 0) return []
      const ofK3os = isK3osPlan(plan)
      const change = ofK3os
        ? wayOut(
            plan,
            nodes.map(({ labels }) => labels),
          )
        : null
      const facts = {
        namespace: plan.namespace,
        plan: plan.name,
        image: plan.image,
        ofK3os,
        nodes: nodes.map(({ name }) => name),
        labelChange: change === null ? null : changeText(change),
      }
      // A run takes the nodes of its plan out by itself; one that it does not move stays in.
      const isSettled = change !== null && nodes.every(({ name }) => settled.upgradesOff?.includes(name))
      const severity = isSettled ? 'low' : ofK3os ? 'inhibitor' : 'high'
      return [found('PRE-UPGRADE-PLAN', facts, { subject, severity })]
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      const facts = {
        what: `the node selector of the Plan ${plan.namespace}/${plan.name}`,
        reason: error.message,
      }
      return [found('INV-CLUSTER-PARTIAL', facts, { subject, result: 'error' })]
    }
  })
}

function changeText({ key, value }: LabelChange): string {
  return value === null ? `${key}-` : `${key}=${value} --overwrite`
}

import { MigrateError } from '../errors.ts'
import type { Finding } from '../findings.ts'
import type { UpgradePlan } from '../inventory.ts'
import { matchesSelector, type LabelSelector } from '../selector.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'

/** Plans of the system-upgrade-controller, k3OS's own first of all: they outlive the system they upgrade. */
export const upgradePlanChecks: readonly Check[] = [
  { rules: ['PRE-UPGRADE-PLAN'], needs: ['cluster'], run: upgradePlans },
]

type Labels = Readonly<Record<string, string>>

// Also moved nodes: they keep their labels, and the job that comes for them cannot work there.
function upgradePlans({ cluster }: AssessContext): Finding[] {
  return (cluster?.upgradePlans ?? []).flatMap((plan) => {
    const subject = { kind: 'Plan', namespace: plan.namespace, name: plan.name }
    // Without a selector a Plan selects nothing (rancher/system-upgrade-controller pkg/upgrade/plan).
    const { nodeSelector } = plan
    if (nodeSelector === null) return []
    try {
      const nodes = (cluster?.nodes ?? []).filter(({ labels }) => matchesSelector(labels, nodeSelector))
      if (nodes.length === 0) return []
      const ofK3os = isK3osPlan(plan)
      const facts = {
        namespace: plan.namespace,
        plan: plan.name,
        image: plan.image,
        ofK3os,
        nodes: nodes.map(({ name }) => name),
        labelChange: ofK3os ? labelChange(plan, nodes, nodeSelector) : null,
      }
      return [found('PRE-UPGRADE-PLAN', facts, { subject, severity: ofK3os ? 'inhibitor' : 'high' })]
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

export function isK3osPlan({ name, image }: UpgradePlan): boolean {
  return name.startsWith('k3os') || /(^|\/)k3os(:|$)/.test(image ?? '')
}

/**
 * The label that takes nodes out of k3OS's own Plan depends on the release (rancher/k3os
 * overlay/share/rancher/k3s/server/manifests/system-upgrade-plans/k3os-latest.yaml at each tag): tried, not guessed.
 */
function labelChange(
  plan: UpgradePlan,
  nodes: readonly { readonly labels: Labels }[],
  selector: LabelSelector,
): string | null {
  const changes: readonly { text: string; apply: (labels: Labels) => Labels }[] = [
    {
      text: 'k3os.io/upgrade=disabled --overwrite',
      apply: (labels) => ({ ...labels, 'k3os.io/upgrade': 'disabled' }),
    },
    {
      text: `plan.upgrade.cattle.io/${plan.name}-`,
      apply: (labels) => without(labels, `plan.upgrade.cattle.io/${plan.name}`),
    },
  ]
  const works = changes.find(({ apply }) =>
    nodes.every(({ labels }) => !matchesSelector(apply(labels), selector)),
  )
  return works?.text ?? null
}

function without(labels: Labels, key: string): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== key))
}

import type { UpgradePlan } from './inventory.ts'
import { matchesSelector } from './selector.ts'

/** k3OS upgrades itself through a Plan of the system-upgrade-controller. Its job, on another system, can only do harm. */

type Labels = Readonly<Record<string, string>>

/** One label of a node and what it becomes; null = it goes. */
export interface LabelChange {
  readonly key: string
  readonly value: string | null
}

/** Labels by which a node is upgraded or not. A run may change them, and no plan rests on them. */
export const upgradeLabels = /^(k3os\.io\/upgrade$|plan\.upgrade\.cattle\.io\/)/

export function isK3osPlan({ name, image }: Pick<UpgradePlan, 'name' | 'image'>): boolean {
  return name.startsWith('k3os') || /(^|\/)k3os(:|$)/.test(image ?? '')
}

/**
 * The label that takes nodes out of k3OS's own Plan depends on the release (rancher/k3os
 * overlay/share/rancher/k3s/server/manifests/system-upgrade-plans/k3os-latest.yaml at each tag): tried, not guessed. null
 * when no label takes all of them out. Throws on a selector that nobody understands.
 */
export function wayOut({ name, nodeSelector }: UpgradePlan, nodes: readonly Labels[]): LabelChange | null {
  if (nodeSelector === null) return null
  const changes: readonly LabelChange[] = [
    { key: 'k3os.io/upgrade', value: 'disabled' },
    { key: `plan.upgrade.cattle.io/${name}`, value: null },
  ]
  const works = changes.find((change) =>
    nodes.every((labels) => !matchesSelector(withLabel(labels, change), nodeSelector)),
  )
  return works ?? null
}

/** What takes a node with these labels out of all of k3OS's own Plans that select it now. */
export function upgradesOff(labels: Labels, plans: readonly UpgradePlan[]): LabelChange[] {
  return plans.flatMap((plan) => {
    if (!isK3osPlan(plan) || plan.nodeSelector === null) return []
    if (!matchesSelector(labels, plan.nodeSelector)) return []
    const change = wayOut(plan, [labels])
    return change === null ? [] : [change]
  })
}

function withLabel(labels: Labels, { key, value }: LabelChange): Labels {
  const others = Object.entries(labels).filter(([name]) => name !== key)
  return Object.fromEntries(value === null ? others : [...others, [key, value]])
}

import type { Assessment } from '../../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding } from '../../core/findings.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { ConfigReading } from '../../core/k3os/reading.ts'
import { openFindings } from '../report/findings-order.ts'
import { createRedactor, type Redactor } from '../../core/redact.ts'

/** Nobody could ask what k3OS makes of this node's configuration. */
export interface UnreadConfig {
  readonly status: 'unread'
  readonly reason: string
  readonly findings: readonly Finding[]
}

export type NodeConfig = ConfigReading | UnreadConfig

/** Everything the auditor's document is made of. Configurations by the name in the inventory, secrets still in them. */
export interface Audit {
  readonly assessment: Assessment
  readonly inventory: Inventory
  readonly configs: ReadonlyMap<string, NodeConfig>
}

/** The findings of one rule. */
export interface RuleGroup {
  readonly rule: string
  readonly title: string
  /** Worst first; never empty. */
  readonly findings: readonly [Finding, ...Finding[]]
}

/** By rule, the rule with the worst finding first. */
export function byRule(findings: readonly Finding[]): RuleGroup[] {
  return [...Map.groupBy(sortFindings(findings), ({ rule }) => rule)].flatMap(([rule, [first, ...more]]) =>
    first === undefined ? [] : [{ rule, title: first.title, findings: [first, ...more] }],
  )
}

export function inhibitorsOf(assessment: Pick<Assessment, 'findings'>): Finding[] {
  return openFindings(assessment).filter(isInhibitor)
}

/**
 * Secrets become numbers in the order in which they are met: equal ones stay visibly equal, the same inputs give the same
 * document, and there is nothing to guess from.
 */
export function numberingRedactor(): Redactor {
  const numbers = new Map<string, number>()
  return createRedactor((secret) => {
    const number = numbers.get(secret) ?? numbers.size + 1
    numbers.set(secret, number)
    return String(number)
  }, [])
}

/** Id of a node's section; names may hold what an address must not. */
export function nodeIds({ inventory, assessment }: Audit): ReadonlyMap<string, string> {
  const names = new Set([
    ...assessment.nodes.map(({ name }) => name),
    ...(inventory.cluster?.status === 'read' ? inventory.cluster.facts.nodes.map(({ name }) => name) : []),
  ])
  return new Map([...names].map((name, index) => [name, `node-${index + 1}`]))
}

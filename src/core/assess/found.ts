import { finding, type Finding, type Occurrence, type Rule } from '../findings.ts'
import { assessRules } from '../rules/assess.ts'

type AssessRules = typeof assessRules
export type AssessRuleId = keyof AssessRules
type FactsOf<Id extends AssessRuleId> = AssessRules[Id] extends Rule<infer Facts> ? Facts & object : never

/** The finding of one occurrence of a rule of this area. The nodes its facts name are the nodes it is about. */
export function found<Id extends AssessRuleId>(id: Id, facts: FactsOf<Id>, occurrence: Occurrence): Finding {
  // An index with a type parameter loses which rule goes with which facts; FactsOf keeps them together.
  const rule = assessRules[id] as unknown as Rule<FactsOf<Id>>
  return finding(id, rule, facts, { nodes: nodesOf(facts), ...occurrence })
}

function nodesOf(facts: object): readonly string[] {
  if ('node' in facts && typeof facts.node === 'string') return [facts.node]
  if (!('nodes' in facts) || !Array.isArray(facts.nodes)) return []
  return facts.nodes.filter((node): node is string => typeof node === 'string')
}

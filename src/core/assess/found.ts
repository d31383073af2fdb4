import { finding, type Finding, type Occurrence, type Rule } from '../findings.ts'
import { assessRules } from '../rules/assess.ts'

type AssessRules = typeof assessRules
export type AssessRuleId = keyof AssessRules
type FactsOf<Id extends AssessRuleId> = AssessRules[Id] extends Rule<infer Facts> ? Facts : never

/** The finding of one occurrence of a rule of this area. */
export function found<Id extends AssessRuleId>(id: Id, facts: FactsOf<Id>, occurrence: Occurrence): Finding {
  // An index with a type parameter loses which rule goes with which facts; FactsOf keeps them together.
  const rule = assessRules[id] as unknown as Rule<FactsOf<Id>>
  return finding(id, rule, facts, occurrence)
}

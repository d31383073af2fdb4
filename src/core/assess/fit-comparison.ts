import type { Fit } from '../assessment.ts'
import type { RuleId } from '../findings.ts'
import { fitReasons } from '../rules/assess-fit.ts'

/** One thing a machine has, held against what a target needs. */
export interface Comparison {
  /** `blocks` cannot work, `changes` can if it is heeded, `unread` nobody knows. */
  readonly effect: 'blocks' | 'changes' | 'unread'
  readonly reason: Fit['reasons'][number]
}

export function because(effect: Comparison['effect'], rule: RuleId, text: string): Comparison {
  return { effect, reason: { rule, text } }
}

export function unread(what: string): Comparison {
  return because('unread', 'FIT-UNREAD', fitReasons['FIT-UNREAD'](what))
}

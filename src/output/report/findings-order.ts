import type { AssessmentDocument } from '../../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding } from '../../core/findings.ts'

/** What was found, worst first. */
export function openFindings({ findings }: AssessmentDocument): Finding[] {
  return sortFindings(findings).filter(({ result }) => result === 'fail' || result === 'error')
}

/** Shown in full, with diagnosis and remedy; the rest are notes. */
export function isSerious(f: Finding): boolean {
  return f.waiver !== null || isInhibitor(f) || f.severity === 'high' || f.severity === 'medium'
}

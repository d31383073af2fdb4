import type { Assessment, AssessmentDocument } from '../../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding } from '../../core/findings.ts'
import { capital } from './words.ts'

/** What was found, worst first. */
export function openFindings({ findings }: Pick<Assessment | AssessmentDocument, 'findings'>): Finding[] {
  return sortFindings(findings).filter(({ result }) => result === 'fail' || result === 'error')
}

/** The summary as a sentence begins; a name keeps its small letter. */
export function summaryText({ summary, subject, nodes }: Finding): string {
  const startsWithName = [subject.name, ...nodes].some((name) => name !== null && summary.startsWith(name))
  return startsWithName || !/^[a-z]+ /.test(summary) ? summary : capital(summary)
}

/** Shown in full, with diagnosis and remedy; the rest are notes. */
export function isSerious(f: Finding): boolean {
  return f.waiver !== null || isInhibitor(f) || f.severity === 'high' || f.severity === 'medium'
}

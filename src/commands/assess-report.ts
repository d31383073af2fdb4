import { assessmentMarkdown, assessmentText } from '../output/assessment-text.ts'
import type { Audit } from '../output/audit/audit.ts'
import { auditHtml } from '../output/audit/audit-html.ts'
import { json } from '../output/json.ts'
import { junit } from '../output/junit.ts'
import { sarif } from '../output/sarif.ts'
import { strip } from '../output/style.ts'
import { yaml } from '../core/yaml-text.ts'

/** Every form an assessment can have. */
export type AssessFormat = 'table' | 'json' | 'yaml' | 'markdown' | 'html' | 'sarif' | 'junit'

/** One assessment in one form. For a `file` nothing is marked for a terminal. */
export function assessmentReport(
  audit: Audit,
  format: AssessFormat,
  options: {
    readonly for: { readonly columns: number | undefined } | 'file'
    readonly inventoryFile: string
  },
): string {
  const { assessment } = audit
  const { inventoryFile } = options
  switch (format) {
    case 'table':
      if (options.for === 'file') return strip(assessmentText(assessment))
      return assessmentText(
        assessment,
        options.for.columns === undefined ? {} : { width: options.for.columns },
      )
    case 'json':
      return json(assessment)
    case 'yaml':
      return yaml(assessment)
    case 'markdown':
      return assessmentMarkdown(assessment)
    case 'html':
      return auditHtml(audit)
    case 'sarif':
      return json(sarif(assessment, { inventoryFile }))
    case 'junit':
      return junit(assessment)
  }
}

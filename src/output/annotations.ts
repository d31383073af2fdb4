import { isInhibitor, sortFindings, type Finding } from '../core/findings.ts'
import { plain } from './style.ts'

/** GitHub shows ten errors and ten warnings of a step; what comes after is only in its log. */
const shownOfEach = 10

/** Workflow commands of GitHub Actions, worst first: `::error file=…,line=…,title=…::message`. */
export function githubAnnotations(findings: readonly Finding[]): string {
  const open = sortFindings(findings).filter(
    ({ result, waiver }) => waiver === null && (result === 'fail' || result === 'error'),
  )
  const errors = open.filter((f) => isInhibitor(f) || f.severity === 'high')
  const warnings = open.filter((f) => !errors.includes(f) && f.severity === 'medium')
  const lines = [
    ...errors.slice(0, shownOfEach).map((f) => annotation('error', f)),
    ...warnings.slice(0, shownOfEach).map((f) => annotation('warning', f)),
  ]
  const hidden = errors.length + warnings.length - lines.length
  const more = hidden === 0 ? [] : [`::notice title=k3os-migrate::${hidden} more findings are in the report`]
  return [...lines, ...more].map((line) => `${line}\n`).join('')
}

function annotation(level: 'error' | 'warning', f: Finding): string {
  const { location } = f
  const place =
    location === null
      ? []
      : [
          // A file of a node is not a file of the repository: named so, it cannot be taken for one.
          `file=${property(location.file.startsWith('/') ? `${f.nodes[0] ?? 'node'}${location.file}` : location.file)}`,
          ...(location.line === null ? [] : [`line=${location.line}`]),
          ...(location.line === null || location.column === null ? [] : [`col=${location.column}`]),
        ]
  return `::${level} ${[...place, `title=${property(f.rule)}`].join(',')}::${data(f.summary)}`
}

// actions/toolkit packages/core/src/command.ts: what a command must not hold as it is.
function data(text: string): string {
  return plain(text).replaceAll('%', '%25')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

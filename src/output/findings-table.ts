import { isInhibitor, sortFindings, type Finding, type Subject } from '../core/findings.ts'
import { mark, plain, type Role } from './style.ts'
import { table, type Cell } from './table.ts'
import { elide } from './text-width.ts'

/** Generated volume names would leave no room for what is said about them; below and in JSON they are whole. */
const subjectWidth = 26

/**
 * Findings for a terminal: SEVERITY RULE SUBJECT SUMMARY, worst first, then below what to do about each inhibitor. Passed
 * and skipped checks are left out.
 */
export function findingsTable(
  findings: readonly Finding[],
  options: { readonly width?: number } = {},
): string {
  const shown = sortFindings(findings).filter((f) => f.result === 'fail' || f.result === 'error')
  if (shown.length === 0) return 'No findings.\n'
  const rows = shown.map((f): Cell[] => [
    { text: severityWord(f), role: severityRole(f) },
    f.rule,
    elide(shortSubject(f.subject), subjectWidth),
    [f.summary, placeText(f), waiverText(f)].filter((part) => part !== '').join(' '),
  ])
  const overview = table(['SEVERITY', 'RULE', 'SUBJECT', 'SUMMARY'], rows, { width: options.width ?? 100 })
  const inhibitors = shown.filter((f) => isInhibitor(f) && f.remediations.length > 0)
  return [overview, ...inhibitors.map(whatToDo)].join('\n')
}

/** `error` when the check could not run, `waived` when a waiver covers it. */
export function severityWord(f: Finding): string {
  if (f.waiver !== null) return 'waived'
  return f.result === 'fail' ? f.severity : f.result
}

/** `Node n1`, `Pod shop/db-0`, `Configuration`. */
export function subjectText(subject: Subject): string {
  const name = [subject.namespace, subject.name].filter((part) => part !== null).join('/')
  return name === '' ? subject.kind : `${subject.kind} ${name}`
}

/** `(/var/lib/rancher/k3os/config.yaml:12)`, as editors read it; empty without a place. */
export function placeText({ location }: Finding): string {
  if (location === null) return ''
  return `(${location.file}${location.line === null ? '' : `:${location.line}`})`
}

function waiverText({ waiver }: Finding): string {
  return waiver === null ? '' : `(waived: ${waiver.reason})`
}

const shortKinds: Readonly<Record<string, string>> = {
  PersistentVolume: 'PV',
  PodDisruptionBudget: 'PDB',
  Configuration: 'Config',
}

function shortSubject(subject: Subject): string {
  return subjectText({ ...subject, kind: shortKinds[subject.kind] ?? subject.kind })
}

function severityRole(f: Finding): Role {
  if (f.waiver !== null) return 'dim'
  if (f.result === 'error') return 'bad'
  switch (f.severity) {
    case 'inhibitor':
      return 'bad'
    case 'high':
    case 'medium':
      return 'warn'
    case 'low':
    case 'info':
      return 'dim'
  }
}

function whatToDo(f: Finding): string {
  const lines = f.remediations.flatMap(({ type, text }) => {
    const [first = '', ...more] = text.split('\n').map(plain)
    const indent = type === 'command' ? '    ' : '  '
    return [`${indent}${first}`, ...more.map((line) => `${indent}${line}`)]
  })
  const what = f.waiver === null ? f.summary : `${f.summary} (waived)`
  return `${mark('name', f.rule)} ${plain(subjectText(f.subject))}: ${plain(what)}\n${lines.join('\n')}\n`
}

import type { ConfigPath } from './path.ts'

/** From worst to mildest. An inhibitor stops a plan. */
export const severities = ['inhibitor', 'high', 'medium', 'low', 'info'] as const
export type Severity = (typeof severities)[number]

/** `error` = the check could not run; it counts as an inhibitor, because no evidence is failure. */
export const results = ['pass', 'fail', 'skip', 'error'] as const
export type Result = (typeof results)[number]

export interface Subject {
  /** `Node`, `Pod`, `PodDisruptionBudget`, `PersistentVolume`, `Configuration`, `Cluster`, `Target`, … */
  readonly kind: string
  readonly namespace: string | null
  readonly name: string | null
  readonly uid: string | null
}

export interface Location {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly endLine: number | null
  readonly endColumn: number | null
  /** The configuration value meant, in canonical spelling; what the coverage check counts. */
  readonly path: ConfigPath | null
}

export interface Remediation {
  readonly type: 'hint' | 'command' | 'patch'
  readonly text: string
}

export interface Evidence {
  readonly source: string
  readonly digest: string | null
}

/**
 * What the user should know. All keys are always present: optional keys that come and go break consumers.
 * `key` is stable across versions and wording (rule + subject + path); texts may change.
 */
export interface Finding {
  readonly key: string
  readonly rule: RuleId
  readonly severity: Severity
  readonly result: Result
  /** What kind of thing this is; the same for every finding of the rule. */
  readonly title: string
  /** What was found here, on one line, naming the thing. */
  readonly summary: string
  /** Why it matters, what k3OS does and what happens on the way. May be empty. */
  readonly diagnosis: string
  readonly subject: Subject
  /** Names of the nodes it is about; empty = the cluster as a whole. */
  readonly nodes: readonly string[]
  readonly location: Location | null
  readonly evidence: readonly Evidence[]
  readonly remediations: readonly Remediation[]
  readonly links: readonly string[]
  readonly waiver: {
    readonly reason: string
    readonly approvedBy: string
    readonly expires: string | null
    readonly ticket: string | null
  } | null
}

/** `CFG-…` configuration, `PRE-…` gates before a move, `FIT-…` target fit, `TRN-…` translation, `INV-…` inventory. */
export type RuleId = `${'CFG' | 'PRE' | 'FIT' | 'TRN' | 'INV'}-${string}`

export interface RuleText {
  readonly summary: string
  readonly diagnosis?: string
  readonly remediations?: readonly Remediation[]
  readonly links?: readonly string[]
}

/**
 * One rule of a catalogue: `core/rules/*.ts` hold all texts next to their ids, so that wording is reviewed as a whole.
 * `text` takes the facts of one occurrence.
 */
export interface Rule<Facts> {
  readonly severity: Severity
  readonly title: string
  /** A waiver may turn this inhibitor into a note. */
  readonly waivable?: boolean
  readonly text: (facts: Facts) => RuleText
}

export interface Occurrence {
  readonly subject: Pick<Subject, 'kind'> & Partial<Subject>
  readonly location?: (Pick<Location, 'file'> & Partial<Location>) | undefined
  readonly nodes?: readonly string[]
  /** Tells several occurrences of one rule on one subject apart; the path or a name. Part of the stable key. */
  readonly discriminator?: string
  readonly severity?: Severity
  readonly result?: Result
  readonly evidence?: readonly Evidence[]
}

/** Builds the finding of one occurrence of a rule: `finding('CFG-X', configRules['CFG-X'], { … }, { subject })`. */
export function finding<Facts>(id: RuleId, rule: Rule<Facts>, facts: Facts, occurrence: Occurrence): Finding {
  const text = rule.text(facts)
  const subject: Subject = { namespace: null, name: null, uid: null, ...occurrence.subject }
  const location: Location | null =
    occurrence.location === undefined
      ? null
      : { line: null, column: null, endLine: null, endColumn: null, path: null, ...occurrence.location }
  const discriminator = occurrence.discriminator ?? location?.path ?? ''
  const who = [subject.kind, subject.namespace, subject.name].filter((part) => part !== null).join('/')
  return {
    key: [id, who, discriminator].filter((part) => part !== '').join(':'),
    rule: id,
    severity: occurrence.severity ?? rule.severity,
    result: occurrence.result ?? 'fail',
    title: rule.title,
    summary: text.summary,
    diagnosis: text.diagnosis ?? '',
    subject,
    nodes: occurrence.nodes ?? (subject.kind === 'Node' && subject.name !== null ? [subject.name] : []),
    location,
    evidence: occurrence.evidence ?? [],
    remediations: text.remediations ?? [],
    links: text.links ?? [],
    waiver: null,
  }
}

/** Rank for sorting: an inhibitor first. A check that could not run ranks as an inhibitor. */
export function severityRank(f: Pick<Finding, 'severity' | 'result'>): number {
  return f.result === 'error' ? 0 : severities.indexOf(f.severity)
}

/** Worst first, then by rule and key: the same findings always print in the same order. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) => severityRank(a) - severityRank(b) || compareText(a.rule, b.rule) || compareText(a.key, b.key),
  )
}

/** Byte order of the UTF-16 text, the same on every machine; `localeCompare` is not. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** True for what stops a plan: failed or unrunnable inhibitors without a waiver. */
export function isInhibitor(f: Finding): boolean {
  return f.waiver === null && (f.result === 'error' || (f.result === 'fail' && f.severity === 'inhibitor'))
}

import type { Assessment, RuleOutcome } from '../core/assessment.ts'
import { sortFindings, type Finding, type RuleId } from '../core/findings.ts'
import { clusterOnly } from '../core/assess/scope.ts'
import { severityWord, subjectText } from './findings-table.ts'
import { xml, type Xml } from './xml.ts'

/**
 * JUnit (the form of Jenkins' xunit plugin): a suite for the cluster, one for each node, a test case for each check.
 * `failure`: an inhibitor or high finding; `error`: the check could not look; `skipped`: it had nothing to look at. What is
 * milder or waived passes and is told in `system-out`.
 */
export function junit(assessment: Assessment): string {
  const findings = sortFindings(assessment.findings)
  const suites = [clusterSuite(assessment, findings), ...nodeSuites(assessment, findings)]
  const sum = (of: (suite: Suite) => number): number => suites.reduce((total, suite) => total + of(suite), 0)
  return xml`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="k3os-migrate assess" tests="${sum(({ cases }) => cases.length)}" failures="${sum(count('failure'))}" errors="${sum(count('error'))}">
${suites.map((suite) => suiteXml(suite, assessment))}</testsuites>
`.xml
}

interface Case {
  readonly rule: string
  readonly title: string
  readonly verdict: 'passed' | 'failure' | 'error' | 'skipped'
  /** Why, when there is no finding that says it. */
  readonly reason: string | null
  readonly findings: readonly Finding[]
}

interface Suite {
  readonly name: string
  readonly cases: readonly Case[]
}

const count =
  (verdict: Case['verdict']) =>
  ({ cases }: Suite): number =>
    cases.filter((one) => one.verdict === verdict).length

/** Checks that are about the cluster only, and whatever else was found and names no node. */
function clusterSuite({ checks }: Assessment, findings: readonly Finding[]): Suite {
  const own = Map.groupBy(
    findings.filter(({ nodes }) => nodes.length === 0),
    ({ rule }) => rule,
  )
  const looked = checks.filter(({ rule }) => clusterOnly.has(rule) || own.has(rule))
  return { name: 'cluster', cases: casesOf(looked, own, null) }
}

function nodeSuites({ nodes, checks }: Assessment, findings: readonly Finding[]): Suite[] {
  const byNode = new Map<string, Finding[]>()
  for (const f of findings)
    for (const node of f.nodes) {
      const list = byNode.get(node)
      if (list === undefined) byNode.set(node, [f])
      else list.push(f)
    }
  const looked = checks.filter(({ rule }) => !clusterOnly.has(rule))
  const moving = new Set(nodes.map(({ name }) => name))
  const others = [...byNode.keys()].filter((name) => !moving.has(name)).toSorted()
  return [...moving, ...others].map((name) => ({
    name,
    cases: casesOf(
      moving.has(name) ? looked : [],
      Map.groupBy(byNode.get(name) ?? [], ({ rule }) => rule),
      name,
    ),
  }))
}

/** One case for each check, and for each rule that is not among the checks but has findings (configuration, waivers). */
function casesOf(
  checks: readonly RuleOutcome[],
  findings: ReadonlyMap<RuleId, readonly Finding[]>,
  node: string | null,
): Case[] {
  const known = new Set(checks.map(({ rule }) => rule))
  return [
    ...checks.map((check): Case => {
      const own = findings.get(check.rule) ?? []
      const looked = verdictOf(own)
      const blind = looked === 'passed' ? blindness(check, node) : null
      return {
        ...check,
        findings: own,
        verdict: blind ?? looked,
        reason: blind === null ? null : check.reason,
      }
    }),
    ...[...findings]
      .filter(([rule]) => !known.has(rule))
      .map(([rule, own]): Case => ({
        rule,
        title: own[0]?.title ?? '',
        verdict: verdictOf(own),
        reason: null,
        findings: own,
      })),
  ]
}

function verdictOf(findings: readonly Finding[]): 'passed' | 'failure' | 'error' {
  const open = findings.filter(({ waiver }) => waiver === null)
  if (open.some(({ result }) => result === 'error')) return 'error'
  const serious = open.some(
    ({ result, severity }) => result === 'fail' && (severity === 'inhibitor' || severity === 'high'),
  )
  return serious ? 'failure' : 'passed'
}

/** "Nothing found" passes only where somebody looked. */
function blindness({ result, blind }: RuleOutcome, node: string | null): 'error' | 'skipped' | null {
  const here = blind === 'everywhere' || (node !== null && blind.includes(node))
  if (!here) return null
  return result === 'skip' ? 'skipped' : 'error'
}

function suiteXml(suite: Suite, { metadata }: Assessment): Xml {
  const { name, cases } = suite
  const timestamp = metadata.createdAt.replace(/(\.\d+)?Z$/, '')
  return xml`  <testsuite name="${name}" tests="${cases.length}" failures="${count('failure')(suite)}" errors="${count('error')(suite)}" skipped="${count('skipped')(suite)}" time="0" timestamp="${timestamp}">
${cases.map((one) => caseXml(one, name))}  </testsuite>
`
}

function caseXml({ rule, title, verdict, reason, findings }: Case, suite: string): Xml {
  const says = findings.map(findingText).join('\n\n')
  const open = xml`    <testcase classname="k3os-migrate.${suite}" name="${rule}: ${title}" time="0"`
  switch (verdict) {
    case 'passed':
      return says === ''
        ? xml`${open}/>
`
        : xml`${open}><system-out>${says}</system-out></testcase>
`
    case 'failure':
      return xml`${open}><failure message="${findings[0]?.summary ?? ''}" type="${rule}">${says}</failure></testcase>
`
    case 'error':
      return xml`${open}><error message="${findings[0]?.summary ?? reason ?? ''}" type="${rule}">${says === '' ? reason : says}</error></testcase>
`
    case 'skipped':
      return xml`${open}><skipped message="${reason ?? ''}"/></testcase>
`
  }
}

function findingText(f: Finding): string {
  const waiver = f.waiver === null ? [] : [`accepted by ${f.waiver.approvedBy}: ${f.waiver.reason}`]
  const remedies = f.remediations.map(({ type, text }) => (type === 'command' ? `  $ ${text}` : `  ${text}`))
  const lines = [`${severityWord(f)}: ${f.summary} (${subjectText(f.subject)}, key ${f.key})`, f.diagnosis]
  return [...lines, ...waiver, ...remedies].filter((line) => line !== '').join('\n')
}
